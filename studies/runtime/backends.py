"""The backends of this process: one per assistant as its row says, made when first needed.

Known by what the row says and not by its number alone: two processes never ask differently configured models.
"""

import asyncio
import json

from studies.assistant.types import Backend
from studies.design import assistants
from studies.design.models import Assistant

_made: dict[str, Backend] = {}
_lock = asyncio.Lock()


async def of(assistant: Assistant) -> Backend:
    """The assistant's backend, made on first use; raises BackendError when its configuration cannot work."""
    key = json.dumps([assistant.pk, assistant.backend, assistant.options], sort_keys=True)
    async with _lock:
        if key not in _made:
            _made[key] = assistants.backend_of(assistant)
        return _made[key]


async def close() -> None:
    """Let go of every backend; at the server's stop."""
    while _made:
        _, backend = _made.popitem()
        await backend.aclose()
