"""What a protocol sees, gives and promises. Pure: it knows no rows, and no key but those of its worked examples."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from studies.assistant.prompts import Prompt
from studies.assistant.types import Backend

SCRIPTED = "scripted"


@dataclass(frozen=True)
class Shot:
    """A worked example: a question of another split with its key."""

    question: str
    options: tuple[str, ...]
    key: int


@dataclass(frozen=True)
class Asked:
    """A question as a protocol sees it; `stance` is the planned one of a controlled assistant, None without a plan."""

    question: str
    options: tuple[str, ...]
    passage: str = ""
    stance: int | None = None
    subject: str = ""
    shots: tuple[Shot, ...] = ()


@dataclass(frozen=True)
class Sample:
    """Which of the answers to a question this is, from 0, and the seed that follows from run, question and number."""

    number: int = 0
    seed: int = 0


@dataclass(frozen=True)
class Given:
    """The model's answer: an option's index or None (never a guess), P of every option or None, what it rests on."""

    option: int | None
    probabilities: tuple[float, ...] | None
    raw: dict[str, Any] = field(default_factory=dict)


# One answer from all samples of a question with so many options.
Combine = Callable[[Sequence[Given], int], Given]


class BaselineProtocol(ABC):
    """One way to ask the model alone. A module of this package that defines `PROTOCOLS` adds its protocols.

    `samples`: answers per question unless the run says otherwise; `can_vary`: whether it may. `shots`: worked examples
    that it wants. `combinations`: what is made of a question's samples, in the tables `name-combination`;
    `scored_combinations`: what is made of them where a scorer model has rated each, which needs `scored`.
    """

    name: ClassVar[str]
    needs_backend: ClassVar[bool] = True
    samples: ClassVar[int] = 1
    can_vary: ClassVar[bool] = False
    shots: ClassVar[int] = 0
    combinations: ClassVar[Mapping[str, Combine]] = {}
    scored_combinations: ClassVar[Mapping[str, Combine]] = {}

    def refusal(self, backend: str, asked: Sequence[Asked]) -> str:
        """Why this assistant cannot be asked so, in words, before anything is asked; empty when it can."""
        if backend == SCRIPTED:
            return "a scripted assistant is no model and has no answers of its own; use --protocol scripted-stance."
        return ""

    @abstractmethod
    def prompts(self, asked: Asked) -> tuple[Prompt, ...]:
        """The versioned texts that this question is asked with."""

    @abstractmethod
    async def answer(self, asked: Asked, backend: Backend | None, sample: Sample) -> Given:
        """Ask. Raises BackendError."""

    def scorer_prompts(self) -> tuple[Prompt, ...]:
        """The texts that a scorer model is asked with."""
        return ()

    async def scored(self, asked: Asked, given: Given, scorer: Backend) -> Given:
        """The sample with the scorer's rating of it. Raises BackendError."""
        raise NotImplementedError(f"{self.name} has nothing that a scorer could rate")
