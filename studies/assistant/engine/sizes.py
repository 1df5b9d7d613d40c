"""How much the engine may hold at once, in seats and in tokens, fitted into a budget of memory."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, replace

import torch

from studies.assistant.engine.loader import LoadedModel, LoadError
from studies.assistant.engine.step import shape_of

logger = logging.getLogger(__name__)
GIB = 2**30
CPU_GIB, CPU_SHARE, CUDA_SHARE = 4.0, 0.25, 0.8  # of a CPU's memory, and of what the model leaves free on CUDA
SEATS = 32
LEAST_CONTEXT = 1024  # tokens: an engine that can take no more is not started
LONG_TEXT = 8192  # tokens: for a story of this length there are fewer seats, where nobody said how many


@dataclass(frozen=True, slots=True)
class Sizes:
    """`seats` conversations run at once, each with `seat_tokens` of its own; `stored_tokens` are kept for reuse."""

    seats: int = SEATS
    seat_tokens: int = 1024
    stored_tokens: int = 65_536
    max_waiting: int = 64

    def fitted(self, loaded: LoadedModel) -> Sizes:
        """These, whatever the memory is."""
        return self

    def longest_text(self, loaded: LoadedModel) -> int:
        """How long a conversation may become: as the model's context, or as what can be held of it."""
        return min(loaded.context_length, max(self.seat_tokens, self.stored_tokens))


DEFAULT = Sizes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an operator asks for, before it is known whether the model's line has such a cache. LoadError for nonsense.

    The cache takes `cache_gib` at most, by default a share of the memory. Without `seats` there are as many as fit.
    `context_tokens`: the longest text, where it is to be shorter than the model's.
    """

    seats: int | None = None
    seat_tokens: int = DEFAULT.seat_tokens
    max_waiting: int = DEFAULT.max_waiting
    cache_gib: float | None = None
    context_tokens: int | None = None

    def __post_init__(self) -> None:
        least = {"seats": 1, "seat_tokens": 64, "max_waiting": 1, "context_tokens": 64}
        for name, allowed in least.items():
            value = getattr(self, name)
            if value is not None and value < allowed:
                raise LoadError(f"--{name.replace('_', '-')} {value}: use {allowed} or more")

    def shortened(self, loaded: LoadedModel) -> LoadedModel:
        """The model with the context that was asked for."""
        if self.context_tokens is None:
            return loaded
        if self.context_tokens > loaded.context_length:
            raise LoadError(
                f"--context-tokens {self.context_tokens}: {loaded.name} takes {loaded.context_length} at most"
            )
        return replace(loaded, context_length=self.context_tokens)

    def fitted(self, loaded: LoadedModel) -> Sizes:
        """Sizes for this memory. LoadError when it is too little.

        Where the seats and one text of the whole context do not fit, longer texts than fit will be refused; where a
        long text would not fit either, there are fewer seats, unless their number was asked for.
        """
        gib = _default_gib(loaded) if self.cache_gib is None else self.cache_gib
        token = shape_of(loaded).bytes_per_token
        tokens, context = int(gib * GIB) // token, loaded.context_length
        capacity = min(self.seat_tokens, context)
        seats = self.seats or SEATS
        if self.seats is None:
            text = min(context, tokens // 2, LONG_TEXT) if self.context_tokens is None else context
            seats = max(1, min(SEATS, (tokens - text) // capacity))
        stored = tokens - seats * capacity
        least = context if self.context_tokens else min(context, LEAST_CONTEXT)
        if stored < least:
            raise LoadError(
                f"{loaded.name}: {seats} seats of {capacity} tokens and one text of {least} need "
                f"{(seats * capacity + least) * token / GIB:.2f} GiB of cache, and there are {gib:.2f}; lower --seats, "
                "--seat-tokens or --context-tokens, or raise --cache-gib"
            )
        sizes = Sizes(seats, capacity, stored, self.max_waiting)
        longest = sizes.longest_text(loaded)
        if longest < context or seats < (self.seats or SEATS):
            logger.warning(
                "%s: in a cache of %.2f GiB there is room for %d seats of %d tokens and for conversations of %d, where "
                "the model takes %d; longer ones are refused. Raise --cache-gib, or lower --seats or --seat-tokens",
                *(loaded.name, gib, seats, capacity, longest, context),
            )
        return sizes


def _default_gib(loaded: LoadedModel) -> float:
    if loaded.device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(loaded.device)
        return free * CUDA_SHARE / GIB
    return min(CPU_GIB, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * CPU_SHARE / GIB)
