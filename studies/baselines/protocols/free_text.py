"""What the model writes, read by rules: one explained answer, and many short ones counted.

Letter likelihoods can miss what people see by twenty points (Chang et al. 2025, ChatBench), since people read text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from studies.assistant import answers, prompts
from studies.assistant.prompts import Prompt
from studies.assistant.prompts.questions import zero_shot, zero_shot_prompt
from studies.assistant.types import Backend, Turn
from studies.baselines.protocols.asking import majority, required, written
from studies.baselines.protocols.base import Asked, BaselineProtocol, Combine, Given, Sample


class FreeText(BaselineProtocol):
    """The greedy reply to the question with its options; an option that cannot be told from it is None."""

    name = "free-text"
    instruction: ClassVar[str] = "free_text"
    temperature: ClassVar[float] = 0.0
    max_tokens: ClassVar[int] = 512

    def prompts(self, asked: Asked) -> tuple[Prompt, ...]:
        return zero_shot_prompt(asked.passage), prompts.load(self.instruction)

    async def answer(self, asked: Asked, backend: Backend | None, sample: Sample) -> Given:
        question, _ = zero_shot(asked.question, asked.options, asked.passage)
        turn = Turn("user", f"{question.text}\n\n{prompts.load(self.instruction).text}")
        seed = sample.seed if self.temperature else None
        text, kept = await written(
            required(backend), (turn,), temperature=self.temperature, max_tokens=self.max_tokens, seed=seed
        )
        return Given(answers.extract(text, asked.options), None, kept)


class Frequencies(FreeText):
    """How often each option is named in 20 short replies: for endpoints without log-probabilities.

    A deviation, recorded in a bundle's baselines.json and in the report (`analysis.paper`).
    """

    name = "frequencies"
    instruction = "letter_only"
    temperature = 1.0
    max_tokens = 32
    samples: ClassVar[int] = 20
    can_vary: ClassVar[bool] = True
    combinations: ClassVar[Mapping[str, Combine]] = {"majority": majority}


PROTOCOLS = (FreeText(), Frequencies())
