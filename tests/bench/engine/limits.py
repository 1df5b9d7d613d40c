"""What a machine can do at most, and how near a way of serving comes to it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from studies.assistant.engine.loader import LoadedModel
from studies.assistant.engine.step import shape_of

SIDE = {"cpu": 1024, "cuda": 8192}  # of the matrices multiplied
COPIED = {"cpu": 64 * 2**20, "cuda": 2 * 2**30}  # bytes


@dataclass(frozen=True)
class Machine:
    """FLOP/s of a matrix product in the model's numbers, and bytes/s of a copy, read and written."""

    flops: float
    copied: float


def measure(device: torch.device, dtype: torch.dtype) -> Machine:
    """The best of five, after a first try that is not counted."""
    side = SIDE[device.type]
    one, other = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    source = torch.zeros(COPIED[device.type], dtype=torch.uint8, device=device)
    target = torch.empty_like(source)

    def best(work: Callable[[], object], amount: float) -> float:
        found = 0.0
        for is_counted in (False, *5 * (True,)):
            started = time.perf_counter()
            work()
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            if is_counted:
                found = max(found, amount / (time.perf_counter() - started))
        return found

    return Machine(best(lambda: one @ other, 2 * side**3), best(lambda: target.copy_(source), 2 * source.numel()))


@dataclass(frozen=True)
class Work:
    """What must be done for `n` conversations that know their story already. Seconds, were a machine at its limit."""

    n: int
    story: int  # tokens that are shared
    own: int  # tokens that each reads
    new: int  # tokens that each writes, one a step
    loaded: LoadedModel

    def _weights(self) -> tuple[int, int]:
        """How many numbers a step multiplies with, and their bytes: the table of the words read is only looked up."""
        model: Any = self.loaded.model
        looked_up = model.get_input_embeddings().weight
        used = [each for each in model.parameters() if each is not looked_up or model.config.tie_word_embeddings]
        return sum(each.numel() for each in used), sum(each.numel() * each.element_size() for each in used)

    def multiplying(self, machine: Machine) -> float:
        config = self.loaded.model.config.get_text_config()
        shape = shape_of(self.loaded)
        looked_at = self.story + (self.own + self.new) / 2
        attention = 4 * shape.layers * config.num_attention_heads * shape.size * looked_at
        return self.n * (self.own + self.new) * (2 * self._weights()[0] + attention) / machine.flops

    def reading(self, machine: Machine, *, is_story_read_once: bool) -> float:
        """Of every step: the weights, the story's keys and values (once or for each), and each conversation's own."""
        times = 1 if is_story_read_once else self.n
        tokens = times * self.story + self.n * (self.own + self.new / 2)
        return self.new * (self._weights()[1] + tokens * shape_of(self.loaded).bytes_per_token) / machine.copied


def shares(work: Work, machine: Machine, seconds: float) -> str:
    once, each = (work.reading(machine, is_story_read_once=known) / seconds for known in (True, False))
    return (
        f"of this machine's limits: {work.multiplying(machine) / seconds:.0%} of its matrix rate; of its bandwidth "
        f"{once:.0%} with the story read once, {each:.0%} were it read for each"
    )
