"""Who reads ahead: each text once, whatever it begins with, and again when it was not read."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from studies.assistant.types import BackendError, ErrorCode, Turn
from studies.design.models import Assistant
from studies.jobs.executor import on_database
from studies.runtime import backends, warm
from studies.runtime.models import Trial
from tests.runtime.test_engine_reply import with_a_story_next

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
