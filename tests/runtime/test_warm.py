"""Who reads ahead: each text once, whatever it begins with, and again when it was not read."""

import asyncio
import uuid
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from studies.assistant.types import BackendError, ErrorCode, Turn
from studies.design.models import Assistant
from studies.jobs.executor import on_database
from studies.runtime import backends, operations, sessions, warm
from studies.runtime.models import Trial
from tests.runtime.test_engine_reply import with_a_story_next
from tests.small_study import NOW, make_study

pytestmark = pytest.mark.django_db(transaction=True)


class Reader:
    """A backend that notes what it is to read; it fails as often as it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[Turn, ...]] = []
        self.failing: list[Exception] = []

    async def warm(self, turns: tuple[Turn, ...]) -> None:
        self.asked.append(turns)
        if self.failing:
            raise self.failing.pop()


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    reader = Reader()

    async def of(assistant: Assistant) -> Any:
        return reader

    monkeypatch.setattr(backends, "of", of)
    warm._asked.clear()
    yield reader
    warm._asked.clear()


def next_story(**options: str) -> Trial:
    trial = with_a_story_next()
    assert trial.assistant_id is not None
    Assistant.objects.filter(pk=trial.assistant_id).update(backend="engine", options=options)
    return trial


async def warmed(trial: Trial) -> None:
    warm.start(trial.session_id)
    await asyncio.gather(*list(warm._tasks))


async def test_what_was_asked_for_is_not_asked_for_again(reader: Reader) -> None:
    trial = await on_database(next_story)
    await warmed(trial)
    await warmed(trial)
    assert len(reader.asked) == 1


async def test_another_stance_on_the_same_story_is_another_text(reader: Reader) -> None:
    """A prompted assistant's system prompt stands before the story: what comes after it was never read."""
    trial = await on_database(next_story, unreliability="prompted")
    for stance in (0, 1, 0):
        await on_database(Trial.objects.filter(pk=trial.pk).update, stance=stance)
        await warmed(trial)
    first, second = reader.asked
    assert first[0] != second[0]
    assert first[1] == second[1]


@pytest.mark.parametrize("error", [BackendError(ErrorCode.UNREACHABLE, "it is starting"), RuntimeError("odd")])
async def test_a_story_that_was_not_read_is_asked_for_again(reader: Reader, error: Exception) -> None:
    trial = await on_database(next_story)
    reader.failing = [error]
    await warmed(trial)
    await warmed(trial)
    await warmed(trial)
    assert len(reader.asked) == 2


def interleaved_session() -> list[Trial]:
    """The trials of a session that comes from a question alone to a story with a chat, at the first question."""
    study = make_study(assignment__method="interleaved")
    for _ in range(study.slots.count()):
        session, _token = sessions.join(study=study, now=NOW)
        sessions.begin(session_id=session.pk, now=NOW)
        trials = list(session.trials.select_related("question__passage", "condition").order_by("position"))
        if any(before.condition.assistance == "none" and has_story(after) for before, after in pairwise(trials)):
            study.assistants.update(backend="engine")
            return trials
    raise AssertionError("in no slot a story with a chat follows a question alone")


def has_story(trial: Trial) -> bool:
    return trial.condition.assistance == "chat" and trial.question.passage is not None


def done(trial: Trial) -> None:
    operations.open_next_trial(session_id=trial.session_id, position=trial.position, now=NOW)
    operations.submit_answer(
        session_id=trial.session_id,
        position=trial.position,
        command_id=uuid.uuid4(),
        option=0,
        confidence=0.6,
        now=NOW,
    )


async def test_where_conditions_alternate_the_next_question_decides_what_is_read(reader: Reader) -> None:
    trials = await on_database(interleaved_session)
    expected: list[str] = []
    for trial in trials:
        await warmed(trial)
        if has_story(trial):
            assert trial.question.passage is not None
            expected.append(trial.question.passage.text)
        assert [text in turns[-1].text for text, turns in zip(expected, reader.asked, strict=True)] == [True] * len(
            expected
        )
        await on_database(done, trial)
    assert len(expected) == 1
