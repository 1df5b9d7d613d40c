"""The model thinks aloud, then chooses: 20 samples, and the choice that most of them make.

Bowman et al. 2022 take the best of 20 by a preference model; without one the majority is taken (self-consistency, Wang
et al. 2023), which is a deviation and recorded as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from studies.assistant import answers, prompts
from studies.assistant.prompts import Prompt
from studies.assistant.prompts.questions import zero_shot, zero_shot_prompt
from studies.assistant.types import Backend, BackendError, ErrorCode, ScoreRequest, Turn
from studies.baselines.protocols.asking import letters, likeliest, majority, required, usage_of, written
from studies.baselines.protocols.base import Asked, BaselineProtocol, Given, Sample


class ChainOfThought(BaselineProtocol):
    """A sampled chain of thought and the likeliest letter after it; a written one where letters have no likelihood."""

    name = "chain-of-thought"
    samples: ClassVar[int] = 20
    can_vary: ClassVar[bool] = True
    combination: ClassVar[str] = "majority"
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
        return Given(given.option, given.probabilities, given.raw | kept)

    def combined(self, samples: Sequence[Given], options: int) -> Given:
        return majority(samples, options)


PROTOCOLS = (ChainOfThought(),)
