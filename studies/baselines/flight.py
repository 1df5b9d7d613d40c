"""Many questions in flight at once, each tried again for a while when its failure may pass."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from studies.assistant.types import BackendError, ErrorCode
from studies.baselines.items import Item
from studies.baselines.protocols import Given

AT_ONCE = {"engine": 32, "openai": 8}  # our engine batches them; others count requests
WAITS = (1.0, 2.0, 4.0, 8.0, 16.0)  # seconds before each further try


class Flight:
    """Asks `items` in their order. Use it within one event loop, and `close` it. `retries`: further tries so far."""

    def __init__(self, answer: Callable[[Item], Awaitable[Given]], items: Sequence[Item], at_once: int) -> None:
        self._answer, self._at_once = answer, at_once
        self._left = list(reversed(items))
        self.retries = 0
        self._flying: dict[asyncio.Task[Given], Item] = {}

    @property
    def is_over(self) -> bool:
        return not self._left and not self._flying

    async def landed(self, seconds: float) -> tuple[list[tuple[Item, Given]], Exception | None]:
        """What was answered within that time, maybe nothing, and the first error that no further try can mend.

        The caller keeps the answers, and raises the error then.
        """
        while self._left and len(self._flying) < self._at_once:
            item = self._left.pop()
            self._flying[asyncio.create_task(self._ask(item))] = item
        done, _ = await asyncio.wait(self._flying, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        answered: list[tuple[Item, Given]] = []
        failed: Exception | None = None
        for task in done:
            item = self._flying.pop(task)
            try:
                answered.append((item, task.result()))
            except Exception as error:  # whatever one question does, what the others have is kept
                failed = failed or error
        return answered, failed

    async def close(self) -> None:
        """Cancel what is in flight, on the model too."""
        for task in self._flying:
            task.cancel()
        await asyncio.gather(*self._flying, return_exceptions=True)

    async def _ask(self, item: Item) -> Given:
        """A question that does not fit the model has no answer, and says so; other errors are the run's."""
        for wait in (*WAITS, None):
            try:
                return await self._answer(item)
            except BackendError as error:
                if error.code is ErrorCode.CAPACITY:
                    return Given(None, None, {"error": error.code.value, "sentence": error.sentence})
                if wait is None or not error.is_retryable:
                    raise
                self.retries += 1
                await asyncio.sleep(wait)
        raise AssertionError("the last try returns or raises")
