"""`manage.py demo` from nothing: bots, model alone, analysis, two links; Ctrl-C ends every process."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.running import ROOT, free_port


def demo(folder: Path, port: int) -> subprocess.Popen[str]:
    command = [sys.executable, "manage.py", "demo", "--port", str(port), "--people", "4", "--no-browser"]
    command += ["--engine-port", str(free_port())]
    env = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "REDIS_URL")}
    env |= {"OVERSIGHT_DATA": str(folder), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=_as_in_a_terminal,
    )


def _as_in_a_terminal() -> None:
    """Ctrl-C reaches it, also where these tests run as a job in the background, whose children would ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def read_until(process: subprocess.Popen[str], pattern: str, seconds: float) -> str:
    assert process.stdout is not None
    said, limit = "", time.monotonic() + seconds
    while time.monotonic() < limit:
        line = process.stdout.readline()
        said += line
        if re.search(pattern, line):
            return said
        if not line and process.poll() is not None:
            break
    raise AssertionError(f"{pattern!r} was not said:\n{said}")


def end(process: subprocess.Popen[str]) -> str:
    """Ctrl-C, as a terminal sends it: to the whole group."""
    os.killpg(process.pid, signal.SIGINT)
    try:
        said, _ = process.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    assert process.returncode == 0, said
    return said


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_demo_plays_analyses_and_starts_again_in_seconds(tmp_path: Path) -> None:
    port = free_port()
    process = demo(tmp_path, port)
    said = read_until(process, "simulated participants are taking", 20)
    joins = re.findall(r"http://\S+/join/\w+/", said)
    assert len(joins) == 2
    for join in joins:
        with urllib.request.urlopen(join, timeout=10) as page:
            assert "I agree" in page.read().decode()
    said += read_until(process, "The demo study is finished", 120)
    assert "human+model − human" in said
    assert "engine ready" in said
    assert "model (engine, oversight-demo-model) was asked 6 questions by zero-shot; 0 without a clear answer" in said
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as page:
        assert "See the results" in page.read().decode()
    said += end(process)
    assert "Traceback" not in said

    started = time.monotonic()
    again = demo(tmp_path, port)
    read_until(again, "finished and analysed", 20)
    assert time.monotonic() - started < 15
    assert "Traceback" not in end(again)
