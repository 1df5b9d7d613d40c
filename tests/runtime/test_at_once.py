"""Commands of one session that reach several processes at the same moment: one after the other, and none is lost."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from studies.runtime import chat, operations, sessions, survey
from studies.runtime.models import Event, ParticipantSession, SurveyAnswer, Trial
from studies.runtime.rules import Refusal
from tests.small_study import SURVEY, make_study

pytestmark = pytest.mark.django_db(transaction=True)
PROCESSES = 4


@pytest.fixture
def session() -> ParticipantSession:
    session, _ = sessions.join(study=make_study(), now=timezone.now())
    sessions.begin(session_id=session.pk, now=timezone.now())
    operations.open_next_trial(session_id=session.pk, position=1, now=timezone.now())
    return session


def at_once(deed: Callable[[int], object], times: int = PROCESSES) -> list[str]:
    """Do it in several threads that start together; what each was told. Anything but a refusal is raised."""
    together = Barrier(times)

    def one(number: int) -> str:
        try:
            together.wait(10)
            deed(number)
        except Refusal as refusal:
            return refusal.code
        else:
            return "ok"
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as people:
        return list(people.map(one, range(times)))


def test_drafts_that_come_at_once_are_all_in_the_log(session: ParticipantSession) -> None:
    def drafts(number: int) -> None:
        for _ in range(5):
            choice = {"option": number, "confidence": None, "position": 1}
            operations.save_draft(session_id=session.pk, command_id=uuid4(), now=timezone.now(), **choice)

    assert at_once(drafts) == ["ok"] * PROCESSES
    kept = Event.objects.filter(session=session).order_by("seq")
    assert [event.seq for event in kept] == list(range(1, len(kept) + 1))
    assert sum(event.type == "draft" for event in kept) == 5 * PROCESSES
    assert ParticipantSession.objects.get(pk=session.pk).head == kept.last().hash


def test_one_answer_that_comes_from_two_sockets_is_stored_once(session: ParticipantSession) -> None:
    same = {"session_id": session.pk, "position": 1, "command_id": uuid4(), "option": 2, "confidence": 0.6}
    assert at_once(lambda _: operations.submit_answer(now=timezone.now(), **same)) == ["ok"] * PROCESSES
    assert Event.objects.filter(session=session, type="submit").count() == 1


def test_different_answers_at_once_are_one_answer_and_refusals(session: ParticipantSession) -> None:
    def answers(number: int) -> None:
        choice = {"option": number, "confidence": 0.6, "position": 1}
        operations.submit_answer(session_id=session.pk, command_id=uuid4(), now=timezone.now(), **choice)

    told = at_once(answers)
    assert sorted(told) == ["already_closed"] * (PROCESSES - 1) + ["ok"]
    assert Trial.objects.get(session=session, position=1).answer == told.index("ok")


def test_a_question_is_opened_once(session: ParticipantSession) -> None:
    choice = {"position": 1, "option": 0, "confidence": 0.6, "command_id": uuid4()}
    operations.submit_answer(session_id=session.pk, now=timezone.now(), **choice)
    told = at_once(lambda _: operations.open_next_trial(session_id=session.pk, position=2, now=timezone.now()))
    assert told == ["ok"] * PROCESSES
    assert Event.objects.filter(session=session, type="opened", trial__position=2).count() == 1


def test_of_two_messages_at_once_one_gets_a_reply(session: ParticipantSession) -> None:
    trials = session.trials.select_related("condition").order_by("position")
    position = next(trial.position for trial in trials if trial.condition.name == "chat")
    for before in range(1, position):
        operations.open_next_trial(session_id=session.pk, position=before, now=timezone.now())
        choice = {"position": before, "option": 0, "confidence": 0.6, "command_id": uuid4()}
        operations.submit_answer(session_id=session.pk, now=timezone.now(), **choice)
    here = {"session_id": session.pk, "position": position}
    operations.open_next_trial(now=timezone.now(), **here)
    told = at_once(lambda _: chat.send_message(command_id=uuid4(), text="Why?", now=timezone.now(), **here))
    assert sorted(told) == ["ok"] + ["reply_running"] * (PROCESSES - 1)


def test_a_survey_that_is_sent_at_once_from_several_tabs_is_stored_once(db: None) -> None:
    session, _ = sessions.join(study=make_study(more=SURVEY), now=timezone.now())
    sessions.begin(session_id=session.pk, now=timezone.now())
    for position in range(1, 7):
        operations.open_next_trial(session_id=session.pk, position=position, now=timezone.now())
        choice = {"position": position, "option": 0, "confidence": 0.6, "command_id": uuid4()}
        operations.submit_answer(session_id=session.pk, now=timezone.now(), **choice)
    sessions.finish(session_id=session.pk, now=timezone.now())

    def sends(number: int) -> None:
        survey.send(session_id=session.pk, form={"trust": str(number + 1)}, now=timezone.now())

    assert at_once(sends) == ["ok"] * PROCESSES
    assert SurveyAnswer.objects.filter(session=session).count() == 1
    ended = Event.objects.filter(session=session, type__in=["survey", "finish"]).order_by("seq")
    assert list(ended.values_list("type", flat=True)) == ["survey", "finish"]
