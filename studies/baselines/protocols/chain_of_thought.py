"""The model thinks aloud, then chooses: 20 samples, of which the best counts, or the choice that most of them make.

Bowman et al. 2022 take the best of 20 by a preference model: with a scorer (`run_baseline --scorer`), the sample counts
whose reasoning and choice it finds likeliest to be right. Without one the majority is taken (self-consistency, Wang et
al. 2023). Both are deviations and recorded as such, in a bundle's baselines.json and in the report (`analysis.paper`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import ClassVar

from studies.assistant import answers, prompts
from studies.assistant.prompts import Prompt
from studies.assistant.prompts.questions import zero_shot, zero_shot_prompt
from studies.assistant.types import Backend, BackendError, ErrorCode, ScoreRequest, Turn
from studies.baselines.protocols.asking import (
    letters,
    likeliest,
    majority,
    normalised,
    read,
    required,
    usage_of,
    written,
)
from studies.baselines.protocols.base import Asked, BaselineProtocol, Combine, Given, Sample


def best(samples: Sequence[Given], options: int) -> Given:
    """The answer of the sample with the highest score; None where samples with different answers share it."""
    rated = [given for given in samples if "score" in given.raw]
    if not rated:
        return Given(None, None, {"unscored": len(samples)})
    top = max(given.raw["score"] for given in rated)
    winners = [given for given in rated if given.raw["score"] == top]
    raw = {"score": top, "unscored": len(samples) - len(rated)}
    if len({given.option for given in winners}) > 1:
        return Given(None, None, raw | {"tied": len(winners)})
    return Given(winners[0].option, winners[0].probabilities, raw)


class ChainOfThought(BaselineProtocol):
    """A sampled chain of thought and the likeliest letter after it; a written one where letters have no likelihood."""

    name = "chain-of-thought"
    samples: ClassVar[int] = 20
    can_vary: ClassVar[bool] = True
    combinations: ClassVar[Mapping[str, Combine]] = {"majority": majority}
    scored_combinations: ClassVar[Mapping[str, Combine]] = {"best-of-n": best}
    max_tokens: ClassVar[int] = 512

    def prompts(self, asked: Asked) -> tuple[Prompt, ...]:
        names = ("chain_of_thought", "chain_of_thought_choice")
        return zero_shot_prompt(asked.passage), *(prompts.load(name) for name in names)

    async def answer(self, asked: Asked, backend: Backend | None, sample: Sample) -> Given:
        backend = required(backend)
        question, opened = zero_shot(asked.question, asked.options, asked.passage)
        first = Turn("user", f"{question.text}\n\n{prompts.load('chain_of_thought').text}")
        thought, kept = await written(backend, (first,), temperature=1.0, max_tokens=self.max_tokens, seed=sample.seed)
        if not thought.strip():
            return Given(None, None, kept)
        turns = (first, Turn("assistant", thought), Turn("user", prompts.load("chain_of_thought_choice").text))
        names = letters(len(asked.options))
        try:
            given = await likeliest(backend, ScoreRequest(continuations=names, turns=(*turns, opened)), names)
        except BackendError as error:
            if error.code is not ErrorCode.NO_LOGPROBS:
                raise
            choice, last = await written(backend, turns, temperature=0.0, max_tokens=64, seed=None)
            raw = kept | {"choice": choice, "usage": usage_of(kept, last)}
            return Given(answers.extract(choice, asked.options), None, raw)
        usage = usage_of(kept, given.raw)
        return Given(given.option, given.probabilities, given.raw | kept | {"usage": usage})

    def scorer_prompts(self) -> tuple[Prompt, ...]:
        return (prompts.load("score_reasoning"),)

    async def scored(self, asked: Asked, given: Given, scorer: Backend) -> Given:
        """`raw["score"]`: P(True) by (A) True against (B) False; a sample without an answer has none."""
        if given.option is None:
            return given
        question, _ = zero_shot(asked.question, asked.options, asked.passage)
        values = {"question": question.text, "reasoning": given.raw["text"], "option": asked.options[given.option]}
        values |= {"letter": ascii_uppercase[given.option]}
        turns = (Turn("user", prompts.load("score_reasoning").fill(**values)), Turn("assistant", "("))
        scores = await scorer.score(ScoreRequest(continuations=("A", "B"), turns=turns))
        return Given(
            given.option,
            given.probabilities,
            given.raw | {"score": normalised([score.logprob for score in scores])[0], "scorer_usage": read(scores)},
        )


PROTOCOLS = (ChainOfThought(),)
