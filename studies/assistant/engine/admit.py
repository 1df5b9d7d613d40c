"""Who gets a seat, and what of their prompt is in the cache already, is worth reading for many, or is their own."""

from __future__ import annotations

from collections.abc import Sequence

from studies.assistant.engine.cache import ALIGN, NOTHING, Entry, Ids, Match, Slots, Store, aligned, shared_length
from studies.assistant.engine.seats import Guest, Seat, WarmTicket
from studies.assistant.engine.step import Row
from studies.assistant.types import BackendError, ErrorCode

LEAST_ENTRY = 128  # tokens that are worth an entry of their own
LOOKED_AT = 64  # how many of those who wait are looked at for what they share


class NoRoom(Exception):
    """There is not enough memory now; when others leave there may be."""


class Admission:
    """Decides on seats. Only the engine's thread may use it, but for `refuse_too_long`."""

    def __init__(self, store: Store, slots: Slots) -> None:
        self._store, self._slots = store, slots

    def refuse_too_long(self, new_tokens: int) -> None:
        """A reply is written into a slot: BackendError for one that may become longer than that."""
        most = self._slots.capacity - 2 * ALIGN
        if new_tokens > most:
            raise BackendError(
                ErrorCode.CAPACITY, f"max_tokens={new_tokens}: this engine gives a reply at most {most} tokens"
            )

    def seat(self, guest: Guest, slot: int, waiting: Sequence[Guest]) -> Seat | None:
        """A seat; None while a text that this guest needs is being read for another. Raises NoRoom."""
        beginning = guest.ids[: -guest.wanted]
        # A question is read in a step or two: to read less of it is worth more than to stay together with the others.
        match = self._store.match(beginning, is_exact=guest.is_patient)
        if self._store.expected(beginning) >= match.length + LEAST_ENTRY:
            return None
        seat = Seat(guest, Row(slot))
        unread = len(beginning) - match.length
        rest = len(guest.ids) - match.length + guest.new_tokens
        fits = match.tail_tokens + rest <= self._slots.capacity
        cut = self._parting(guest, beginning, match.length, waiting)
        if not cut and unread >= _worth_an_entry(guest, match):
            cut = aligned(len(beginning))
        if cut:
            seat.entry = self._begin(beginning[:cut], match)
        if seat.entry is None and rest > self._slots.capacity:
            whole = beginning[: aligned(len(beginning))]
            seat.entry = self._begin(whole, match, is_own=True)
            if seat.entry is None and slot == 0:
                # Nobody will leave: what is known gives way, and is read again.
                seat.entry = self._begin(whole, NOTHING)
        if seat.entry is not None:
            seat.entry.pins += 1
            seat.settle()
        elif fits:
            self._resume(seat.row, match)
        elif rest <= self._slots.capacity:
            self._follow(seat.row, match)
        else:
            raise NoRoom
        return seat

    def leave(self, seat: Seat) -> None:
        """Let go of what the seat held; a text that was not read to its end is of no use to anybody."""
        held = seat.entry or seat.row.shared
        if held is not None:
            held.pins -= 1
        if seat.entry is not None and not seat.entry.is_ready:
            self._store.drop(seat.entry)

    def keep(self, seat: Seat) -> None:
        """Store the conversation's own tokens for its next turn, if there is room."""
        row = seat.row
        parent, start = (row.shared, row.shared_tokens) if row.shared_tokens else (None, 0)
        before: Entry | None = None
        if parent is not None and parent.parent is not None:
            # Its own tokens lie in two places, of which they make one.
            before, parent, start = parent, parent.parent, parent.start
        entry = self._store.reserve(seat.tokens_in_cache(), parent=parent, start=start)
        if entry is None:
            return
        first = entry.cost - row.length
        if before is not None:
            _copy(before, entry, 0, first)
        for held, slots in zip((*entry.keys, *entry.values), (*self._slots.keys, *self._slots.values), strict=True):
            held[:, first:] = slots[row.slot, :, : row.length]
        entry.read = entry.cost

    def _begin(self, beginning: Ids, match: Match, *, is_own: bool = False) -> Entry | None:
        """An entry for this beginning of a prompt, with what is known of it copied; None when there is no room.

        `is_own`: nobody else is expected to share it. Where a known text is the greater part, it follows that.
        """
        follows = is_own and match.shared_tokens >= len(beginning) - match.shared_tokens > 0
        parent, start = (match.shared, match.shared_tokens) if follows else (None, 0)
        known = [entry for entry in (match.shared, match.tail) if entry is not None]
        for entry in known:
            entry.pins += 1
        made = self._store.reserve(beginning, parent=parent, start=start)
        for entry in known:
            entry.pins -= 1
        if made is None:
            return None
        made.read = min(match.length - start, made.cost)
        first = min(match.shared_tokens - start, made.cost)
        if match.shared is not None and not follows:
            _copy(match.shared, made, 0, first)
        if match.tail is not None:
            _copy(match.tail, made, first, made.read - first)
        return made

    def _parting(self, guest: Guest, beginning: Ids, known: int, waiting: Sequence[Guest]) -> int:
        """Where those who wait part with this prompt, so that most reading is saved; 0 where that is not worth it."""
        if len(beginning) - known < LEAST_ENTRY:
            return 0
        lengths = [shared_length(other.ids, beginning) for other in waiting]
        if not guest.is_patient:
            lengths = [aligned(length) for length in lengths]
        fitting = [
            length
            for length in lengths
            if length - known >= LEAST_ENTRY and len(guest.ids) - length + guest.new_tokens <= self._slots.capacity
        ]
        return max(fitting, default=0, key=lambda length: (length - known) * sum(other >= length for other in fitting))

    def _follow(self, row: Row, match: Match) -> None:
        """Leave where it is what the slot does not hold."""
        assert match.tail is not None
        match.tail.pins += 1
        row.shared, row.shared_tokens = match.tail, match.length

    def _resume(self, row: Row, match: Match) -> None:
        if match.shared is None:
            return
        match.shared.pins += 1
        row.shared, row.shared_tokens = match.shared, match.shared_tokens
        if match.tail is None:
            return
        row.length = match.tail_tokens
        tail = match.tail
        for held, slots in zip((*tail.keys, *tail.values), (*self._slots.keys, *self._slots.values), strict=True):
            slots[row.slot, :, : row.length] = held[:, : row.length]


def _worth_an_entry(guest: Guest, match: Match) -> int:
    """How much that is unread is a text of its own, for all who talk about it, and not what one adds to a known one.

    A scoring leaves no second copy of most of what is there already; what is only read is read for others.
    """
    if isinstance(guest, WarmTicket):
        return LEAST_ENTRY
    return max(LEAST_ENTRY, match.length if guest.is_patient else match.length // 2)


def _copy(source: Entry, target: Entry, at: int, tokens: int) -> None:
    """The first `tokens` that the source holds, to `at` in the target."""
    for held, filled in zip((*source.keys, *source.values), (*target.keys, *target.values), strict=True):
        filled[:, at : at + tokens] = held[:, :tokens]
