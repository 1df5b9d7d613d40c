"""The key-value cache: slots for the conversations that run, and a store of what was read before, oldest use out first.

All memory is counted in tokens. An entry of the store holds the keys and values of a text from its beginning or, with a
`parent`, of what follows the first `start` tokens of it: a conversation's own turns after a story that many share.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Any

import numpy as np
import torch
from torch import Tensor

Ids = np.ndarray[Any, np.dtype[np.int32]]
# Shared lengths are cut to multiples of it, so that conversations which part a few tokens apart stay together.
ALIGN = 16


def shared_length(one: Ids, other: Ids) -> int:
    """How many tokens two texts have in common from their beginning."""
    least = min(len(one), len(other))
    if not least:
        return 0
    differing = one[:least] != other[:least]
    first = int(differing.argmax())
    return first if differing[first] else least


@dataclass(frozen=True, slots=True)
class Shape:
    """What the cache must know of a model."""

    layers: int
    heads: int
    size: int
    dtype: torch.dtype
    device: torch.device

    @property
    def bytes_per_token(self) -> int:
        return 2 * self.layers * self.heads * self.size * self.dtype.itemsize

    def empty(self, *dimensions: int) -> list[Tensor]:
        """One tensor [..., heads, capacity, size] for each layer; the last dimension given is the capacity.

        They lie in one piece of memory: many small pieces that come and go would leave it full of holes.
        """
        *before, capacity = dimensions
        shape = (self.layers, *before, self.heads, capacity, self.size)
        return list(torch.empty(shape, dtype=self.dtype, device=self.device).unbind())


class Slots:
    """One place for each conversation that runs: `keys[layer][slot]` is [heads, capacity, size].

    The memory is written once, so that a machine which has too little says so now and not in the middle of a study.
    """

    def __init__(self, shape: Shape, slots: int, capacity: int) -> None:
        self.slots, self.capacity = slots, capacity
        self.keys, self.values = shape.empty(slots, capacity), shape.empty(slots, capacity)
        for held in (*self.keys, *self.values):
            held.zero_()

    def move(self, source: int, target: int, tokens: int) -> None:
        for held in (*self.keys, *self.values):
            held[target, :, :tokens] = held[source, :, :tokens]


@dataclass(eq=False, slots=True)
class Entry:
    """Tokens [0, n) of a text, of which the cache of [start, n) is here. Pinned entries stay."""

    tokens: Ids
    keys: list[Tensor]
    values: list[Tensor]
    parent: Entry | None = None
    start: int = 0
    read: int = 0  # how many of them are in the cache already; the others are being read
    pins: int = 0
    used: int = 0

    @property
    def cost(self) -> int:
        return len(self.tokens) - self.start

    @property
    def is_ready(self) -> bool:
        return self.read == self.cost


@dataclass(frozen=True, slots=True)
class Match:
    """What of a prompt is in the store: `length` of `shared`, then [shared length, own length) of `tail`."""

    shared: Entry | None = None
    shared_tokens: int = 0
    tail: Entry | None = None
    tail_tokens: int = 0

    @property
    def length(self) -> int:
        return self.shared_tokens + self.tail_tokens


NOTHING = Match()


@dataclass(eq=False)
class Store:
    """Entries within a budget of tokens.

    Whoever asks is compared with the texts that begin at their beginning, and of what follows one of them with the two
    between which it stands in their order: one of these has most in common with it.
    """

    shape: Shape
    budget: int
    entries: list[Entry] = field(default_factory=list)
    evicted: int = 0
    held: int = 0
    _clock: count[int] = field(default_factory=count)
    _reading: list[Entry] = field(default_factory=list)
    # What has been read: entries without a parent, each with those that follow it, by their start, in order.
    _read: dict[Entry, dict[int, list[Entry]]] = field(default_factory=dict)

    def match(self, beginning: Ids, *, is_exact: bool = False) -> Match:
        """As much of this beginning of a prompt as has been read before; a part of a text to its last token, or cut."""
        self._note_what_was_read()
        best = NOTHING
        for root, followers in self._read.items():
            shared = shared_length(root.tokens, beginning)
            whole = is_exact or shared == len(root.tokens)
            found = [Match(root, shared if whole else aligned(shared))]
            found += [_nearest(root, start, tails, beginning) for start, tails in followers.items() if start <= shared]
            best = max([best, *found], key=lambda match: match.length)
        for used in (best.shared, best.tail):
            if used is not None:
                used.used = next(self._clock)
        return best

    def expected(self, beginning: Ids) -> int:
        """How much of it is being read right now, for whoever would rather wait for that."""
        self._note_what_was_read()
        return aligned(max((shared_length(entry.tokens, beginning) for entry in self._reading), default=0))

    def reserve(self, tokens: Ids, *, parent: Entry | None = None, start: int = 0) -> Entry | None:
        """An empty entry, for which the least recently used make room; None, and all stays, when there is none."""
        needed = len(tokens) - start
        if not self._make_room(needed, keep=parent):
            return None
        if parent is not None:
            parent.pins += 1
        memory = self._memory(needed)
        if memory is None:
            if parent is not None:
                parent.pins -= 1
            return None
        entry = Entry(tokens, *memory, parent, start)
        entry.used = next(self._clock)
        self.entries.append(entry)
        self._reading.append(entry)
        self.held += entry.cost
        return entry

    def _memory(self, needed: int) -> tuple[list[Tensor], list[Tensor]] | None:
        """Keys and values. On CUDA memory may be in pieces although the budget has room: then what is idle goes."""
        with suppress(torch.OutOfMemoryError):
            return self.shape.empty(needed), self.shape.empty(needed)
        self.drop_idle()
        torch.cuda.empty_cache()
        with suppress(torch.OutOfMemoryError):
            return self.shape.empty(needed), self.shape.empty(needed)
        return None

    def drop(self, entry: Entry) -> None:
        self.entries.remove(entry)
        self.held -= entry.cost
        if entry.parent is not None:
            entry.parent.pins -= 1
        if entry in self._reading:
            self._reading.remove(entry)
        elif entry.parent is None:
            del self._read[entry]
        else:
            tails = self._read[entry.parent]
            tails[entry.start].remove(entry)
            if not tails[entry.start]:
                del tails[entry.start]

    def drop_idle(self) -> None:
        """Everything that nobody uses now."""
        while idle := [entry for entry in self.entries if not entry.pins]:
            for entry in idle:
                self.drop(entry)
                self.evicted += 1

    def _note_what_was_read(self) -> None:
        for entry in [entry for entry in self._reading if entry.is_ready]:
            self._reading.remove(entry)
            if entry.parent is None:
                self._read[entry] = {}
            else:
                insort(self._read[entry.parent].setdefault(entry.start, []), entry, key=_own)

    def _make_room(self, needed: int, keep: Entry | None) -> bool:
        lacking = self.held + needed - self.budget
        if lacking <= 0:
            return True
        idle = [entry for entry in self.entries if not entry.pins and entry is not keep]
        # A text goes too, once all that follows it has gone and nobody else uses it.
        pinned_by_idle = Counter(entry.parent for entry in idle if entry.parent not in (None, keep))
        after = [entry for entry, pins in pinned_by_idle.items() if entry is not None and entry.pins == pins]
        if lacking > sum(entry.cost for entry in (*idle, *after)):
            return False
        oldest = [(entry.used, id(entry), entry) for entry in idle]
        heapify(oldest)
        while self.held + needed > self.budget:
            *_, entry = heappop(oldest)
            self.drop(entry)
            self.evicted += 1
            if (parent := entry.parent) is not None and not parent.pins and parent is not keep:
                heappush(oldest, (parent.used, id(parent), parent))
        return True


def aligned(tokens: int) -> int:
    """Cut to a multiple of ALIGN."""
    return tokens // ALIGN * ALIGN


def _own(entry: Entry) -> bytes:
    return entry.tokens[entry.start :].tobytes()


def _nearest(root: Entry, start: int, tails: list[Entry], beginning: Ids) -> Match:
    """The one of these, in their order, that shares most with what follows the first `start` tokens of the root."""
    asked = beginning[start:]
    place = bisect_left(tails, asked.tobytes(), key=_own)
    shared = {tail: shared_length(tail.tokens[start:], asked) for tail in tails[max(0, place - 1) : place + 1]}
    tail = max(shared, key=shared.__getitem__)
    return Match(root, start, tail, shared[tail]) if shared[tail] else NOTHING
