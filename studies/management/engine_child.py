"""The engine as a child of the embedded server: it ends with the server, and is started again when it is killed."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings

from studies.management.commands.run_engine import DIED

log = logging.getLogger(__name__)
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds before it is started again; twice as long after each early death
EARLY = 120.0  # seconds
END_SECONDS = 15


class EngineChild:
    """`manage.py run_engine` as a process. Killed or broken while it served, it comes back; one that cannot start has
    said why and stays away.

    It ends when this process does, as its standard input closes; a Ctrl-C passes it by.
    """

    def __init__(self, model: str, port: int, options: Sequence[str] = ()) -> None:
        manage = Path(settings.BASE_DIR) / "manage.py"
        self._command = [sys.executable, str(manage), "run_engine", "--model", model]
        self._command += ["--port", str(port), "--exit-with-stdin", *options]
        self._ending = threading.Event()
        self._changing = threading.Lock()
        self._process = self._start()
        threading.Thread(target=self._watch, name="engine-watch", daemon=True).start()

    def stop(self) -> None:
        """Close its standard input, at which it ends by itself."""
        with self._changing:
            self._ending.set()
        _close_input(self._process)
        try:
            self._process.wait(timeout=END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command, stdin=subprocess.PIPE, start_new_session=True)  # noqa: S603  our own

    def _watch(self) -> None:
        pause = FIRST_PAUSE
        while True:
            began = time.monotonic()
            code = self._process.wait()
            if self._ending.is_set():
                return
            if code >= 0 and code != DIED:
                log.error("the engine ended with code %d; the assistants that it serves are away", code)
                return
            pause = FIRST_PAUSE if time.monotonic() - began > EARLY else min(pause * 2, LONGEST_PAUSE)
            how = "ended with a fault" if code == DIED else f"was killed by signal {-code}"
            log.error("the engine %s; it is started again in %g s", how, pause)
            self._ending.wait(pause)
            with self._changing:
                if self._ending.is_set():
                    return
                _close_input(self._process)
                self._process = self._start()


def _close_input(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
