"""A real engine process for tests."""

import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings


class EngineProcess:
    """`manage.py run_engine` on a free port with one thread; `url` answers when the constructor returns."""

    def __init__(self, model_folder: Path) -> None:
        manage = Path(settings.BASE_DIR) / "manage.py"
        command = [sys.executable, str(manage), "run_engine", "--model", str(model_folder), "--port", "0"]
        command += ["--device", "cpu", "--threads", "1", "--exit-with-stdin"]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=settings.BASE_DIR
        )
        ready = self.process.stdout.readline().split()
        assert ready[:2] == ["engine", "ready"]
        self.url: str = ready[2]

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self._gone()

    def stop(self) -> None:
        """It ends when its standard input closes."""
        self.process.stdin.close()
        self._gone()

    def _gone(self) -> None:
        self.process.wait(timeout=30)
        self.process.stdin.close()
        self.process.stdout.close()
