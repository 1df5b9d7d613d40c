"""The likeliest letter, after the paper's prompt: with no example, with five, and in every rotation of the options.

Bowman et al. 2022 (arXiv 2211.03540), after Kadavath et al. 2022.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from studies.assistant.prompts import Prompt
from studies.assistant.prompts.questions import zero_shot, zero_shot_prompt
from studies.assistant.types import Backend, ScoreRequest, Turn
from studies.baselines.protocols.asking import letters, likeliest, of_shares, required
from studies.baselines.protocols.base import SCRIPTED, Asked, BaselineProtocol, Combine, Given, Sample


class ZeroShot(BaselineProtocol):
    """The likeliest letter after the question; its probabilities, normalised over the letters: the confidence."""

    name = "zero-shot"

    def refusal(self, backend: str, asked: Sequence[Asked]) -> str:
        if backend == SCRIPTED:
            return "a scripted assistant has no likelihoods of its own; use --protocol scripted-stance."
        return ""

    def prompts(self, asked: Asked) -> tuple[Prompt, ...]:
        return (zero_shot_prompt(asked.passage),)

    async def answer(self, asked: Asked, backend: Backend | None, sample: Sample) -> Given:
        return await self._likeliest(asked, required(backend), asked.options)

    async def _likeliest(self, asked: Asked, backend: Backend, options: Sequence[str]) -> Given:
        names = letters(len(options))
        turns = (*_worked(asked), *zero_shot(asked.question, options, asked.passage))
        return await likeliest(backend, ScoreRequest(continuations=names, turns=turns), names)


class FewShot(ZeroShot):
    """The same after five worked examples of the subject's dev split, each a turn of its own."""

    name = "5-shot"
    shots: ClassVar[int] = 5

    def refusal(self, backend: str, asked: Sequence[Asked]) -> str:
        long = sum(bool(one.passage) for one in asked)
        if long:
            return f"{long} of {len(asked)} questions have a passage, and five passages as examples would not fit."
        return super().refusal(backend, asked)


def mean_of_probabilities(samples: Sequence[Given], options: int) -> Given:
    """The option with the largest mean probability over the samples that have any."""
    known = [given.probabilities for given in samples if given.probabilities is not None]
    if not known:
        return Given(None, None)
    means = [sum(column) / len(known) for column in zip(*known, strict=True)]
    return of_shares(means, {"rotations": len(known)}, letters(len(means)))


class Rotations(ZeroShot):
    """The options in all their rotations: sample r shows option (i + r) mod n at place i. Reveals position bias.

    Combined: the mean of the probabilities over the rotations, by which no place has an advantage.
    """

    name = "rotations"
    samples: ClassVar[int] = 4
    combinations: ClassVar[Mapping[str, Combine]] = {"mean": mean_of_probabilities}

    def refusal(self, backend: str, asked: Sequence[Asked]) -> str:
        other = sum(len(one.options) != self.samples for one in asked)
        if other:
            return f"{other} of {len(asked)} questions do not have {self.samples} options."
        return super().refusal(backend, asked)

    async def answer(self, asked: Asked, backend: Backend | None, sample: Sample) -> Given:
        count = len(asked.options)
        shown = [(place + sample.number) % count for place in range(count)]
        given = await self._likeliest(asked, required(backend), [asked.options[index] for index in shown])
        if given.probabilities is None:
            raise ValueError("letters without probabilities")
        shares = [given.probabilities[shown.index(index)] for index in range(count)]
        place = None if given.option is None else letters(len(asked.options))[given.option]
        option = None if given.option is None else shown[given.option]
        return Given(option, tuple(shares), given.raw | {"shown": shown, "place": place})


def _worked(asked: Asked) -> tuple[Turn, ...]:
    turns: list[Turn] = []
    for shot in asked.shots:
        question, opened = zero_shot(shot.question, shot.options)
        turns += [question, Turn("assistant", f"{opened.text}{letters(len(shot.options))[shot.key]})")]
    return tuple(turns)


PROTOCOLS = (ZeroShot(), FewShot(), Rotations())
