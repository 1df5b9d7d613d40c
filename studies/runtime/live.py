"""Tell whoever is connected what has been committed. The row is the truth: a lost frame is repaired by a resync."""

import asyncio
import logging
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction

from studies.jobs.executor import server_loop
from studies.jobs.outage import is_outage

log = logging.getLogger(__name__)
Frame = dict[str, Any]


class Home:
    """The event loop of the server in this process, for threads that do not come from a socket (the worker's)."""

    loop: asyncio.AbstractEventLoop | None = None


def session_group(session_id: int) -> str:
    return f"session.{session_id}"


async def send(group: str, frame: Frame) -> None:
    """Send a frame to everybody in the group, from the server's loop."""
    layer = get_channel_layer()
    if layer is not None:
        await layer.group_send(group, {"type": "live.frame", "frame": frame})


def publish(group: str, frame: Frame) -> None:
    """Send a frame after the running transaction has committed, from any thread."""
    transaction.on_commit(lambda: _send_from_thread(group, frame))


def _send_from_thread(group: str, frame: Frame) -> None:
    loop = server_loop.get() or Home.loop
    try:
        if loop is not None and loop.is_running():
            asyncio.run_coroutine_threadsafe(send_if_possible(group, frame), loop)
        else:
            async_to_sync(send_if_possible)(group, frame)
    except Exception:
        log.exception("frame to %s not sent; the next resync repairs it", group)


async def send_if_possible(group: str, frame: Frame) -> None:
    """Send; a frame that cannot be sent (Redis is away, say) is logged, and no reason to fail."""
    try:
        await send(group, frame)
    except Exception as error:
        if is_outage(error):
            log.warning("frame to %s not sent (%s); the next resync repairs it", group, type(error).__name__)
        else:
            log.exception("frame to %s not sent; the next resync repairs it", group)
