"""The key-value cache: slots for the conversations that run, and a store of what was read before, oldest use out first.

All memory is counted in tokens. An entry of the store holds the keys and values of a text from its beginning or, with a
`parent`, of what follows the first `start` tokens of it: a conversation's own turns after a story that many share.
"""

from __future__ import annotations

from dataclasses import dataclass, field
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
    differing = np.flatnonzero(one[:least] != other[:least])
    return int(differing[0]) if len(differing) else least


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
    """Entries within a budget of tokens."""

    shape: Shape
    budget: int
    entries: list[Entry] = field(default_factory=list)
    evicted: int = 0
    _clock: count[int] = field(default_factory=count)

    @property
    def held(self) -> int:
        return sum(entry.cost for entry in self.entries)

    def match(self, beginning: Ids, *, is_exact: bool = False) -> Match:
        """As much of this beginning of a prompt as has been read before; a part of a text to its last token, or cut."""
        best = NOTHING
        for entry in self.entries:
            if entry.is_ready:
                match = _match(entry, shared_length(entry.tokens, beginning), is_exact)
                best = match if match.length > best.length else best
        for found in (best.shared, best.tail):
            if found is not None:
                found.used = next(self._clock)
        return best

    def expected(self, beginning: Ids) -> int:
        """How much of it is being read right now, for whoever would rather wait for that."""
        reading = (shared_length(entry.tokens, beginning) for entry in self.entries if not entry.is_ready)
        return aligned(max(reading, default=0))

    def reserve(self, tokens: Ids, *, parent: Entry | None = None, start: int = 0) -> Entry | None:
        """An empty entry, for which the least recently used make room; None when the pinned ones leave none."""
        needed = len(tokens) - start
        if not self._make_room(needed, keep=parent):
            return None
        entry = Entry(tokens, self.shape.empty(needed), self.shape.empty(needed), parent, start)
        entry.used = next(self._clock)
        if parent is not None:
            parent.pins += 1
        self.entries.append(entry)
        return entry

    def drop(self, entry: Entry) -> None:
        self.entries.remove(entry)
        if entry.parent is not None:
            entry.parent.pins -= 1

    def drop_idle(self) -> None:
        """Everything that nobody uses now."""
        while idle := [entry for entry in self.entries if not entry.pins]:
            for entry in idle:
                self.drop(entry)
                self.evicted += 1

    def _make_room(self, needed: int, keep: Entry | None) -> bool:
        while self.held + needed > self.budget:
            idle = [entry for entry in self.entries if not entry.pins and entry is not keep]
            if not idle or needed > self.budget:
                return False
            self.drop(min(idle, key=lambda entry: entry.used))
            self.evicted += 1
        return True


def aligned(tokens: int) -> int:
    """Cut to a multiple of ALIGN."""
    return tokens // ALIGN * ALIGN


def _match(entry: Entry, shared: int, is_exact: bool) -> Match:
    if entry.parent is None:
        return Match(entry, shared if is_exact or shared == len(entry.tokens) else aligned(shared))
    if shared <= entry.start:
        return NOTHING  # its parent matches as long a beginning itself
    return Match(entry.parent, entry.start, entry, shared - entry.start)
