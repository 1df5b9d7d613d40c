"""`manage.py run_engine` as a process: it says when it is ready, and every way of ending it is clean."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from django.core.management import CommandError, call_command

from studies.assistant.engine import supports
from tests.assistant.conftest import ROOT, running_engine


def failing(*options: str) -> str:
    """What it says on its error stream when it cannot start."""
    run = subprocess.run(
        [sys.executable, "manage.py", "run_engine", *options], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 1
    assert run.stdout == ""
    assert "Traceback" not in run.stderr
    return run.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_exit_code_0(model_folder: Path, number: signal.Signals) -> None:
    with running_engine("--model", str(model_folder)) as (process, line):
        url = line.removeprefix("engine ready ")
        assert httpx.get(f"{url}/health", trust_env=False).json()["status"] == "ok"
        process.send_signal(number)
        assert process.wait(10) == 0
        assert process.stdout is not None
        assert process.stdout.read() == ""


@pytest.mark.slow
def test_an_idle_connection_is_left_to_the_client_to_end(engine_url: str) -> None:
    """Ended from both sides after the same 5 seconds, a request may cross the end and be lost."""
    with httpx.Client(base_url=engine_url, trust_env=False, limits=httpx.Limits(keepalive_expiry=60)) as client:
        with client.stream("GET", "/health") as response:
            stream = response.extensions["network_stream"]
            response.read()
        time.sleep(7)
        own = stream.get_extra_info("socket")
        own.setblocking(False)
        with pytest.raises(BlockingIOError):  # nothing to read: neither data nor an end
            own.recv(1)


def test_a_signal_in_the_middle_of_a_reply_ends_it_and_tells_the_client(model_folder: Path) -> None:
    with running_engine("--model", str(model_folder)) as (process, line):
        url = line.removeprefix("engine ready ")
        body = {"messages": [{"role": "user", "content": "?"}], "max_tokens": 480, "stream": True}
        with httpx.stream("POST", f"{url}/v1/chat/completions", json=body, trust_env=False) as reply:
            parts = reply.iter_text()
            next(parts)
            process.send_signal(signal.SIGTERM)
            rest = "".join(parts)
        assert '"code": "unreachable"' in rest
        assert process.wait(10) == 0


def test_with_transformers_batching_it_answers_and_a_signal_in_the_middle_ends_it(model_folder: Path) -> None:
    with running_engine("--model", str(model_folder), "--batching", "transformers") as (process, line):
        url = line.removeprefix("engine ready ")
        body = {"messages": [{"role": "user", "content": "?"}], "max_tokens": 480, "stream": True}
        with httpx.stream("POST", f"{url}/v1/chat/completions", json=body, trust_env=False) as reply:
            parts = reply.iter_text()
            next(parts)
            process.send_signal(signal.SIGTERM)
            rest = "".join(parts)
        assert '"code": "unreachable"' in rest
        assert process.wait(10) == 0


def test_a_batching_that_would_not_be_exact_is_one_sentence(
    model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supports, "why_not", lambda _: "it looks back 24 tokens only")
    with pytest.raises(CommandError, match=r"'own': .* tiny-llama exactly: it looks back 24 tokens only; use auto"):
        call_command("run_engine", model=str(model_folder), port=0, device="cpu", batching="own")


def test_it_ends_when_its_standard_input_closes(model_folder: Path) -> None:
    with running_engine("--model", str(model_folder), "--exit-with-stdin") as (process, line):
        assert line.startswith("engine ready")
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0


def test_it_ends_with_a_parent_that_is_killed(model_folder: Path, tmp_path: Path) -> None:
    """The parent holds the other end of the pipe; when it is killed the engine goes too."""
    pid_file = tmp_path / "pid"
    command = [
        sys.executable,
        "manage.py",
        "run_engine",
        "--port",
        "0",
        "--model",
        str(model_folder),
        "--exit-with-stdin",
    ]
    code = (
        "import pathlib, subprocess, time\n"
        f"child = subprocess.Popen({command!r}, stdin=subprocess.PIPE)\n"
        f"pathlib.Path({str(pid_file)!r}).write_text(str(child.pid))\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline().startswith("engine ready")
        pid = int(pid_file.read_text())
        parent.kill()
    give_up_at = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and _is_running(pid):
        assert time.monotonic() < give_up_at, "the engine outlived its parent"
        time.sleep(0.1)


def test_a_missing_model_is_one_sentence() -> None:
    assert "/nowhere/model: there is no such folder" in failing("--model", "/nowhere/model", "--port", "0")


def test_a_taken_port_is_one_sentence(model_folder: Path) -> None:
    with running_engine("--model", str(model_folder), "--exit-with-stdin") as (_, line):
        port = line.rpartition(":")[2]
        said = failing("--model", str(model_folder), "--port", port)
    assert f"--port {port}: " in said
    assert "use another one, or 0 for a free one" in said


def _is_running(pid: int) -> bool:
    """Not a zombie that nobody has waited for."""
    return " Z " not in Path(f"/proc/{pid}/stat").read_text()
