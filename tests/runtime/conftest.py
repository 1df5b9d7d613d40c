"""A launched small study with one person in it, and a clock that only the test moves."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from studies.runtime import operations, sessions
from studies.runtime.models import ParticipantSession, Trial
from tests.small_study import NOW, make_study


@dataclass
class Person:
    """A participant whose commands are given at the test's own time."""

    session: ParticipantSession
    token: str
    now: datetime = NOW

    def later(self, seconds: float) -> "Person":
        self.now += timedelta(seconds=seconds)
        return self

    @property
    def session_id(self) -> int:
        return self.session.pk

    def open(self, position: int) -> Trial:
        return operations.open_next_trial(session_id=self.session_id, position=position, now=self.now)

    def draft(self, position: int, option: int | None, confidence: float | None = None, **more: Any) -> None:
        operations.save_draft(
            session_id=self.session_id,
            position=position,
            option=option,
            confidence=confidence,
            now=self.now,
            **{"command_id": uuid4(), **more},
        )

    def submit(
        self, position: int, option: int | None = 1, confidence: float | None = 0.6, command_id: UUID | None = None
    ) -> None:
        operations.submit_answer(
            session_id=self.session_id,
            position=position,
            command_id=command_id or uuid4(),
            option=option,
            confidence=confidence,
            now=self.now,
        )

    def trial(self, position: int) -> Trial:
        return self.session.trials.select_related("condition", "question").get(position=position)

    def answer_until(self, wanted: str, *, after: int = 0) -> Trial:
        """Answer the questions before the first one that is `wanted` (chat, alone, timed), and open that one."""
        for trial in self.session.trials.filter(position__gt=after).select_related("condition").order_by("position"):
            self.open(trial.position)
            if wanted in (trial.condition.name, "timed" if trial.time_limit_seconds else ""):
                return self.trial(trial.position)
            self.submit(trial.position)
        raise AssertionError(f"no {wanted} trial in the plan")

    def answer_and_reach_chat(self) -> Trial:
        """Answer the first question whatever it is, and open the next one that has an assistant."""
        self.open(1)
        self.submit(1)
        return self.answer_until("chat", after=1)


@pytest.fixture
def person(db: None) -> Person:
    session, token = sessions.join(study=make_study(), now=NOW)
    sessions.begin(session_id=session.pk, now=NOW)
    session.refresh_from_db()
    return Person(session, token)
