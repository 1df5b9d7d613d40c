"""One step of the model over many conversations: each gives tokens to read and says where it wants logits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from studies.assistant.engine import attention
from studies.assistant.engine.attention import Looks, Plan, Shared, Singles, Span
from studies.assistant.engine.cache import Entry, Shape, Slots
from studies.assistant.engine.ending import Ending
from studies.assistant.engine.loader import LoadedModel
from studies.assistant.engine.packed import Packed


@dataclass(eq=False, slots=True)
class Row:
    """A conversation in a slot: `length` own tokens after the first `shared_tokens` of a shared entry's text."""

    slot: int
    shared: Entry | None = None
    shared_tokens: int = 0
    length: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """What a step reads for one row, or into an entry that is being read; logits for the last `wanted` tokens."""

    target: Row | Entry
    tokens: Sequence[int]
    wanted: int = 0


class Model:
    """The model with its slots. Only the engine's thread may use it, until `let_go` gives its own attention back."""

    def __init__(self, loaded: LoadedModel, slots: Slots) -> None:
        self._loaded, self.slots = loaded, slots
        self._own_attention = loaded.model.config._attn_implementation
        self._layers = len(slots.keys)
        self._ending = Ending(loaded.model)
        self._packed = Packed(loaded)
        loaded.model.set_attn_implementation(attention.NAME)

    def let_go(self) -> None:
        self._ending.remove()
        self._packed.remove()
        self._loaded.model.set_attn_implementation(self._own_attention)

    @torch.inference_mode()
    def step(self, parts: Sequence[Part]) -> list[Tensor]:
        """Run the parts together. Returns for each the logits [wanted, vocabulary], and counts its tokens as read.

        When it fails nothing counts as read: the same parts may be run again, together or one by one.
        """
        ids: list[int] = []
        positions: list[int] = []
        wanted: list[int] = []
        for part in parts:
            first = _position(part.target)
            ids += part.tokens
            positions += range(first, first + len(part.tokens))
            wanted += range(len(ids) - part.wanted, len(ids))
        device = self._loaded.device
        places = self._tensor(wanted)
        with attention.planned(self._plan(parts)), self._ending.only(None if len(wanted) == len(ids) else places):
            output = self._loaded.model(
                input_ids=torch.tensor([ids], device=device),
                position_ids=torch.tensor([positions], device=device),
                use_cache=False,
                logits_to_keep=places,
            )
        logits: Sequence[Tensor] = output.logits[0].split([part.wanted for part in parts])
        for part in parts:
            if isinstance(part.target, Row):
                part.target.length += len(part.tokens)
            else:
                part.target.read += len(part.tokens)
        return list(logits)

    def _plan(self, parts: Sequence[Part]) -> Plan:
        places: list[int] = []
        rows: list[Row] = []
        spans: list[Span] = []
        at = 0
        for part in parts:
            target, count = part.target, len(part.tokens)
            if isinstance(target, Entry):
                spans.append(Span(at, count, target.read, target.keys, target.values, part.wanted))
            elif count == 1:
                places.append(at)
                rows.append(target)
            else:
                keys = [held[target.slot] for held in self.slots.keys]
                values = [held[target.slot] for held in self.slots.values]
                spans.append(Span(at, count, target.length, keys, values, part.wanted))
            at += count
        looks = Looks(tuple(spans), self._shared(parts, [len(part.tokens) for part in parts]))
        last_looks = looks
        if sum(part.wanted for part in parts) < at:
            ending = tuple(span.ending() for span in spans if span.wanted)
            last_looks = Looks(ending, self._shared(parts, [part.wanted for part in parts]))
        singles = self._singles(None if len(places) == at else places, rows) if rows else None
        return Plan(singles, looks, last_looks, self._layers - 1)

    def _shared(self, parts: Sequence[Part], asking: Sequence[int]) -> tuple[Shared, ...]:
        """The prefixes that are shared, with the places of the last tokens, as many as are `asking`, of each part."""
        groups: dict[tuple[int, int], tuple[Entry, list[int]]] = {}
        end = most = 0
        for part, count in zip(parts, asking, strict=True):
            end += len(part.tokens)
            followed = _followed(part.target) if count else []
            for entry, length in followed:
                group = groups.setdefault((id(entry), length), (entry, []))
                group[1].extend(range(end - count, end))
            most = max(most, len(followed))
        return tuple(
            Shared(entry.keys, entry.values, length, None if len(places) == end else self._tensor(places), most > 1)
            for (_, length), (entry, places) in groups.items()
        )

    def _singles(self, places: list[int] | None, rows: list[Row]) -> Singles:
        slots = [row.slot for row in rows]
        heads, capacity = self.slots.keys[0].shape[1:3]
        ends = [(row.slot * heads + head) * capacity + row.length for head in range(heads) for row in rows]
        lengths = self._tensor([row.length for row in rows])
        width = max(row.length for row in rows) + 1
        hidden = torch.arange(width, device=lengths.device) > lengths.unsqueeze(-1)
        mask = torch.zeros(len(rows), 1, 1, width, dtype=self._loaded.dtype, device=lengths.device)
        mask.masked_fill_(hidden[:, None, None], float("-inf"))
        return Singles(
            None if places is None else self._tensor(places),
            self._tensor(slots),
            self._tensor(ends),
            width,
            mask,
            slots == list(range(len(slots))),
            self.slots.keys,
            self.slots.values,
        )

    def _tensor(self, numbers: list[int]) -> Tensor:
        return torch.tensor(numbers, device=self._loaded.device, dtype=torch.long)


def _position(target: Row | Entry) -> int:
    return target.shared_tokens + target.length if isinstance(target, Row) else target.start + target.read


def _followed(target: Row | Entry) -> list[tuple[Entry, int]]:
    """The entries before what is the target's own, each with how many of its tokens are looked at."""
    entry: Entry | None
    entry, tokens = (target.shared, target.shared_tokens) if isinstance(target, Row) else (target.parent, target.start)
    found: list[tuple[Entry, int]] = []
    while entry is not None and tokens:
        start = entry.start
        found.append((entry, tokens - start))
        entry, tokens = entry.parent, start
    return found


def shape_of(loaded: LoadedModel) -> Shape:
    """The cache's shape, from the model's configuration."""
    config = loaded.model.config.get_text_config()
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return Shape(config.num_hidden_layers, heads, size, loaded.dtype, loaded.device)
