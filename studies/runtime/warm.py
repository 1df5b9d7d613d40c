"""Let the assistant read the next story while the person reads the instructions or the feedback."""

import asyncio
import hashlib
import logging
import time

from studies.assistant.types import BackendError
from studies.jobs.executor import on_database
from studies.runtime import backends, conversation

log = logging.getLogger(__name__)
AGAIN_SECONDS = 300.0  # a story that was asked for so recently is in the cache still

_asked: dict[str, float] = {}  # the digest of what was to be read, and by whom → when, of the monotonic clock
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
        if opening is not None and _is_due(key := _key(opening)):
            await _read(opening, key)
    except BackendError as error:
        log.info("story not read ahead for session %s: %s", session_id, error)
    except Exception:
        log.exception("story not read ahead for session %s", session_id)


async def _read(opening: conversation.Opening, key: str) -> None:
    try:
        backend = await backends.of(opening.assistant)
        await backend.warm(opening.turns)
    except BaseException:
        _asked.pop(key, None)  # it was not read: whoever comes next asks for it again
        raise


def _key(opening: conversation.Opening) -> str:
    """All that is read, the system prompt too: a prompted assistant's has the question and the stance in it."""
    return hashlib.sha256(repr((opening.assistant.pk, opening.turns)).encode()).hexdigest()


def _is_due(key: str) -> bool:
    now = time.monotonic()
    for old in [old for old, at in _asked.items() if at < now - AGAIN_SECONDS]:
        del _asked[old]
    if key in _asked:
        return False
    _asked[key] = now
    return True
