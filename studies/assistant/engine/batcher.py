"""Continuous batching: conversations join and leave between steps, and what many share is read once.

One thread owns the model. Each turn of its loop admits who fits, then runs one step: a token for every conversation
that writes, and up to `CHUNK` tokens of prompts, so that nobody's text stands still while a long story is read.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from studies.assistant.engine.admit import LOOKED_AT, Admission, NoRoom
from studies.assistant.engine.cache import Slots, Store
from studies.assistant.engine.choose import Draws, choose
from studies.assistant.engine.encode import ScoreTokens
from studies.assistant.engine.line import Line, Listener, Ticket
from studies.assistant.engine.loader import LoadedModel
from studies.assistant.engine.memory import Trim
from studies.assistant.engine.seats import Guest, ReplyTicket, ScoreTicket, Scoring, Seat, WarmTicket
from studies.assistant.engine.sizes import DEFAULT, Sizes
from studies.assistant.engine.step import Model, Part, shape_of
from studies.assistant.engine.text import TextStream
from studies.assistant.types import BackendError, ErrorCode, FinishReason, Piece, Request

logger = logging.getLogger(__name__)
CHUNK = {"cpu": 192, "cuda": 1024}  # tokens of prompts in one step, by the kind of device
PATIENT_SHARE = 4  # while replies are written, scorings get one part in so many of a step
PATIENT_CHUNKS = 4  # when nobody else is there: weights are read less often, and a newcomer waits for one such step
LEAST_TAIL = 16  # own tokens of a conversation that are worth keeping for its next turn


@dataclass(slots=True)
class Counters:
    """What has happened since the start."""

    steps: int = 0
    prompt_tokens: int = 0
    reused_tokens: int = 0
    written_tokens: int = 0
    replies: int = 0
    scores: int = 0
    failures: int = 0


class Batcher(Line):
    """Runs requests on a loaded model, many at once."""

    def __init__(self, loaded: LoadedModel, sizes: Sizes = DEFAULT) -> None:
        shape = shape_of(loaded)
        slots = Slots(shape, sizes.seats, min(sizes.seat_tokens, loaded.context_length))
        self._loaded = loaded
        self._store = Store(shape, sizes.stored_tokens)
        self._model = Model(loaded, slots)
        self._admission = Admission(self._store, slots)
        self.context_length = sizes.longest_text(loaded)
        self._seated: list[Seat] = []
        self._trim = Trim()
        self.counters = Counters()
        super().__init__(loaded.name, loaded.revision, seats=sizes.seats, max_waiting=sizes.max_waiting)

    def generate(self, prompt: list[int], request: Request, listen: Listener) -> tuple[Ticket, ...]:
        """Queue a reply. The listener hears Queued*, Piece*, then one Done or BackendError; nothing after a cancel."""
        self._admission.refuse_too_long(request.max_tokens)
        ticket = ReplyTicket(
            listen=listen,
            prompt_tokens=len(prompt),
            seconds=request.deadline_seconds,
            ids=np.array(prompt, dtype=np.int32),
            request=request,
            text=TextStream(self._loaded.tokenizer, request.stop),
            draws=Draws(request.temperature, request.top_p, request.seed),
        )
        self._submit([ticket])
        return (ticket,)

    def score(self, tokens: ScoreTokens, continuations: Sequence[str], listen: Listener) -> tuple[Ticket, ...]:
        """Queue a scoring, behind all replies. The listener hears the scores or an error; nothing after a cancel."""
        scoring = Scoring(continuations, tokens.continuations)
        is_single = all(len(ids) == 1 for ids in tokens.continuations)
        places: Sequence[int | None] = [None] if is_single else range(len(tokens.continuations))
        tickets = [
            ScoreTicket(
                listen=listen,
                prompt_tokens=len(tokens.context),
                seconds=None,
                is_patient=True,
                ids=np.array(tokens.up_to(place), dtype=np.int32),
                scoring=scoring,
                place=place,
                wanted=1 if place is None else len(tokens.continuations[place]),
            )
            for place in places
        ]
        self._admission.refuse_too_long(max(ticket.wanted for ticket in tickets))
        self._submit(tickets)
        return tuple(tickets)

    def warm(self, prompt: list[int], listen: Listener) -> tuple[Ticket, ...]:
        """Queue a text to be read into the cache. The listener hears Queued*, then Done or BackendError."""
        ids = np.array(prompt, dtype=np.int32)
        ticket = WarmTicket(listen=listen, prompt_tokens=len(prompt), seconds=None, ids=ids)
        self._submit([ticket])
        return (ticket,)

    def metrics(self) -> dict[str, float]:
        """Counters, and what the store holds."""
        held = {"stored_tokens": self._store.held, "stored_budget": self._store.budget, "evicted": self._store.evicted}
        return asdict(self.counters) | held

    def close(self) -> None:
        super().close()
        self._model.let_go()

    def _serve(self) -> None:
        while self._wait():
            self._leave()
            self._admit()
            if self._seated:
                self._work()
            self._trim.now_and_then()

    def _left(self) -> list[Ticket]:
        return [seat.guest for seat in self._seated]

    def _wait(self) -> bool:
        """Until there is something to do; False when the engine closes."""
        with self._changed:
            while not self._waiting and not self._seated and not self._is_closing:
                self._changed.wait()
            return not self._is_closing

    def _leave(self) -> None:
        """Those who were cancelled or whose time is over give up their seats."""
        for seat in list(self._seated):
            with self._blamed(seat):
                if seat.guest.is_cancelled:
                    self._release(seat)
                elif seat.guest.is_overdue():
                    self._finish(seat, FinishReason.DEADLINE)

    def _admit(self) -> None:
        with self._changed:
            self._expire_waiting()
            for ticket in list(islice(self._waiting, LOOKED_AT)):
                if len(self._seated) == self._seats or (ticket.is_patient and self._is_full_of_patient()):
                    break
                assert isinstance(ticket, Guest)
                try:
                    seat = self._admission.seat(ticket, len(self._seated), self._others(ticket))
                except NoRoom:
                    if self._seated:
                        break  # whoever leaves makes room
                    self._refuse(ticket, BackendError(ErrorCode.CAPACITY, _too_large(ticket)))
                    continue
                except Exception as error:
                    logger.exception("a request of %d prompt tokens got no seat", len(ticket.ids))
                    self._refuse(ticket, _words(ticket, error))
                    continue
                ticket.is_expecting = seat is None
                if seat is None:
                    continue  # the same text is being read for somebody else
                self._waiting.remove(ticket)
                self._seated.append(seat)
                self._taken = len(self._seated)
                ticket.started_at = time.monotonic()
                self.counters.prompt_tokens += len(ticket.ids)
                self.counters.reused_tokens += len(ticket.ids) - seat.unread
            self._tell_positions()

    def _others(self, ticket: Ticket) -> list[Guest]:
        """Who waits beside it, for what they share."""
        around = islice(self._waiting, LOOKED_AT)
        return [each for each in around if each is not ticket and isinstance(each, Guest)]

    def _refuse(self, ticket: Guest, error: BackendError) -> None:
        self._waiting.remove(ticket)
        self._fail(ticket, error)

    def _is_full_of_patient(self) -> bool:
        """Scorings take half of the seats at most: whoever comes to chat finds one."""
        return sum(seat.guest.is_patient for seat in self._seated) >= (self._seats + 1) // 2

    def _work(self) -> None:
        """One step for all; when it fails, one for each, so that whoever is to blame fails alone."""
        planned = self._planned()
        found = self._step(planned)
        if not isinstance(found, Exception):
            self._take(planned, found)
        else:
            self._make_room_after(found)
            for each in planned:
                self._work_alone(*each)
        self.counters.steps += 1

    def _work_alone(self, seat: Seat, part: Part) -> None:
        found = self._step([(seat, part)])
        while isinstance(found, torch.OutOfMemoryError) and len(part.tokens) > 1:
            self._make_room_after(found)
            shorter = seat.part(len(part.tokens) // 2)
            if len(shorter.tokens) >= len(part.tokens):
                break
            part = shorter
            found = self._step([(seat, part)])
        if isinstance(found, Exception):
            self._blame(seat, found)
        else:
            self._take([(seat, part)], found)

    def _step(self, planned: Sequence[tuple[Seat, Part]]) -> Sequence[Tensor] | Exception:
        """The logits; or why there are none, without the frames of the failed step, which hold its memory."""
        try:
            return self._model.step([part for _, part in planned])
        except Exception as error:
            if not isinstance(error, torch.OutOfMemoryError):
                logger.exception("a step of %d conversations failed", len(planned))
            return error.with_traceback(None)

    def _make_room_after(self, error: Exception) -> None:
        if isinstance(error, torch.OutOfMemoryError):
            self._store.drop_idle()
            torch.cuda.empty_cache()

    def _blame(self, seat: Seat, error: Exception) -> None:
        """What goes wrong with one request is told to its listener, and harms no other."""
        try:
            self._fail(seat.guest, _words(seat.guest, error))
        except Exception:
            logger.exception("a listener did not take the news that its request failed")
        self._release(seat)

    def _planned(self) -> list[tuple[Seat, Part]]:
        """A token of everybody who writes; then prompts, by turns the oldest and the shortest first; scorings last."""
        planned = [(seat, Part(seat.row, [_last(seat)], 1)) for seat in self._seated if not seat.unread]
        reading = [seat for seat in self._seated if seat.unread]
        if self.counters.steps % 2:
            reading.sort(key=lambda seat: seat.unread)
        chunk = CHUNK.get(self._loaded.device.type, CHUNK["cpu"])
        if all(seat.guest.is_patient for seat in self._seated):
            chunk *= PATIENT_CHUNKS
        kept_short = chunk - chunk // PATIENT_SHARE if planned else 0  # a long step would hold up what is written
        read = 0
        for seat in sorted(reading, key=lambda seat: seat.guest.is_patient):
            budget = chunk - read - (kept_short if seat.guest.is_patient else 0)
            if budget <= 0:
                break
            part = seat.part(budget)
            read += len(part.tokens)
            planned.append((seat, part))
        return planned

    def _take(self, planned: Sequence[tuple[Seat, Part]], logits: Sequence[Tensor]) -> None:
        """What became of a step: a token of each reply, the numbers of each score."""
        writing: list[tuple[Seat, Tensor]] = []
        for (seat, part), found in zip(planned, logits, strict=True):
            if seat.entry is not None and part.target is seat.entry:
                seat.settle()
            elif part.wanted and isinstance(seat.guest, ReplyTicket):
                writing.append((seat, found[-1]))
            elif part.wanted:
                with self._blamed(seat):
                    self._found(seat, seat.guest, found)
        for seat, token in self._chosen(writing):
            with self._blamed(seat):
                self._written(seat, token)

    @contextmanager
    def _blamed(self, seat: Seat) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            logger.exception("a request of %d prompt tokens failed", len(seat.guest.ids))
            self._blame(seat, error.with_traceback(None))

    def _chosen(self, writing: Sequence[tuple[Seat, Tensor]]) -> list[tuple[Seat, int]]:
        """The next token of each; where that fails for all together, for each alone."""
        if not writing:
            return []
        draws = [seat.guest.draws for seat, _ in writing if isinstance(seat.guest, ReplyTicket)]
        try:
            tokens = choose(torch.stack([row for _, row in writing]), draws)
            return [(seat, token) for (seat, _), token in zip(writing, tokens, strict=True)]
        except Exception as error:
            logger.exception("no token could be chosen for %d conversations", len(writing))
            failed = error.with_traceback(None)
        self._make_room_after(failed)
        if len(writing) > 1:
            return [each for one in writing for each in self._chosen([one])]
        self._blame(writing[0][0], failed)
        return []

    def _written(self, seat: Seat, token: int) -> None:
        guest = seat.guest
        assert isinstance(guest, ReplyTicket)
        if token in self._loaded.end_ids:
            self._finish(seat, FinishReason.STOP)
            return
        guest.written.append(token)
        self.counters.written_tokens += 1
        if piece := guest.text.push(token):
            guest.tell(Piece(piece))
        if guest.text.is_stopped:
            self._finish(seat, FinishReason.STOP)
        elif len(guest.written) == guest.request.max_tokens:
            self._finish(seat, FinishReason.LENGTH)

    def _found(self, seat: Seat, guest: Guest, logits: Tensor) -> None:
        """What was to be read has been read, and the places that count have their logits."""
        if isinstance(guest, ScoreTicket):
            guest.scoring.take(guest.place, logits)
            if guest.scoring.is_complete:
                guest.tell(guest.scoring.scores())
                self.counters.scores += 1
        else:
            guest.tell(self._done(guest, FinishReason.LENGTH, 0))
        self._release(seat)

    def _finish(self, seat: Seat, reason: FinishReason) -> None:
        guest = seat.guest
        written = 0
        if isinstance(guest, ReplyTicket):
            written = len(guest.written)
            if rest := guest.text.finish():
                guest.tell(Piece(rest))
        guest.tell(self._done(guest, reason, written))
        self.counters.replies += 1
        self._release(seat)

    def _fail(self, guest: Guest, error: BackendError) -> None:
        guest.tell(error)
        self.counters.failures += 1

    def _release(self, seat: Seat) -> None:
        """Free the seat; the conversation's own tokens go to the store, and the last slot moves into the gap.

        Does nothing when it was freed before: what fails while it is freed leads here again.
        """
        if seat not in self._seated:
            return
        if isinstance(seat.guest, ReplyTicket) and seat.row.length >= LEAST_TAIL:
            try:
                self._admission.keep(seat)
            except Exception:
                logger.exception("the next turn of a conversation will read its own words again")
        self._admission.leave(seat)
        last = max(self._seated, key=lambda each: each.row.slot)
        if last is not seat:
            self._model.slots.move(last.row.slot, seat.row.slot, last.row.length)
            last.row.slot = seat.row.slot
        self._seated.remove(seat)
        with self._changed:
            self._taken = len(self._seated)

    def _tell_deadline(self, ticket: Ticket) -> None:
        ticket.tell(self._done(ticket, FinishReason.DEADLINE, 0))


def _last(seat: Seat) -> int:
    assert isinstance(seat.guest, ReplyTicket)
    return seat.guest.written[-1]


def _words(guest: Guest, error: Exception) -> BackendError:
    if isinstance(error, torch.OutOfMemoryError):
        return BackendError(ErrorCode.CAPACITY, _too_large(guest))
    return BackendError(ErrorCode.INTERNAL, f"the model failed: {type(error).__name__}")


def _too_large(guest: Guest) -> str:
    return f"a conversation of {len(guest.ids)} tokens does not fit the engine's memory"
