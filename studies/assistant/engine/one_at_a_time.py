"""The engine for models that the batcher cannot serve exactly: one request after the other, in order."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import torch

from studies.assistant.engine import reply
from studies.assistant.engine.encode import ScoreTokens
from studies.assistant.engine.line import Line, Listener, Scores, Ticket, closing
from studies.assistant.engine.loader import LoadedModel
from studies.assistant.engine.reply import Ending
from studies.assistant.engine.score import score
from studies.assistant.types import BackendError, ErrorCode, FinishReason, Piece, Request

logger = logging.getLogger(__name__)


@dataclass(eq=False, kw_only=True)
class StepsTicket(Ticket):
    """A request as a series of steps; None until its turn comes, where the steps need the ticket itself."""

    steps: Generator[Piece | None, None, Ending | Scores] | None = None


class OneAtATime(Line):
    """Runs requests on a loaded model."""

    def __init__(self, loaded: LoadedModel, *, max_waiting: int = 64) -> None:
        self._loaded = loaded
        self.context_length = loaded.context_length
        self._running: StepsTicket | None = None
        super().__init__(loaded.name, loaded.revision, seats=1, max_waiting=max_waiting)

    def generate(self, prompt: list[int], request: Request, listen: Listener) -> tuple[Ticket, ...]:
        """Queue a reply. The listener hears Queued*, Piece*, then one Done or BackendError; nothing after a cancel."""
        ticket = StepsTicket(listen=listen, prompt_tokens=len(prompt), seconds=request.deadline_seconds)
        ticket.steps = reply.steps(self._loaded, prompt, request, ticket.is_overdue)
        self._submit([ticket])
        return (ticket,)

    def score(self, tokens: ScoreTokens, continuations: Sequence[str], listen: Listener) -> tuple[Ticket, ...]:
        """Queue a scoring, behind all replies. The listener hears the scores or an error; nothing after a cancel."""
        ticket = StepsTicket(listen=listen, prompt_tokens=len(tokens.context), seconds=None, is_patient=True)
        ticket.steps = score(self._loaded, tokens, continuations)
        self._submit([ticket])
        return (ticket,)

    def warm(self, prompt: list[int], listen: Listener) -> tuple[Ticket, ...]:
        """Nothing is kept between requests, so nothing is read ahead."""
        return ()

    def metrics(self) -> dict[str, float]:
        """Numbers of this engine that count up or stand as they are; none beyond the queue's."""
        return {}

    def _serve(self) -> None:
        while (ticket := self._next()) is not None:
            self._work(ticket)

    def _left(self) -> list[Ticket]:
        return [self._running] if self._running else []

    def _next(self) -> StepsTicket | None:
        """Wait for the next ticket and make it the running one; None when the engine closes."""
        with self._changed:
            self._running, self._taken = None, 0
            while not self._waiting and not self._is_closing:
                self._changed.wait()
            if self._is_closing:
                return None
            ticket = self._waiting.popleft()
            assert isinstance(ticket, StepsTicket)
            self._running, self._taken = ticket, 1
            ticket.started_at = time.monotonic()
            self._tell_positions()
            return ticket

    def _work(self, ticket: StepsTicket) -> None:
        """All steps of one ticket. What goes wrong in it is told to its listener and harms no other."""
        assert ticket.steps is not None
        try:
            while True:
                try:
                    piece = next(ticket.steps)
                except StopIteration as stop:
                    end: Ending | Scores = stop.value
                    ticket.tell(self._done(ticket, end.reason, end.tokens) if isinstance(end, Ending) else end)
                    return
                if piece is not None:
                    ticket.tell(piece)
                with self._changed:
                    self._expire_waiting()
                if self._is_closing:
                    raise closing()
                if ticket.is_cancelled:
                    return
        except Exception as error:
            ticket.tell(failure(ticket, error, self._loaded.device))
        finally:
            ticket.steps.close()

    def _tell_deadline(self, ticket: Ticket) -> None:
        ticket.tell(self._done(ticket, FinishReason.DEADLINE, 0))


def failure(ticket: Ticket, error: Exception, device: torch.device) -> BackendError:
    """What its listener is told when a request failed; unexpected errors are logged, for they may quote the person."""
    if isinstance(error, BackendError):
        return error
    if isinstance(error, torch.OutOfMemoryError):
        torch.cuda.empty_cache()
        return BackendError(
            ErrorCode.CAPACITY, f"a conversation of {ticket.prompt_tokens} tokens does not fit the memory of {device}"
        )
    logger.error("a request of %d prompt tokens failed", ticket.prompt_tokens, exc_info=error)
    return BackendError(ErrorCode.INTERNAL, f"the model failed: {type(error).__name__}")
