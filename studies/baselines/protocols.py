"""How the model alone is asked: one small class per protocol. Adding a protocol is adding a class and its name below.

Pure: a protocol sees a question without its key, and the assistant's backend where it needs one; it knows no rows.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any, ClassVar, Protocol

from studies.assistant.prompts import Prompt
from studies.assistant.prompts.questions import zero_shot, zero_shot_prompt
from studies.assistant.types import Backend, ScoreRequest

SCRIPTED = "scripted"


@dataclass(frozen=True)
class Asked:
    """A question as a protocol sees it; `stance` is the planned one of a controlled assistant, None without a plan."""

    question: str
    options: tuple[str, ...]
    passage: str = ""
    stance: int | None = None


@dataclass(frozen=True)
class Given:
    """The model's answer: an option's index or None (never a guess), P of every option or None, what it rests on."""

    option: int | None
    probabilities: tuple[float, ...] | None
    raw: dict[str, Any]


class BaselineProtocol(Protocol):
    """`refusal` says in words why this assistant cannot be asked so, before anything is asked; empty when it can."""

    name: ClassVar[str]
    needs_backend: ClassVar[bool]

    def refusal(self, backend: str, asked: Sequence[Asked]) -> str: ...

    def prompt(self, asked: Asked) -> Prompt | None: ...

    async def answer(self, asked: Asked, backend: Backend | None) -> Given: ...


class ZeroShot:
    """The likeliest letter after the paper's prompt; its probabilities, normalised over the letters: the confidence.

    Bowman et al. 2022 (arXiv 2211.03540), after Kadavath et al. 2022. An exact tie of the best letters is no answer.
    """

    name: ClassVar[str] = "zero-shot"
    needs_backend: ClassVar[bool] = True

    def refusal(self, backend: str, asked: Sequence[Asked]) -> str:
        if backend == SCRIPTED:
            return f"a scripted assistant has no likelihoods of its own; use --protocol {ScriptedStance.name}."
        return ""

    def prompt(self, asked: Asked) -> Prompt:
        return zero_shot_prompt(asked.passage)

    async def answer(self, asked: Asked, backend: Backend | None) -> Given:
        if backend is None:
            raise ValueError("zero-shot needs a backend")
        letters = tuple(ascii_uppercase[: len(asked.options)])
        turns = zero_shot(asked.question, asked.options, asked.passage)
        scores = await backend.score(ScoreRequest(continuations=letters, turns=turns))
        logprobs = [score.logprob for score in scores]
        best = max(logprobs)
        winners = [index for index, logprob in enumerate(logprobs) if logprob == best]
        raw: dict[str, Any] = {"logprobs": dict(zip(letters, logprobs, strict=True))}
        if len(winners) > 1:
            raw["tied"] = [letters[index] for index in winners]
        return Given(winners[0] if len(winners) == 1 else None, _normalised(logprobs), raw)


class ScriptedStance:
    """For the scripted assistant the planned stances are its answers. It has no probabilities: none are made up."""

    name: ClassVar[str] = "scripted-stance"
    needs_backend: ClassVar[bool] = False

    def refusal(self, backend: str, asked: Sequence[Asked]) -> str:
        if backend != SCRIPTED:
            return f"only a scripted assistant has planned answers; use --protocol {ZeroShot.name}."
        missing = sum(one.stance is None for one in asked)
        if missing:
            return (
                f"{missing} of {len(asked)} questions have no planned stance of this assistant. With "
                'stance_per = "trial" it has no one answer to a question, and so no baseline.'
            )
        return ""

    def prompt(self, asked: Asked) -> None:
        return None

    async def answer(self, asked: Asked, backend: Backend | None) -> Given:
        return Given(asked.stance, None, {})


PROTOCOLS: dict[str, BaselineProtocol] = {protocol.name: protocol for protocol in (ZeroShot(), ScriptedStance())}


def default_protocol(backend: str) -> str:
    """The protocol that an assistant of this backend is asked by when nobody says otherwise."""
    return ScriptedStance.name if backend == SCRIPTED else ZeroShot.name


def _normalised(logprobs: Sequence[float]) -> tuple[float, ...]:
    best = max(logprobs)
    weights = [math.exp(logprob - best) for logprob in logprobs]
    return tuple(weight / math.fsum(weights) for weight in weights)
