"""`manage.py serve --engine`: what is said about the engine reaches `run_engine`."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from studies.management import server
from studies.management.commands import serve
from tests.running import free_port


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The command lines of the engines that would be started; nothing is served."""
    started: list[list[str]] = []

    class Ended:
        """A process that said why it ends."""

        stdin = None

        def __init__(self, command: list[str], **_: Any) -> None:
            started.append(command)

        def wait(self, timeout: float | None = None) -> int:
            return 1

    monkeypatch.setattr(subprocess, "Popen", Ended)
    monkeypatch.setattr(server, "run", lambda **_: None)
    monkeypatch.setattr(serve, "require_migrated", lambda: None)
    return started


def test_the_engine_s_options_are_passed_on(commands: list[list[str]]) -> None:
    call_command(
        "serve", "--engine", "folder", "--port", str(free_port()), "--cache-gib", "2.5", "--context-tokens", "9000"
    )
    call_command("serve", "--engine", "folder", "--port", str(free_port()))
    assert commands[0][2:5] == commands[1][2:5] == ["run_engine", "--model", "folder"]
    assert [word for word in commands[0] if word not in commands[1]] == ["--cache-gib=2.5", "--context-tokens=9000"]


def test_they_are_refused_where_there_is_no_engine(commands: list[list[str]]) -> None:
    with pytest.raises(CommandError, match=r"--cache-gib=2\.5: it is for the engine; give --engine MODEL too"):
        call_command("serve", "--cache-gib", "2.5", "--port", str(free_port()))
    assert commands == []
