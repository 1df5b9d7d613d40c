"""A request in its seat: what it still has to read, and what becomes of the logits that it gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from studies.assistant.engine.cache import Entry, Ids
from studies.assistant.engine.choose import Draws
from studies.assistant.engine.line import Ticket
from studies.assistant.engine.step import Part, Row
from studies.assistant.engine.text import TextStream
from studies.assistant.types import ContinuationScore, Request


@dataclass(eq=False)
class Scoring:
    """The scores of one request as its parts come in."""

    continuations: Sequence[str]
    tokens: list[list[int]]
    found: dict[int, float] = field(default_factory=dict)

    def take(self, place: int | None, logits: Tensor) -> None:
        """The logits [n, vocabulary] before the n tokens of one continuation; without a place: before each of all."""
        rows = logits.float().log_softmax(-1)
        for each in range(len(self.tokens)) if place is None else [place]:
            ids = torch.tensor(self.tokens[each], device=rows.device)
            self.found[each] = float(rows.gather(-1, ids.unsqueeze(-1)).sum())

    @property
    def is_complete(self) -> bool:
        return len(self.found) == len(self.tokens)

    def scores(self) -> list[ContinuationScore]:
        return [
            ContinuationScore(text, self.found[place], len(ids))
            for place, (text, ids) in enumerate(zip(self.continuations, self.tokens, strict=True))
        ]


@dataclass(eq=False, kw_only=True)
class ReplyTicket(Ticket):
    """A reply as it grows: `written` are its tokens so far, the end-of-text token not among them."""

    ids: Ids
    request: Request
    text: TextStream
    draws: Draws
    written: list[int] = field(default_factory=list)
    wanted: int = 1  # how many of the last places of `ids` give logits that count

    @property
    def new_tokens(self) -> int:
        return self.request.max_tokens


@dataclass(eq=False, kw_only=True)
class ScoreTicket(Ticket):
    """A context with the continuation at `place`, without its last token; or None: with no token of any of them."""

    ids: Ids
    scoring: Scoring
    place: int | None
    wanted: int = 1
    new_tokens: int = 0


@dataclass(eq=False, kw_only=True)
class WarmTicket(Ticket):
    """A text that is only read, for those who will ask about it."""

    ids: Ids
    wanted: int = 1
    new_tokens: int = 0


Guest = ReplyTicket | ScoreTicket | WarmTicket


@dataclass(eq=False)
class Seat:
    """A guest with its slot. First the `entry`, if any, is read into the store, then the rest into the slot."""

    guest: Guest
    row: Row
    entry: Entry | None = None

    @property
    def unread(self) -> int:
        """How many tokens of the prompt are not in the cache yet."""
        if self.entry is not None and not self.entry.is_ready:
            return len(self.guest.ids) - self.entry.start - self.entry.read
        return max(0, len(self.guest.ids) - self.row.shared_tokens - self.row.length)

    def settle(self) -> None:
        """Once its entry has been read, the row follows it."""
        if self.entry is not None and self.entry.is_ready:
            self.row.shared, self.row.shared_tokens = self.entry, len(self.entry.tokens)

    def part(self, budget: int) -> Part:
        """What to read in a step that has room for `budget` tokens, one at least; logits where the prompt ends."""
        ids = self.guest.ids
        if self.entry is not None and not self.entry.is_ready:
            first = self.entry.start + self.entry.read
            return Part(self.entry, ids[first : min(first + budget, len(self.entry.tokens))].tolist())
        first, wanted = self.row.shared_tokens + self.row.length, self.guest.wanted
        left = len(ids) - first
        take = min(budget, left)
        if 0 < left - take < wanted:  # places that count stay together, in the last part
            take = left - wanted if left > wanted else left
        return Part(self.row, ids[first : first + take].tolist(), wanted if take == left else 0)

    def tokens_in_cache(self) -> Ids:
        """The text that shared entry and slot hold together."""
        known = self.guest.ids
        if isinstance(self.guest, ReplyTicket):
            known = np.concatenate([known, np.array(self.guest.written, dtype=np.int32)])
        return known[: self.row.shared_tokens + self.row.length]
