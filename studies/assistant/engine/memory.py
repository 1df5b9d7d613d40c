"""Free memory goes back to the system now and then: else holes between pieces of odd sizes add up in a long life."""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Callable

EVERY_SECONDS = 20.0


class Trim:
    """glibc's `malloc_trim`, at most once in `every_seconds`. Other C libraries have none; there it does nothing."""

    def __init__(self, every_seconds: float = EVERY_SECONDS) -> None:
        self._every, self._due = every_seconds, time.monotonic() + every_seconds
        self._trim = _malloc_trim()

    def now_and_then(self) -> bool:
        """Whether it was time: call it between steps; it takes milliseconds."""
        if self._trim is None or time.monotonic() < self._due:
            return False
        self._trim(0)
        self._due = time.monotonic() + self._every
        return True


def _malloc_trim() -> Callable[[int], int] | None:
    return getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
