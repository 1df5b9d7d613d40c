"""The threads that touch the database, so that no page or socket waits for another's lock or query.

SQLite has one writer: all work on one thread with a kept-open connection (20 writers on 20 threads meet in SQLite's
sleep-and-retry instead). PostgreSQL takes several. Long reads (exports, charts) have a pool of their own.
"""

import asyncio
import contextvars
import functools
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from django.conf import settings
from django.db import close_old_connections, connection
from django.http import HttpRequest, HttpResponseBase

P = ParamSpec("P")
R = TypeVar("R")

server_loop: contextvars.ContextVar[asyncio.AbstractEventLoop | None] = contextvars.ContextVar(
    "server_loop", default=None
)


@functools.cache
def _writers() -> ThreadPoolExecutor:
    threads = 1 if connection.vendor == "sqlite" else settings.DATABASE_THREADS
    return ThreadPoolExecutor(threads, thread_name_prefix="database")


@functools.cache
def _readers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(2, thread_name_prefix="long-reads")


def _call(function: Callable[[], R], keep_connection: bool) -> R:
    try:
        return function()
    finally:
        if keep_connection:
            if connection.needs_rollback or not connection.is_usable():
                connection.close()
        else:
            close_old_connections()


async def _run(pool: ThreadPoolExecutor, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    loop = asyncio.get_running_loop()
    context = contextvars.copy_context()
    context.run(server_loop.set, loop)
    keep = connection.vendor == "sqlite"
    call = functools.partial(function, *args, **kwargs)
    return await loop.run_in_executor(pool, context.run, _call, call, keep)


async def on_database(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a function that uses the ORM on the database thread(s); no other way leads there from async code."""
    return await _run(_writers(), function, *args, **kwargs)


async def on_reading_database(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """The same for long reads, which must not hold up the writers."""
    return await _run(_readers(), function, *args, **kwargs)


def database_view(
    view: Callable[..., HttpResponseBase],
) -> Callable[..., Coroutine[Any, Any, HttpResponseBase]]:
    """Make a plain view run as a whole on the database thread: session, rows and template alike."""

    @functools.wraps(view)
    async def asynchronous(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        return await on_database(view, request, *args, **kwargs)

    return asynchronous


def close() -> None:
    """Wait for what runs and give the threads back; used at the server's stop and between tests."""
    for pool in (_writers, _readers):
        if pool.cache_info().currsize:
            pool().submit(lambda: connection.close()).result()  # looked up on that thread, not on this one
            pool().shutdown(wait=True)
            pool.cache_clear()
