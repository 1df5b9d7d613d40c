"""A real server in its own process, with its own data folder, as a participant meets it."""

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 40


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RunningServer:
    """`manage.py serve` on a free port. `rows` reads its SQLite file directly: nothing of ours is in between."""

    def __init__(self, folder: Path, **settings: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.port = folder, free_port()
        self.env = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "REDIS_URL")}
        self.env |= {"OVERSIGHT_DATA": str(folder), "DJANGO_SETTINGS_MODULE": "oversight.settings", **settings}
        self.process: subprocess.Popen[bytes] | None = None
        self.log = folder / "server.log"
        self.manage("migrate", "--verbosity", "0")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def manage(self, *arguments: str) -> str:
        """Run a management command on the server's data; its output, or an error with what it said."""
        return self.python("manage.py", *arguments)

    def python(self, *arguments: str) -> str:
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise RuntimeError(f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def make_small_study(self, **overrides: object) -> dict[str, Any]:
        """A launched small study (tests/small_study.py): its name, id and join path."""
        out = self.python("-m", "tests.make_small_study", json.dumps(overrides))
        made: dict[str, Any] = json.loads(out.strip().splitlines()[-1])
        return made

    def command(self) -> list[str]:
        return [sys.executable, "manage.py", "serve", "--port", str(self.port)]

    def start(self) -> "RunningServer":
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(), cwd=ROOT, env=self.env, stdout=log, stderr=subprocess.STDOUT
            )
        limit = time.monotonic() + START_SECONDS
        while time.monotonic() < limit:
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=1):
                    return self
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"the server did not start:\n{self.said()}")

    def kill(self) -> None:
        """kill -9: no clean-up at all."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.kill()
            return -9

    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def errors(self) -> list[str]:
        """What the server logged as wrong."""
        return [line for line in self.said().splitlines() if re.search(r"\b(ERROR|CRITICAL|Traceback)\b", line)]

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with sqlite3.connect(f"file:{self.folder / 'oversight.sqlite3'}?mode=ro", uri=True, timeout=10) as rows:
            return rows.execute(query, values).fetchall()
