"""A real HTTP server in a thread, for endpoints that behave as ours never would."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette

from studies.assistant.engine.serve import bind


@contextmanager
def serving(app: Starlette, port: int = 0) -> Iterator[str]:
    """The address of the app while the block runs; port 0 takes a free one."""
    with bind(port) as listening:
        config = uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=asyncio.run, args=(server.serve(sockets=[listening]),))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
