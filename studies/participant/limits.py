"""How many frames one socket may send: a bucket that refills."""

import time
from collections.abc import Callable

FRAMES_AT_ONCE = 60
FRAMES_PER_SECOND = 20.0


class Bucket:
    """A person's hand never empties it; a script that floods the socket does."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._left, self._at = clock, float(FRAMES_AT_ONCE), clock()

    def take(self) -> bool:
        """Whether one more frame is allowed now."""
        now = self._clock()
        self._left = min(FRAMES_AT_ONCE, self._left + (now - self._at) * FRAMES_PER_SECOND)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
