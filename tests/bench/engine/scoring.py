"""The four letters of each question scored by us and by lm-evaluation-harness: same model, same prompts, in turns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from studies.assistant.engine.backend import EngineBackend
from studies.assistant.engine.loader import LoadedModel
from studies.assistant.types import ScoreRequest
from tests.bench.engine import models
from tests.bench.engine.questions import LETTERS, Asked
from tests.bench.engine.ways import Clock
from tests.bench.goals import Goals

RATIO = {"10M": 9.0, "90M": 6.0}  # times as many questions in a second of CPU
DIFFERENCE = 1e-5
PEER_BATCH = 8
CONTINUATIONS = tuple(f" {letter}" for letter in LETTERS)
Scores = list[list[float]]  # of each question, of each letter
Score = Callable[[list[str]], Scores]


@dataclass
class Way:
    """One way to score, what it found, and the seconds of CPU and of the wall that it took."""

    name: str
    score: Score
    found: Scores = field(default_factory=list)
    cpu: float = 0.0
    wall: float = 0.0

    def run(self, prompts: list[str]) -> None:
        clock = Clock()
        self.found += self.score(prompts)
        self.cpu, self.wall = self.cpu + clock.cpu(), self.wall + clock.wall()


def by_lm_eval(model: Any, loaded: LoadedModel) -> Score:
    """Its model class, called directly: what building tasks and metrics takes is not counted against it."""
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    peer = HFLM(pretrained=model, tokenizer=loaded.tokenizer, batch_size=PEER_BATCH, max_length=loaded.context_length)

    def score(prompts: list[str]) -> Scores:
        asked = [
            Instance("loglikelihood", {}, (prompt, letter), place)
            for prompt in prompts
            for place, letter in enumerate(CONTINUATIONS)
        ]
        found = [logprob for logprob, _ in peer.loglikelihood(asked, disable_tqdm=True)]
        return [found[first : first + len(LETTERS)] for first in range(0, len(found), len(LETTERS))]

    return score


@contextmanager
def by_ours(loaded: LoadedModel) -> Iterator[Score]:
    """The engine as a study's baseline asks it, with its default sizes, all of the prompts in its queue at once."""
    backend = EngineBackend(loaded)

    async def score(prompts: list[str]) -> Scores:
        requests = [ScoreRequest(CONTINUATIONS, prompt=prompt) for prompt in prompts]
        scored = await asyncio.gather(*map(backend.score, requests))
        return [[each.logprob for each in letters] for letters in scored]

    with asyncio.Runner() as runner:
        try:
            yield lambda prompts: runner.run(score(prompts))
        finally:
            runner.run(backend.aclose())


def run(size: str, asked: Asked, folder: Path, threads: int, goals: Goals) -> None:
    """Subject by subject, and each way is first by turns, so that a busy machine disturbs both alike."""
    built = models.build(size, folder / f"{size}-scoring", asked.corpus)
    loaded = models.own(built, threads)
    prompts = [prompt for subject in asked.subjects for prompt in subject]
    tokens = sum(len(loaded.tokenizer.encode(prompt)) for prompt in prompts)
    print(f"\n{size}: {len(prompts)} {asked.source}, 5-shot, {tokens / len(prompts):.0f} tokens each, 4 letters scored")
    print(f"  {'':<34} {'q/CPU s':>9} {'CPU s':>9} {'wall s':>9}")
    with by_ours(loaded) as score:
        ours = Way("ours", score)
        peer = Way(
            f"lm_eval, batches of {PEER_BATCH}", by_lm_eval(models.plain(built, loaded), models.own(built, threads))
        )
        for way in (ours, peer):
            way.score(asked.warm_up)
        for number, subject in enumerate(asked.subjects):
            for way in (ours, peer) if number % 2 else (peer, ours):
                way.run(subject)
    for way in (peer, ours):
        print(f"  {way.name:<34} {len(prompts) / way.cpu:>9.2f} {way.cpu:>9.2f} {way.wall:>9.2f}", flush=True)
    pairs = list(zip(ours.found, peer.found, strict=True))
    differing = sum(mine.index(max(mine)) != its.index(max(its)) for mine, its in pairs)
    worst = max(abs(a - b) for mine, its in pairs for a, b in zip(mine, its, strict=True))
    if size in RATIO:
        goals.at_least(f"scoring_ratio_{size}", peer.cpu / ours.cpu, RATIO[size])
    goals.at_most(f"scoring_letters_differ_{size}", differing, 0)
    goals.at_most(f"scoring_logprob_difference_{size}", worst, DIFFERENCE)
