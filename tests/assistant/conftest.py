"""The tiny model, built once, for every test that needs a real one; and the engine that serves it, as a process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from studies.assistant.engine.loader import LoadedModel, load
from tests.assistant import tiny_model

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model.build(tmp_path_factory.mktemp("model") / "tiny-llama")


@pytest.fixture(scope="session")
def loaded(model_folder: Path) -> LoadedModel:
    return load(str(model_folder), device="cpu", threads=1)


@pytest.fixture(scope="session")
def reference(model_folder: Path) -> LoadedModel:
    """The same model once more, for transformers' own `generate`: an engine changes how its model attends."""
    return load(str(model_folder), device="cpu", threads=1)


@contextmanager
def running_engine(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`manage.py run_engine` as a child process, with the line that it printed first; ended by closing its input."""
    command = [sys.executable, "manage.py", "run_engine", "--port", "0", "--threads", "1", *options]
    environment = os.environ | {"HF_HUB_OFFLINE": "1"}
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            yield process, _pipe(process.stdout).readline().strip()
        finally:
            _pipe(process.stdin).close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.fixture(scope="session")
def engine_url(model_folder: Path) -> Iterator[str]:
    with running_engine("--model", str(model_folder), "--device", "cpu", "--exit-with-stdin") as (_, line):
        assert line.startswith("engine ready http://127.0.0.1:"), line
        yield line.removeprefix("engine ready ")


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe
