"""The backends of this process: one per assistant, made when first needed."""

import asyncio

from studies.assistant.types import Backend
from studies.design import assistants
from studies.design.models import Assistant

_made: dict[int, Backend] = {}
_lock = asyncio.Lock()


async def of(assistant: Assistant) -> Backend:
    """The assistant's backend, made on first use; raises BackendError when its configuration cannot work."""
    async with _lock:
        if assistant.pk not in _made:
            _made[assistant.pk] = assistants.backend_of(assistant)
        return _made[assistant.pk]


async def close() -> None:
    """Let go of every backend; at the server's stop."""
    while _made:
        _, backend = _made.popitem()
        await backend.aclose()
