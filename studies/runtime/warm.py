"""Let the assistant read the next story while the person reads the instructions or the feedback."""

import asyncio
import logging
import time

from studies.assistant.types import BackendError
from studies.jobs.executor import on_database
from studies.runtime import backends, conversation

log = logging.getLogger(__name__)
AGAIN_SECONDS = 300.0  # a story that was asked for so recently is in the cache still

_asked: dict[tuple[int, int], float] = {}  # (assistant, passage) → when, of the monotonic clock
_tasks: set[asyncio.Task[None]] = set()


def start(session_id: int) -> None:
    """Begin and return at once. Nothing depends on it: what goes wrong costs only the time that it would have saved."""
    task = asyncio.create_task(_warm(session_id), name=f"warm {session_id}")
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


async def drain() -> None:
    """Stop what is under way; at the server's stop."""
    for task in list(_tasks):
        task.cancel()
    await asyncio.gather(*list(_tasks), return_exceptions=True)


async def _warm(session_id: int) -> None:
    try:
        opening = await on_database(conversation.opening, session_id)
        if opening is None or not _is_due(opening.assistant.pk, opening.passage_id):
            return
        backend = await backends.of(opening.assistant)
        await backend.warm(opening.turns)
    except BackendError as error:
        log.info("story not read ahead for session %s: %s", session_id, error)
    except Exception:
        log.exception("story not read ahead for session %s", session_id)


def _is_due(assistant_id: int, passage_id: int) -> bool:
    now = time.monotonic()
    for key in [key for key, at in _asked.items() if at < now - AGAIN_SECONDS]:
        del _asked[key]
    if (assistant_id, passage_id) in _asked:
        return False
    _asked[assistant_id, passage_id] = now
    return True
