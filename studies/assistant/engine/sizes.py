"""How much the engine may hold at once, in seats and in tokens, fitted into a budget of memory."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch

from studies.assistant.engine.loader import LoadedModel, LoadError
from studies.assistant.engine.step import shape_of

GIB = 2**30
CPU_GIB, CPU_SHARE, CUDA_SHARE = 4.0, 0.25, 0.8  # of a CPU's memory, and of what the model leaves free on CUDA


@dataclass(frozen=True, slots=True)
class Sizes:
    """`seats` conversations run at once, each with `seat_tokens` of its own; `stored_tokens` are kept for reuse."""

    seats: int = 32
    seat_tokens: int = 1024
    stored_tokens: int = 65_536
    max_waiting: int = 64


DEFAULT = Sizes()


def fitting(
    loaded: LoadedModel, *, seats: int, seat_tokens: int, max_waiting: int, cache_gib: float | None = None
) -> Sizes:
    """Sizes whose cache takes `cache_gib` at most, by default a share of the memory. LoadError when that is too little.

    The seats come first; what is left is for texts that are kept, of which one of the model's whole context must fit.
    """
    for name, value in (("--seats", seats), ("--seat-tokens", seat_tokens), ("--max-waiting", max_waiting)):
        least = 64 if name == "--seat-tokens" else 1
        if value < least:
            raise LoadError(f"{name} {value}: use {least} or more")
    gib = _default_gib(loaded) if cache_gib is None else cache_gib
    token = shape_of(loaded).bytes_per_token
    capacity = min(seat_tokens, loaded.context_length)
    stored = int(gib * GIB) // token - seats * capacity
    if stored < loaded.context_length:
        needed = (seats * capacity + loaded.context_length) * token / GIB
        raise LoadError(
            f"{loaded.name}: {seats} seats of {capacity} tokens and one text of {loaded.context_length} need "
            f"{needed:.2f} GiB of cache, and there are {gib:.2f}; lower --seats or --seat-tokens, or raise --cache-gib"
        )
    return Sizes(seats, capacity, stored, max_waiting)


def _default_gib(loaded: LoadedModel) -> float:
    if loaded.device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(loaded.device)
        return free * CUDA_SHARE / GIB
    return min(CPU_GIB, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * CPU_SHARE / GIB)
