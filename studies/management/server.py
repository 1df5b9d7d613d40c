"""The embedded server: one Daphne, one Celery worker thread and one sweep."""

import asyncio
import logging
import resource
from collections.abc import Callable

from django.conf import settings
from django.db import connection
from django.utils import timezone

from studies import tasks
from studies.jobs import executor
from studies.jobs.executor import on_database
from studies.jobs.worker import start_worker
from studies.runtime import backends, live, replies, warm

log = logging.getLogger(__name__)
SWEEP_SECONDS = 1.0


async def sweep_forever() -> None:
    """Repair once a second; one round that fails is logged and the next one tries again."""
    while True:
        try:
            await on_database(tasks.sweep_rows, now=timezone.now())
        except Exception:
            log.exception("sweep failed; the next one tries again")
        await asyncio.sleep(SWEEP_SECONDS)


async def _stop_replies(sweeping: asyncio.Task[None]) -> None:
    sweeping.cancel()
    await replies.drain()
    await warm.drain()
    await backends.close()


def run(*, host: str, port: int, ready: Callable[[], None] = lambda: None, with_worker: bool = True) -> None:
    """Serve until SIGINT or SIGTERM; then end replies, worker and database cleanly.

    `ready` is called when it listens, inside the event loop: it must not touch rows.
    """
    from daphne.endpoints import build_endpoint_description_strings
    from daphne.server import Server, twisted_loop
    from django.utils.module_loading import import_string
    from twisted.internet import defer, reactor

    worker = start_worker() if with_worker and settings.CELERY_BROKER_URL.startswith("memory://") else None
    asyncio.set_event_loop(twisted_loop)
    live.Home.loop = twisted_loop
    sweeping = twisted_loop.create_task(sweep_forever())
    reactor.addSystemEventTrigger(
        "before",
        "shutdown",  # type: ignore[arg-type]  # twisted's interface is annotated for another order
        lambda: defer.Deferred.fromFuture(asyncio.ensure_future(_stop_replies(sweeping), loop=twisted_loop)),
    )
    server = Server(
        application=import_string(settings.ASGI_APPLICATION),
        endpoints=build_endpoint_description_strings(host=host, port=port),
        websocket_max_message_size=settings.MAX_FRAME_BYTES,
        websocket_max_frame_size=settings.MAX_FRAME_BYTES,
        server_name="oversight",
        verbosity=0,
    )
    reactor.callWhenRunning(ready)  # not before: a Ctrl-C would meet no handler yet
    try:
        server.run()
    finally:
        live.Home.loop = None
        if worker is not None:
            worker.stop()
        _checkpoint()
        executor.close()


def _checkpoint() -> None:
    """Leave SQLite as one file."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def open_files() -> int:
    """How many sockets this process may hold at most (ulimit -n)."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
