"""The scripted assistant's planned answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from studies.assistant.types import Backend
from studies.baselines.protocols.base import SCRIPTED, Asked, BaselineProtocol, Given, Sample


class ScriptedStance(BaselineProtocol):
    """For the scripted assistant the planned stances are its answers. It has no probabilities: none are made up."""

    name = "scripted-stance"
    needs_backend: ClassVar[bool] = False

    def refusal(self, backend: str, asked: Sequence[Asked]) -> str:
        if backend != SCRIPTED:
            return "only a scripted assistant has planned answers; use --protocol zero-shot."
        missing = sum(one.stance is None for one in asked)
        if missing:
            return (
                f"{missing} of {len(asked)} questions have no planned stance of this assistant. With "
                'stance_per = "trial" it has no one answer to a question, and so no baseline.'
            )
        return ""

    def prompts(self, asked: Asked) -> tuple[()]:
        return ()

    async def answer(self, asked: Asked, backend: Backend | None, sample: Sample) -> Given:
        return Given(asked.stance, None)


PROTOCOLS = (ScriptedStance(),)
