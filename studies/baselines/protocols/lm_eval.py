"""The prompt layout of lm-evaluation-harness's `mmlu` tasks, so that its published figures can be met exactly.

Plain text without a chat template: the subject's line, worked examples, the question with `A.` to `D.`, `Answer:`, and
the likeliest of ` A` to ` D` (lm_eval 0.4, tasks/mmlu/default).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from studies.assistant import prompts
from studies.assistant.prompts import Prompt
from studies.assistant.types import Backend, ScoreRequest
from studies.baselines.protocols.asking import letters, likeliest, required
from studies.baselines.protocols.base import Asked, BaselineProtocol, Given, Sample


class LmEvalZeroShot(BaselineProtocol):
    name = "lm-eval-zero-shot"

    def refusal(self, backend: str, asked: Sequence[Asked]) -> str:
        long = sum(bool(one.passage) for one in asked)
        if long:
            return (
                f"{long} of {len(asked)} questions have a passage, which lm-evaluation-harness's mmlu tasks have not."
            )
        return super().refusal(backend, asked)

    def prompts(self, asked: Asked) -> tuple[Prompt, ...]:
        return prompts.load("lm_eval_subject"), prompts.load("lm_eval_question")

    async def answer(self, asked: Asked, backend: Backend | None, sample: Sample) -> Given:
        names = letters(len(asked.options))
        request = ScoreRequest(continuations=tuple(f" {name}" for name in names), prompt=prompt_of(asked))
        return await likeliest(required(backend), request, names)


class LmEvalFewShot(LmEvalZeroShot):
    name = "lm-eval-5-shot"
    shots: ClassVar[int] = 5


def prompt_of(asked: Asked) -> str:
    """The whole text, without a blank at its end."""
    first = prompts.load("lm_eval_subject").fill(subject=asked.subject.replace("_", " "))
    worked = [f"{_block(shot.question, shot.options)} {letters(len(shot.options))[shot.key]}" for shot in asked.shots]
    return "\n\n".join([first, *worked, _block(asked.question, asked.options)])


def _block(question: str, options: Sequence[str]) -> str:
    lines = (f"{name}. {option}" for name, option in zip(letters(len(options)), options, strict=True))
    return prompts.load("lm_eval_question").fill(question=question.strip(), choices="\n".join(lines))


PROTOCOLS = (LmEvalZeroShot(), LmEvalFewShot())
