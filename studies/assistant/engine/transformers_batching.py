"""Many at once with transformers' own continuous batching, for models whose attention the batcher does not have.

Its thread runs the model; ours admits who fits, hears the tokens and ends replies. What would kill that thread or make
it wait is kept from it: a text that is too long, more texts than its cache holds, a second user of the model. When a
step fails all the same, all whom it served hear of it, since nothing says whose fault it was and what they had drawn is
lost with it; those who wait are served by a new thread.
"""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import count
from typing import Any

import numpy as np
import torch

from studies.assistant.engine import paged
from studies.assistant.engine.choose import Draws
from studies.assistant.engine.encode import ScoreTokens
from studies.assistant.engine.line import Line, Listener, Scores, Ticket
from studies.assistant.engine.loader import LoadedModel
from studies.assistant.engine.one_at_a_time import StepsTicket, failure
from studies.assistant.engine.score import score
from studies.assistant.engine.seats import ReplyTicket
from studies.assistant.engine.sizes import DEFAULT, Sizes
from studies.assistant.engine.text import TextStream
from studies.assistant.types import BackendError, ErrorCode, FinishReason, Piece, Request

logger = logging.getLogger(__name__)
POLL_SECONDS = 0.05  # how often deadlines are looked at while nothing is heard
FALLS = 2  # how often in a row, with no reply in between, its thread may end before ours ends too


@dataclass(slots=True)
class Counters:
    """What has happened since the start."""

    prompt_tokens: int = 0
    written_tokens: int = 0
    replies: int = 0
    scores: int = 0
    failures: int = 0


class TransformersBatching(Line):
    """Runs requests on a loaded model with one of transformers' attentions: sdpa, eager or flash."""

    def __init__(self, loaded: LoadedModel, sizes: Sizes = DEFAULT, attention: str = "sdpa") -> None:
        self._loaded, self._sizes, self.attention = loaded, sizes, attention
        self._own_attention = loaded.model.config._attn_implementation
        self.context_length = sizes.longest_text(loaded)
        self.choices = paged.Choices()
        self._numbers = count()
        self._seated: dict[str, ReplyTicket] = {}
        self._scoring: list[StepsTicket] = []
        self._falls = 0
        self.counters = Counters()
        try:
            self._manager = self._new_manager()
        except BaseException:
            loaded.model.set_attn_implementation(self._own_attention)
            raise
        self.room = paged.room(self._manager)
        super().__init__(loaded.name, loaded.revision, seats=sizes.seats, max_waiting=sizes.max_waiting)

    def generate(self, prompt: list[int], request: Request, listen: Listener) -> tuple[Ticket, ...]:
        """Queue a reply. The listener hears Queued*, Piece*, then one Done or BackendError; nothing after a cancel."""
        ticket = ReplyTicket(
            listen=listen,
            prompt_tokens=len(prompt),
            seconds=request.deadline_seconds,
            ids=np.array(prompt, dtype=np.int32),
            request=request,
            text=TextStream(self._loaded.tokenizer, request.stop),
            draws=Draws(request.temperature, request.top_p, request.seed),
        )
        if _pages(ticket) > self.room:
            raise self._too_long(ticket)
        self._submit([ticket])
        return (ticket,)

    def score(self, tokens: ScoreTokens, continuations: Sequence[str], listen: Listener) -> tuple[Ticket, ...]:
        """Queue a scoring behind all replies. The listener hears the scores or a BackendError."""
        ticket = StepsTicket(listen=listen, prompt_tokens=len(tokens.context), seconds=None, is_patient=True)
        ticket.steps = score(self._loaded, tokens, continuations)
        self._submit([ticket])
        return (ticket,)

    def warm(self, prompt: list[int], listen: Listener) -> tuple[Ticket, ...]:
        """A layer with a window keeps nothing that another conversation could use, so nothing is read ahead."""
        return ()

    def cancel(self, tickets: Sequence[Ticket]) -> None:
        super().cancel(tickets)
        self._wake()

    def metrics(self) -> dict[str, float]:
        """Counters."""
        return asdict(self.counters)

    def close(self) -> None:
        super().close()
        self._loaded.model.set_attn_implementation(self._own_attention)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """The model with its own attention, while nothing else runs on it. Not for use beside `score`."""
        model = self._loaded.model
        with self._manager.pause():
            batching = model.config._attn_implementation
            model.set_attn_implementation(self._own_attention)
            try:
                yield
            finally:
                model.set_attn_implementation(batching)

    def _new_manager(self) -> Any:
        self._loaded.model.set_attn_implementation(self.attention)
        return paged.new_manager(self._loaded, self._sizes, self.choices)

    def _submit(self, tickets: Sequence[Ticket]) -> None:
        super()._submit(tickets)
        self._wake()

    def _wake(self) -> None:
        self._manager.output_router.output_queue.put(None)

    def _serve(self) -> None:
        self._manager.start()  # here and not earlier: its thread is a daemon because this one is
        try:
            while not self._is_closing and self._falls < FALLS:
                self._leave()
                self._admit()
                self._score()
                self._hear()
        finally:
            self._manager.stop(hard_stop=True)

    def _left(self) -> list[Ticket]:
        return [*self._seated.values(), *self._scoring]

    def _leave(self) -> None:
        """Those who were cancelled or whose time is over give up their seats."""
        for number, ticket in list(self._seated.items()):
            if ticket.is_cancelled:
                self._release(number)
            elif ticket.is_overdue():
                self._finish(number, FinishReason.DEADLINE)
        for scoring in [each for each in self._scoring if each.is_cancelled]:
            self._end_scoring(scoring)

    def _admit(self) -> None:
        """In order: whoever waits for room lets nobody pass."""
        with self._changed:
            self._expire_waiting()
            while self._waiting and self._taken < self._seats:
                ticket = self._waiting[0]
                if isinstance(ticket, ReplyTicket) and _pages(ticket) > self.room - self._held():
                    break
                self._waiting.popleft()
                self._taken += 1
                ticket.started_at = time.monotonic()
                if isinstance(ticket, ReplyTicket):
                    self._begin(ticket)
                else:
                    assert isinstance(ticket, StepsTicket)
                    self._scoring.append(ticket)
            self._tell_positions()

    def _held(self) -> int:
        return sum(_pages(ticket) for ticket in self._seated.values())

    def _begin(self, ticket: ReplyTicket) -> None:
        number = str(next(self._numbers))
        self._seated[number] = ticket
        self.counters.prompt_tokens += ticket.prompt_tokens
        self._manager.add_request(
            ticket.ids.tolist(),
            request_id=number,
            max_new_tokens=ticket.request.max_tokens,
            streaming=True,
            eos_token_id=sorted(self._loaded.end_ids),
            draws=ticket.draws,
        )

    def _score(self) -> None:
        """One step of the oldest scoring, between two steps of the replies."""
        if not self._scoring:
            return
        ticket = self._scoring[0]
        try:
            found = self._score_step(ticket)
            if found is None:
                return
            ticket.tell(found)
            self.counters.scores += 1
        except Exception as error:
            self._fail(ticket, error)
        self._end_scoring(ticket)

    def _score_step(self, ticket: StepsTicket) -> Scores | None:
        assert ticket.steps is not None
        with self.alone():
            try:
                next(ticket.steps)
            except StopIteration as stop:
                found: Scores = stop.value
                return found
        return None

    def _end_scoring(self, ticket: StepsTicket) -> None:
        assert ticket.steps is not None
        ticket.steps.close()
        self._scoring.remove(ticket)
        self._give_back_a_seat()

    def _hear(self) -> None:
        """Wait a moment for a token, and take all that have come."""
        output = self._manager.get_result(timeout=0 if self._scoring else POLL_SECONDS)
        while output is not None and output.error is None:
            if output.request_id in self._seated:  # it may have left since
                self._take(output.request_id, output.generated_tokens)
            output = self._manager.get_result(timeout=0)
        if output is not None or not self._manager.is_running():
            self._get_up()

    def _take(self, number: str, tokens: list[int]) -> None:
        """All tokens of a reply so far; those that are new become text."""
        ticket = self._seated[number]
        for token in tokens[len(ticket.written) :]:
            if token in self._loaded.end_ids:
                return self._finish(number, FinishReason.STOP)
            ticket.written.append(token)
            self.counters.written_tokens += 1
            if piece := ticket.text.push(token):
                ticket.tell(Piece(piece))
            if ticket.text.is_stopped:
                return self._finish(number, FinishReason.STOP)
            if len(ticket.written) == ticket.request.max_tokens:
                return self._finish(number, FinishReason.LENGTH)
        return None

    def _finish(self, number: str, reason: FinishReason) -> None:
        ticket = self._seated[number]
        if rest := ticket.text.finish():
            ticket.tell(Piece(rest))
        ticket.tell(self._done(ticket, reason, len(ticket.written)))
        self.counters.replies += 1
        self._falls = 0
        self._release(number)

    def _release(self, number: str) -> None:
        del self._seated[number]
        self._manager.cancel_request(number)  # harmless when it has ended
        self._give_back_a_seat()

    def _give_back_a_seat(self) -> None:
        with self._changed:
            self._taken -= 1

    def _get_up(self) -> None:
        """transformers' thread has ended, with an error: those whom it served hear of it, and a new one is started."""
        self._falls += 1
        self._manager.stop(hard_stop=True)
        error = self._why_it_fell()
        for number, ticket in list(self._seated.items()):
            self._fail(ticket, error)
            self._release(number)
        if self._falls < FALLS:
            gc.collect()
            if self._loaded.device.type == "cuda":
                torch.cuda.empty_cache()
            self._manager = self._new_manager()
            self.room = paged.room(self._manager)
            self._refuse_what_no_longer_fits()
            self._manager.start()

    def _why_it_fell(self) -> Exception:
        """What those hear whom it served; nothing holds the error itself, whose traceback holds the old cache."""
        status = self._manager.background_thread_status
        fell, status.fatal_error = status.fatal_error, None
        if isinstance(fell, torch.OutOfMemoryError):
            return torch.OutOfMemoryError(str(fell))
        # It has been logged already, by transformers.
        return BackendError(ErrorCode.INTERNAL, f"the model failed: {type(fell).__name__}")

    def _refuse_what_no_longer_fits(self) -> None:
        """The cache may have become smaller, and whoever waits for room lets nobody pass."""
        with self._changed:
            waiting = [ticket for ticket in self._waiting if isinstance(ticket, ReplyTicket)]
            for ticket in [ticket for ticket in waiting if _pages(ticket) > self.room]:
                self._waiting.remove(ticket)
                self._fail(ticket, self._too_long(ticket))
            self._tell_positions()

    def _too_long(self, ticket: ReplyTicket) -> BackendError:
        return BackendError(
            ErrorCode.CAPACITY,
            f"{len(ticket.ids)} tokens and a reply of {ticket.new_tokens} do not fit the engine's memory, "
            f"which holds {self.room}",
        )

    def _fail(self, ticket: Ticket, error: Exception) -> None:
        ticket.tell(failure(ticket, error, self._loaded.device))
        self.counters.failures += 1

    def _tell_deadline(self, ticket: Ticket) -> None:
        ticket.tell(self._done(ticket, FinishReason.DEADLINE, 0))


def _pages(ticket: ReplyTicket) -> int:
    """The tokens of the pages that it may come to fill."""
    return -(-(len(ticket.ids) + ticket.new_tokens) // paged.PAGE) * paged.PAGE
