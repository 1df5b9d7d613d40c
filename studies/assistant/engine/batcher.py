"""Whose turn it is: one thread owns the model and works through a bounded queue, first come, first served.

This first form runs one request at a time. The rest of the engine relies on nothing but `Batcher`'s public face:
requests are submitted with a listener, which hears from the engine's thread, and can be cancelled at any time.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field

import torch

from studies.assistant.engine import reply
from studies.assistant.engine.encode import ScoreTokens
from studies.assistant.engine.loader import LoadedModel
from studies.assistant.engine.reply import Ending
from studies.assistant.engine.score import score
from studies.assistant.types import (
    BackendError,
    ContinuationScore,
    Done,
    ErrorCode,
    FinishReason,
    Piece,
    Queued,
    Request,
    Usage,
)

logger = logging.getLogger(__name__)

Scores = list[ContinuationScore]
Listener = Callable[[Queued | Piece | Done | Scores | BackendError], None]  # called on the engine's thread: be quick


@dataclass(eq=False, slots=True)
class Ticket:
    """One submitted request. Times are of the monotonic clock."""

    listen: Listener
    steps: Generator[Piece | None, None, Ending | Scores]
    prompt_tokens: int
    is_overdue: Callable[[], bool]
    submitted_at: float = field(default_factory=time.monotonic)
    started_at: float | None = None
    first_piece_at: float | None = None
    position: int = 0
    is_cancelled: bool = False


class Batcher:
    """Runs requests on a loaded model. Its methods may be called from any thread."""

    def __init__(self, loaded: LoadedModel, *, max_waiting: int = 64) -> None:
        self._loaded = loaded
        self._max_waiting = max_waiting
        self._waiting: deque[Ticket] = deque()
        self._running: Ticket | None = None
        self._is_closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    def generate(self, prompt: list[int], request: Request, listen: Listener) -> Ticket:
        """Queue a reply. The listener hears Queued*, Piece*, then one Done or BackendError; nothing after a cancel."""
        is_overdue = _deadline(request.deadline_seconds)
        steps = reply.steps(self._loaded, prompt, request, is_overdue)
        return self._submit(Ticket(listen, steps, len(prompt), is_overdue))

    def score(self, tokens: ScoreTokens, continuations: Sequence[str], listen: Listener) -> Ticket:
        """Queue a scoring. The listener hears Queued*, then the scores or a BackendError; nothing after a cancel."""
        steps = score(self._loaded, tokens, continuations)
        return self._submit(Ticket(listen, steps, len(tokens.context), _deadline(None)))

    def cancel(self, ticket: Ticket) -> None:
        """Take effect within one step; harmless when the ticket has ended."""
        with self._changed:
            ticket.is_cancelled = True
            if ticket in self._waiting:
                self._waiting.remove(ticket)
                self._tell_positions()

    def counts(self) -> tuple[int, int]:
        """How many requests are running and how many wait."""
        with self._changed:
            return int(self._running is not None), len(self._waiting)

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def close(self) -> None:
        """End within one step; whoever is running or waiting hears that the engine closes."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        self._thread.join()

    def _submit(self, ticket: Ticket) -> Ticket:
        with self._changed:
            if self._is_closing or not self._thread.is_alive():
                raise _closing()
            # The first of those who wait may be about to run; it counts as running already.
            if len(self._waiting) + int(self._running is not None) > self._max_waiting:
                raise BackendError(
                    ErrorCode.RATE_LIMITED, f"{self._max_waiting} requests wait already, as many as may; ask again soon"
                )
            self._waiting.append(ticket)
            self._tell_positions()
            self._changed.notify_all()
        return ticket

    def _run(self) -> None:
        try:
            while (ticket := self._next()) is not None:
                self._work(ticket)
        finally:
            with self._changed:
                self._is_closing = True
                left = [*([self._running] if self._running else []), *self._waiting]
                self._waiting.clear()
                self._running = None
            for ticket in left:
                _tell(ticket, _closing())

    def _next(self) -> Ticket | None:
        """Wait for the next ticket and make it the running one; None when the engine closes."""
        with self._changed:
            self._running = None
            while not self._waiting and not self._is_closing:
                self._changed.wait()
            if self._is_closing:
                return None
            self._running = self._waiting.popleft()
            self._running.started_at = time.monotonic()
            self._tell_positions()
            return self._running

    def _work(self, ticket: Ticket) -> None:
        """All steps of one ticket. What goes wrong in it is told to its listener and harms no other."""
        try:
            while True:
                try:
                    piece = next(ticket.steps)
                except StopIteration as stop:
                    _tell_end(ticket, stop.value, self._loaded)
                    return
                if piece is not None:
                    ticket.first_piece_at = ticket.first_piece_at or time.monotonic()
                    _tell(ticket, piece)
                self._expire_waiting()
                if self._is_closing:
                    raise _closing()
                if ticket.is_cancelled:
                    return
        except BackendError as error:
            _tell(ticket, error)
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
            sentence = (
                f"a conversation of {ticket.prompt_tokens} tokens does not fit the memory of {self._loaded.device}"
            )
            _tell(ticket, BackendError(ErrorCode.CAPACITY, sentence))
        except Exception as error:
            logger.exception("a request of %d prompt tokens failed", ticket.prompt_tokens)
            _tell(ticket, BackendError(ErrorCode.INTERNAL, f"the model failed: {type(error).__name__}"))
        finally:
            ticket.steps.close()

    def _expire_waiting(self) -> None:
        """Tell those whose time is over while they wait."""
        with self._changed:
            overdue = [ticket for ticket in self._waiting if ticket.is_overdue()]
            for ticket in overdue:
                self._waiting.remove(ticket)
                _tell_end(ticket, Ending(FinishReason.DEADLINE, 0), self._loaded)
            if overdue:
                self._tell_positions()

    def _tell_positions(self) -> None:
        """Whoever waits hears how many are ahead, when that has changed."""
        for position, ticket in enumerate(self._waiting, start=int(self._running is not None)):
            if position and position != ticket.position:
                ticket.position = position
                _tell(ticket, Queued(position))


def _tell(ticket: Ticket, event: Queued | Piece | Done | Scores | BackendError) -> None:
    if not ticket.is_cancelled:
        ticket.listen(event)


def _tell_end(ticket: Ticket, end: Ending | Scores, loaded: LoadedModel) -> None:
    if not isinstance(end, Ending):
        _tell(ticket, end)
        return
    started_at, first_at = ticket.started_at, ticket.first_piece_at
    _tell(
        ticket,
        Done(
            end.reason,
            Usage(ticket.prompt_tokens, end.tokens),
            loaded.name,
            loaded.revision,
            queue_seconds=(time.monotonic() if started_at is None else started_at) - ticket.submitted_at,
            first_token_seconds=None if first_at is None else first_at - ticket.submitted_at,
        ),
    )


def _deadline(seconds: float | None) -> Callable[[], bool]:
    """Whether that many seconds from now are over."""
    deadline_at = float("inf") if seconds is None else time.monotonic() + seconds
    return lambda: time.monotonic() >= deadline_at


def _closing() -> BackendError:
    return BackendError(ErrorCode.UNREACHABLE, "the engine is closing")
