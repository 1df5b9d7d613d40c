"""How long one request may wait for what: limits that are failures, and a deadline that is none."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

from studies.assistant.types import BackendError, ErrorCode, Event, Piece

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Limits in seconds. News of a place in the queue counts as a sign of life."""

    connect: float = 5.0
    first_token: float = 60.0
    between_tokens: float = 30.0
    total: float = 600.0

    def __post_init__(self) -> None:
        for name in ("connect", "first_token", "between_tokens", "total"):
            if getattr(self, name) <= 0:
                raise ValueError(f"timeouts.{name}={getattr(self, name)}: use more than 0 seconds")


class DeadlineOver(Exception):
    """The request's own deadline, which is no failure."""


class Clock:
    """The limits of one request, in the event loop's time."""

    def __init__(self, deadline_seconds: float | None, limits: Timeouts, slack: float = 0.0) -> None:
        self._now = asyncio.get_running_loop().time
        self._started_at = self._now()
        self._deadline_at = float("inf") if deadline_seconds is None else self._started_at + deadline_seconds + slack
        self._total_at = self._started_at + limits.total
        self.first_seconds: float | None = None

    def note(self, event: Event) -> None:
        if isinstance(event, Piece) and self.first_seconds is None:
            self.first_seconds = self._now() - self._started_at

    async def within(self, seconds: float, coming: Awaitable[T]) -> T:
        """Wait that long at most; DeadlineOver at the request's deadline, BackendError(TIMEOUT) at another limit."""
        limit_at = min(self._now() + seconds, self._total_at)
        try:
            async with asyncio.timeout_at(min(limit_at, self._deadline_at)):
                return await coming
        except TimeoutError as error:
            if self._deadline_at <= limit_at:
                raise DeadlineOver from error
            waited = self._now() - self._started_at
            sentence = f"the endpoint was silent for too long; given up {waited:.0f} seconds after the question"
            raise BackendError(ErrorCode.TIMEOUT, sentence) from error
