"""The engine's process: bind a loopback port, serve until told to stop, leave nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator

import uvicorn

from studies.assistant.engine.server import make_app
from studies.assistant.types import Backend

HOST = "127.0.0.1"  # the engine has no keys, so it is never offered to a network
# Clients drop idle connections after about 5 seconds. Were this side to do so first, a request that crosses it is lost.
_KEEP_ALIVE_SECONDS = 75
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_LOOK_SECONDS = 1.0  # how often it is seen to that the backend is alive


class BackendDied(Exception):
    """The backend ended by itself; the text is what its health says. A new process may serve again."""


def bind(port: int) -> socket.socket:
    """A listening socket on loopback; port 0 takes a free one. OSError when the port is taken."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
    except OSError:
        listening.close()
        raise
    return listening


def serve(make_backend: Callable[[], Backend], listening: socket.socket, on_ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT. `on_ready` gets the address once requests are answered; the socket is closed.

    Raises BackendDied instead of answering every request with an error for ever.
    """
    with listening:
        asyncio.run(_serve(make_backend, listening, on_ready))


def stop_when_stdin_closes() -> None:
    """Send this process SIGTERM when its standard input ends: a parent that holds the other end takes us along."""

    def watch() -> None:
        # os.read and not sys.stdin: a thread that waits in sys.stdin's lock breaks the interpreter's exit.
        while os.read(0, 4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="stdin", daemon=True).start()


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling, which raises the signal again at the end and so skips what follows."""

    on_started: Callable[[], None]

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.on_started()


async def _serve(
    make_backend: Callable[[], Backend], listening: socket.socket, on_ready: Callable[[str], None]
) -> None:
    backend = make_backend()
    config = uvicorn.Config(
        make_app(backend),
        log_level="warning",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=2,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
    )
    server = _Server(config)
    server.on_started = lambda: on_ready(f"http://{HOST}:{listening.getsockname()[1]}")
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _STOP_SIGNALS:
        loop.add_signal_handler(number, stopped.set)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    stopping = asyncio.create_task(stopped.wait())
    dying = asyncio.create_task(_until_it_dies(backend))
    await asyncio.wait({serving, stopping, dying}, return_when=asyncio.FIRST_COMPLETED)
    why_dead = dying.result() if dying.done() and not stopped.is_set() else None
    dying.cancel()
    # The backend first: whoever waits for a reply is told that the engine closes, and the connections then end.
    await backend.aclose()
    server.should_exit = True
    await serving
    stopping.cancel()
    if why_dead is not None:
        raise BackendDied(why_dead)


async def _until_it_dies(backend: Backend) -> str:
    """Why it is not well, once it is not."""
    while True:
        health = await backend.health()
        if not health.is_ok:
            return health.sentence
        await asyncio.sleep(_LOOK_SECONDS)
