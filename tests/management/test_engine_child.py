"""The embedded server's engine comes back when it is killed, stays away when it said why, and ends with the server."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from studies.management import engine_child
from studies.management.commands.run_engine import DIED
from studies.management.engine_child import EngineChild
from tests.assistant import tiny_model
from tests.running import free_port

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_model.build(tmp_path_factory.mktemp("model") / "tiny-llama"))


@pytest.fixture(autouse=True)
def short_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_child, "FIRST_PAUSE", 0.05)


@pytest.fixture
def begin() -> Iterator[Callable[[str, int], EngineChild]]:
    begun: list[EngineChild] = []

    def start(model: str, port: int) -> EngineChild:
        begun.append(EngineChild(model, port))
        return begun[-1]

    yield start
    for each in begun:
        each.stop()


def until(is_so: Callable[[], bool]) -> None:
    limit = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < limit, "that took more than a minute"
        time.sleep(0.1)


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False).is_success
    except httpx.TransportError:
        return False


def test_a_killed_engine_comes_back_and_ends_with_the_server(
    begin: Callable[[str, int], EngineChild], model: str, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    engine = begin(model, port)
    until(lambda: answers(port))
    killed = engine._process
    os.kill(killed.pid, signal.SIGKILL)
    until(lambda: engine._process is not killed)
    until(lambda: answers(port))
    assert "the engine was killed by signal 9" in caplog.text
    engine.stop()
    assert engine._process.returncode == 0
    assert not answers(port)


def test_an_engine_that_broke_comes_back(
    begin: Callable[[str, int], EngineChild],
    model: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = tmp_path / "python"
    broken.write_text(
        f'#!/bin/sh\n[ -e {tmp_path}/once ] && exec {sys.executable} "$@"\n>{tmp_path}/once; exit {DIED}\n'
    )
    broken.chmod(0o700)
    monkeypatch.setattr(engine_child.sys, "executable", str(broken))
    port = free_port()
    begin(model, port)
    until(lambda: answers(port))
    assert "the engine ended with a fault; it is started again" in caplog.text


def test_an_engine_that_cannot_start_says_why_once(
    begin: Callable[[str, int], EngineChild], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = begin(str(tmp_path / "nothing"), free_port())
    first = engine._process
    until(lambda: "the engine ended with code" in caplog.text)
    assert engine._process is first
