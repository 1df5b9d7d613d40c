"""Who asked the engine for what: tickets, the bounded queue they wait in, and the one thread that serves them."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from studies.assistant.types import (
    BackendError,
    ContinuationScore,
    Done,
    ErrorCode,
    FinishReason,
    Piece,
    Queued,
    Usage,
)

Scores = list[ContinuationScore]
Heard = Queued | Piece | Done | Scores | BackendError
Listener = Callable[[Heard], None]  # called on the engine's thread: be quick
MAX_PATIENT = 4096  # scorings that may wait, beside the replies


@dataclass(eq=False, kw_only=True)
class Ticket:
    """One request. Times are of the monotonic clock. `is_expecting`: it waits for a text that is being read.

    `is_patient`: no person waits for it. It lets everybody else go first, and does not hear how many are ahead.
    """

    listen: Listener
    prompt_tokens: int
    seconds: float | None
    submitted_at: float = field(default_factory=time.monotonic)
    started_at: float | None = None
    first_piece_at: float | None = None
    position: int = 0
    is_cancelled: bool = False
    is_expecting: bool = False
    is_patient: bool = False

    def is_overdue(self) -> bool:
        return self.seconds is not None and time.monotonic() >= self.submitted_at + self.seconds

    def tell(self, event: Heard) -> None:
        if self.is_cancelled:
            return
        if isinstance(event, Piece) and self.first_piece_at is None:
            self.first_piece_at = time.monotonic()
        self.listen(event)

    def queue_seconds(self) -> float:
        return (time.monotonic() if self.started_at is None else self.started_at) - self.submitted_at

    def first_token_seconds(self) -> float | None:
        return None if self.first_piece_at is None else self.first_piece_at - self.submitted_at


class Line(ABC):
    """The queue in front of the engine's thread. Its public methods may be called from any thread."""

    def __init__(self, name: str, revision: str, *, seats: int, max_waiting: int) -> None:
        self._name, self._revision = name, revision
        self._seats, self._max_waiting = seats, max_waiting
        self._waiting: deque[Ticket] = deque()
        self._taken = 0
        self._is_closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    @abstractmethod
    def _serve(self) -> None:
        """Serve until the engine closes; on the engine's thread."""

    @abstractmethod
    def _left(self) -> list[Ticket]:
        """Those who are being served when the thread ends."""

    def cancel(self, tickets: Sequence[Ticket]) -> None:
        """Take effect within one step; harmless when they have ended."""
        with self._changed:
            for ticket in tickets:
                ticket.is_cancelled = True
                if ticket in self._waiting:
                    self._waiting.remove(ticket)
            self._tell_positions()
            self._changed.notify_all()

    def counts(self) -> tuple[int, int]:
        """How many requests are running and how many wait."""
        with self._changed:
            return self._taken, len(self._waiting)

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def close(self) -> None:
        """End within one step; whoever is running or waiting hears that the engine closes."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        self._thread.join()

    def _submit(self, tickets: Sequence[Ticket]) -> None:
        with self._changed:
            if self._is_closing or not self._thread.is_alive():
                raise closing()
            is_patient = tickets[0].is_patient
            limit = MAX_PATIENT if is_patient else self._max_waiting
            waiting = sum(ticket.is_patient == is_patient for ticket in self._waiting)
            # Those for whom a seat is free are about to be served; they count as running already.
            if waiting + len(tickets) > limit + self._seats - self._taken:
                raise BackendError(
                    ErrorCode.RATE_LIMITED,
                    f"{min(waiting, limit)} requests wait already, at most {limit} may; ask again soon",
                )
            self._waiting.extend(tickets)
            if not is_patient:
                self._waiting = deque(sorted(self._waiting, key=lambda ticket: ticket.is_patient))
            self._tell_positions()
            self._changed.notify_all()

    def _run(self) -> None:
        try:
            self._serve()
        finally:
            with self._changed:
                self._is_closing = True
                left = [*self._left(), *self._waiting]
                self._waiting.clear()
                self._taken = 0
            for ticket in left:
                ticket.tell(closing())

    def _expire_waiting(self) -> None:
        """Tell those whose time is over while they wait; the lock is held."""
        overdue = [ticket for ticket in self._waiting if ticket.is_overdue()]
        for ticket in overdue:
            self._waiting.remove(ticket)
            self._tell_deadline(ticket)
        if overdue:
            self._tell_positions()

    @abstractmethod
    def _tell_deadline(self, ticket: Ticket) -> None:
        """Its time was over before its turn came."""

    def _tell_positions(self) -> None:
        """Whoever waits for a seat and is not patient hears how many are ahead, when that has changed; locked."""
        free = self._seats - self._taken
        waiting = [ticket for ticket in self._waiting if not ticket.is_expecting and not ticket.is_patient]
        for position, ticket in enumerate(waiting[free:], start=1):
            if position != ticket.position:
                ticket.position = position
                ticket.tell(Queued(position))

    def _done(self, ticket: Ticket, reason: FinishReason, tokens: int) -> Done:
        return Done(
            reason,
            Usage(ticket.prompt_tokens, tokens),
            self._name,
            self._revision,
            queue_seconds=ticket.queue_seconds(),
            first_token_seconds=ticket.first_token_seconds(),
        )


def closing() -> BackendError:
    return BackendError(ErrorCode.UNREACHABLE, "the engine is closing")
