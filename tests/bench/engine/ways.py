"""The ways to serve N conversations about one story; each returns what it took and when each saw its first token."""

from __future__ import annotations

import asyncio
import gc
import queue
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from studies.assistant.engine.batcher import Batcher
from studies.assistant.engine.line import Heard
from studies.assistant.engine.loader import LoadedModel
from studies.assistant.engine.sizes import Sizes
from studies.assistant.types import BackendError, Done, Request, Turn

NEW_TOKENS = 48
BATCH_TOKENS = {"cpu": 512, "cuda": 2048}  # of transformers' own batching, in one step
MEASURED_ALONE = 4  # conversations; the time of one after the other grows with their number, so the rest is computed


@dataclass(frozen=True)
class Case:
    """The story's tokens, shared by all, and each conversation's own."""

    story: list[int]
    questions: list[list[int]]

    def prompts(self) -> list[list[int]]:
        return [self.story + question for question in self.questions]


@dataclass
class Taken:
    """Seconds of CPU (all threads) and of the wall, and seconds to each conversation's first token."""

    cpu: float
    wall: float
    first: list[float]
    texts: list[list[int]] = field(default_factory=list)


class Clock:
    def __init__(self) -> None:
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def cpu(self) -> float:
        return time.process_time() - self._cpu

    def wall(self) -> float:
        return time.perf_counter() - self._wall


class _FirstToken:
    """transformers' streamer: the prompt comes first, then token by token."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.calls, self.at = clock, 0, 0.0

    def put(self, _: Any) -> None:
        self.calls += 1
        if self.calls == 2:
            self.at = self.clock.wall()

    def end(self) -> None:
        """Nothing to do."""


def one_at_a_time(model: Any, case: Case) -> Taken:
    """A lock and `generate` with a streamer: what most people write first."""
    n = len(case.questions)
    measured = min(n, MEASURED_ALONE)
    clock, first, texts = Clock(), [], []
    for prompt in case.prompts()[:measured]:
        streamer = _FirstToken(clock)
        texts.append(_generate(model, [prompt], streamer=streamer)[0])
        first.append(streamer.at)
    per_cpu, per_wall = clock.cpu() / measured, clock.wall() / measured
    first += [first[0] + per_wall * number for number in range(measured, n)]
    return Taken(per_cpu * n, per_wall * n, first, texts)


def static_batch(model: Any, case: Case) -> Taken:
    """All conversations as one padded batch; nobody sees anything before the end."""
    clock = Clock()
    texts = _generate(model, case.prompts())
    return Taken(clock.cpu(), clock.wall(), [clock.wall()] * len(case.questions), texts)


def _generate(model: Any, prompts: Sequence[list[int]], **options: Any) -> list[list[int]]:
    longest = max(map(len, prompts))
    ids = torch.tensor([[0] * (longest - len(prompt)) + prompt for prompt in prompts], device=model.device)
    mask = (torch.arange(longest)[None] >= torch.tensor([longest - len(prompt) for prompt in prompts])[:, None]).long()
    with torch.inference_mode():
        made = model.generate(
            ids,
            attention_mask=mask.to(model.device),
            max_new_tokens=NEW_TOKENS,
            min_new_tokens=NEW_TOKENS,
            do_sample=False,
            pad_token_id=0,
            **options,
        )
    texts: list[list[int]] = made[:, longest:].tolist()
    return texts


def transformers_batching(model: Any, cold: Case, warm: Case) -> tuple[Taken, Taken]:
    """transformers' own continuous batching; cold, then with the story known.

    Its cache holds three whole conversations and all replies: on a CPU one for all of them makes it slower yet.
    """
    from transformers import ContinuousBatchingConfig, GenerationConfig

    n, page = len(cold.questions), 64
    pages = (len(cold.story) + 200) // page + 2
    settings = ContinuousBatchingConfig(
        page_size=page, max_batch_tokens=BATCH_TOKENS[model.device.type], num_blocks=max(64, pages * 3 + n * 8),
        safety_margin=0.0, auto_switch_to_flash=False,
    )  # fmt: skip
    generation = GenerationConfig(do_sample=False, max_new_tokens=NEW_TOKENS, eos_token_id=-1, pad_token_id=0)
    manager = model.init_continuous_batching(generation_config=generation, continuous_batching_config=settings)
    manager.start()

    async def all_of(case: Case, name: str) -> Taken:
        clock, first = Clock(), [0.0] * n

        async def one(number: int, prompt: list[int]) -> None:
            heard: asyncio.Queue[Any] = asyncio.Queue()
            own = f"{name}-{number}"
            manager.register_result_handler(own, heard.put_nowait)
            manager.add_request(prompt, request_id=own, max_new_tokens=NEW_TOKENS, streaming=True, eos_token_id=-1)
            while True:
                output = await heard.get()
                if output.error:
                    raise RuntimeError(output.error)
                first[number] = first[number] or clock.wall()
                if output.is_finished():
                    return

        await asyncio.gather(*(one(number, prompt) for number, prompt in enumerate(case.prompts())))
        return Taken(clock.cpu(), clock.wall(), first)

    try:
        return asyncio.run(all_of(cold, "cold")), asyncio.run(all_of(warm, "warm"))
    finally:
        manager.stop(block=True, timeout=10, hard_stop=True)
        manager.destroy()
        model.set_attn_implementation("sdpa")
        gc.collect()


def ours(loaded: LoadedModel, cold: Case, warm: Case) -> tuple[Taken, Taken]:
    """The engine's batcher: cold, then other questions about the story that it knows."""
    n = len(cold.questions)
    never_ending = replace(loaded, end_ids=frozenset())
    own = max(map(len, cold.questions + warm.questions)) + NEW_TOKENS + 64
    batcher = Batcher(never_ending, Sizes(seats=n, seat_tokens=own, stored_tokens=len(cold.story) * 3 + n * own))
    try:
        return _asked(batcher, cold), _asked(batcher, warm)
    finally:
        batcher.close()


def _asked(batcher: Batcher, case: Case) -> Taken:
    request = Request((Turn("user", "?"),), max_tokens=NEW_TOKENS, temperature=0)
    inboxes: list[queue.Queue[Heard]] = [queue.Queue() for _ in case.questions]
    clock = Clock()
    tickets = [
        batcher.generate(prompt, request, inbox.put) for prompt, inbox in zip(case.prompts(), inboxes, strict=True)
    ]
    first = [_first_token(inbox) for inbox in inboxes]
    return Taken(clock.cpu(), clock.wall(), first, [ticket[0].written for ticket in tickets])  # type: ignore[attr-defined]


def _first_token(inbox: queue.Queue[Heard]) -> float:
    while not isinstance(event := inbox.get(timeout=600), Done):
        if isinstance(event, BackendError):
            raise event
    if event.first_token_seconds is None:
        raise RuntimeError("a reply without text")
    return event.first_token_seconds


Way = Callable[[], Taken]
