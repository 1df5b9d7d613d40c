"""What a participant sees in a pause: that time stands still, and nothing of the task on any page."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from django.utils import timezone

from studies.design.models import Study
from studies.jobs.executor import on_database
from studies.management.bots import page as pages
from studies.runtime import pauses
from studies.runtime.models import Participant, ParticipantSession, Trial
from tests.participant.visitor import Visitor
from tests.small_study import make_study

pytestmark = pytest.mark.django_db(transaction=True)
HIDDEN = "The study is paused"
ADDRESSES = ("/session/", "/session/instructions/", "/session/withdraw/")


@pytest.fixture
async def visitor() -> AsyncIterator[Visitor]:
    study = await on_database(make_study)
    visitor = Visitor(f"/join/{study.join_code}/")
    yield visitor
    await visitor.leave()


async def of(visitor: Visitor, operation: Any, **arguments: Any) -> None:
    """Pause or resume the visitor's session."""
    session = await on_database(ParticipantSession.objects.select_related("study").latest, "pk")
    await on_database(operation, study=session.study, session=session, now=timezone.now(), **arguments)


def words_of_the_task(position: int) -> set[str]:
    trial = Trial.objects.select_related("question__passage").get(position=position)
    passage = trial.question.passage
    texts = [trial.question.text, *trial.question.options, *([passage.title, passage.text] if passage else [])]
    return {line for text in texts for line in text.splitlines() if line.strip()}


async def test_no_byte_of_the_task_is_on_any_page(visitor: Visitor) -> None:
    shown = await visitor.open_next(await visitor.begin())
    for position in range(1, 7):
        hidden = await on_database(words_of_the_task, position)
        await visitor.connect()
        before = "".join(visitor.received)
        assert {words for words in hidden if words in before} == hidden
        await of(visitor, pauses.pause, reason="SECRET REASON")
        await visitor.leave()
        start = len(visitor.received)
        for address in (*ADDRESSES, visitor.join_path):
            await visitor.get(address)
            assert visitor.status == 200
            assert (HIDDEN in visitor.received[-1]) == (address in ("/session/", visitor.join_path))
        await visitor.answer(shown)
        assert (visitor.status, HIDDEN in visitor.received[-1]) == (409, True)
        await visitor.connect()
        await visitor.command("draft", position=position, option=1, confidence=0.6)
        await visitor.leave()
        after = "".join(visitor.received[start:])
        assert set(re.findall(r'"deadline_at": (\w+)', after)) == {"null"}
        assert {words for words in hidden if words in after} == set()
        assert "SECRET REASON" not in after
        await of(visitor, pauses.resume)
        shown = await visitor.answer(await visitor.get("/session/"))
        assert "open-next" in shown.ids or position == 6
        if position < 6:
            shown = await visitor.open_next(shown)


async def test_the_feedback_between_two_questions_is_hidden_too(visitor: Visitor) -> None:
    await visitor.answer(await visitor.open_next(await visitor.begin()))
    assert "correct answer" in visitor.received[-1]
    await of(visitor, pauses.pause, reason="a test")
    await visitor.get("/session/")
    assert HIDDEN in visitor.received[-1]
    assert "correct answer" not in visitor.received[-1]


async def test_the_page_says_that_time_stands_still_and_comes_back_without_javascript(visitor: Visitor) -> None:
    await visitor.open_next(await visitor.begin())
    await of(visitor, pauses.pause, reason="a test")
    await visitor.get("/session/")
    page = visitor.received[-1]
    assert "Your time stands still" in page
    assert '<noscript><meta http-equiv="refresh" content="15; url=/session/"></noscript>' in page


async def test_the_instructions_stay_readable(visitor: Visitor) -> None:
    await visitor.open_next(await visitor.begin())
    await of(visitor, pauses.pause, reason="a test")
    await visitor.get("/session/instructions/")
    assert "Answer the questions. The assistant can be wrong." in visitor.received[-1]


async def test_every_post_says_that_it_was_not_taken_and_works_afterwards(visitor: Visitor) -> None:
    async def refused(path: str, shown: pages.Page, **values: object) -> None:
        form = shown.form(path)
        assert form is not None
        await of(visitor, pauses.pause, reason="a test")
        await visitor.post("", form, **values)
        assert visitor.status == 409
        assert HIDDEN in visitor.received[-1]
        assert "was not taken" in visitor.received[-1]
        await of(visitor, pauses.resume)

    async def trials(**wanted: object) -> int:
        return await on_database(Trial.objects.filter(**wanted).count)

    shown = await visitor.join()
    await refused("/session/begin/", shown)
    shown = await visitor.post("", shown.forms[0])
    await refused("/session/open/", shown)
    assert await trials(state="open") == 0
    shown = await visitor.open_next(shown)
    await refused("/session/answer/", shown, option=1, confidence=0.6)
    assert await trials(state="answered") == 0
    for _ in range(5):
        shown = await visitor.open_next(await visitor.answer(shown))
    shown = await visitor.answer(shown)
    await refused("/session/finish/", shown)
    await visitor.post("", shown.form("/session/finish/"))  # type: ignore[arg-type]
    session = await on_database(ParticipantSession.objects.get)
    assert session.completion_code in visitor.received[-1]


async def test_whoever_comes_to_a_paused_study_is_asked_to_come_back_and_takes_no_slot(visitor: Visitor) -> None:
    consent = await visitor.get(visitor.join_path)
    study = await on_database(Study.objects.get)
    await on_database(pauses.pause, study=study, session=None, reason="a test", now=timezone.now())
    await visitor.post(visitor.join_path, consent.forms[0], consent="yes")
    assert visitor.status == 409
    assert "come back later" in visitor.received[-1]
    shown = await visitor.get(visitor.join_path)
    assert (visitor.status, shown.forms) == (200, [])
    assert "come back later" in visitor.received[-1]
    assert await on_database(Participant.objects.count) == 0
    assert await on_database(study.slots.filter(is_taken=True).count) == 0
    await on_database(pauses.resume, study=study, session=None, now=timezone.now())
    await visitor.join()
    assert await on_database(ParticipantSession.objects.count) == 1


async def test_withdrawing_stays_possible(visitor: Visitor) -> None:
    await visitor.open_next(await visitor.begin())
    await of(visitor, pauses.pause, reason="a test")
    shown = await visitor.get("/session/withdraw/")
    await visitor.post("/session/withdraw/", shown.forms[0], choice="keep")
    assert "You have withdrawn" in visitor.received[-1]
    assert (await on_database(ParticipantSession.objects.get)).state == "withdrawn"
