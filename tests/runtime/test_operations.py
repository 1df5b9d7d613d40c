"""Trials on real rows: the rules of time and durability, and constraints that defend themselves."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from studies.runtime import access, erasure, operations, sessions, sweep, verify
from studies.runtime.models import Event, ParticipantSession, Trial
from studies.runtime.rules import Refusal
from tests.runtime.conftest import Person


def refusal(command: object, *args: object) -> str:
    with pytest.raises(Refusal) as refused:
        command(*args)  # type: ignore[operator]
    return refused.value.code


def test_the_clock_starts_only_when_the_person_opens(person: Person) -> None:
    person.later(86_400)
    timed = person.answer_until("timed")
    assert timed.opened_at == person.now
    assert timed.deadline_at == person.now + timedelta(seconds=300)


def test_an_absent_person_does_not_time_out_through_the_rest(person: Person) -> None:
    timed = person.answer_until("timed")
    person.later(7_200)
    assert sweep.sweep(now=person.now)["closed"] == 1
    states = set(person.session.trials.filter(position__gt=timed.position).values_list("state", flat=True))
    assert states == {"planned"}


def test_opening_again_does_not_move_the_deadline(person: Person) -> None:
    timed = person.answer_until("timed")
    again = person.later(30).open(timed.position)
    assert again.deadline_at == timed.deadline_at
    assert Event.objects.filter(session=person.session, type="opened", trial=timed).count() == 1


def test_questions_are_opened_in_order_one_at_a_time(person: Person) -> None:
    assert refusal(person.open, 2) == "wrong_question"
    person.open(1)
    assert refusal(person.open, 2) == "another_open"


def test_an_answer_is_stored_once_and_a_resend_changes_nothing(person: Person) -> None:
    person.open(1)
    same = {"session_id": person.session_id, "position": 1, "command_id": uuid4(), "confidence": 0.8}
    operations.submit_answer(option=2, now=person.now, **same)
    seq = ParticipantSession.objects.get(pk=person.session_id).last_seq
    operations.submit_answer(option=3, now=person.now + timedelta(seconds=9), **same)
    assert person.trial(1).answer == 2
    assert ParticipantSession.objects.get(pk=person.session_id).last_seq == seq


def test_a_second_different_answer_is_refused(person: Person) -> None:
    person.open(1)
    person.submit(1, 2)
    assert refusal(person.submit, 1, 3) == "already_closed"


def test_answer_after_deadline_and_grace_is_refused_and_never_stored(person: Person) -> None:
    timed = person.answer_until("timed")
    person.later(302.001)
    assert refusal(person.submit, timed.position) == "too_late"
    stored = person.trial(timed.position)
    assert (stored.state, stored.answer, stored.confidence, stored.submitted_by) == ("timed_out", None, None, "")


def test_answer_in_the_grace_is_stored_and_marked(person: Person) -> None:
    timed = person.answer_until("timed")
    person.later(301.9).submit(timed.position, 2)
    stored = person.trial(timed.position)
    assert (stored.state, stored.answer, stored.in_grace, stored.submitted_by) == ("answered", 2, True, "person")


def test_a_server_whose_clock_is_behind_does_not_close_a_trial_before_it_was_opened(person: Person) -> None:
    timed = person.answer_until("timed")
    person.later(-0.7).submit(timed.position)
    stored = person.trial(timed.position)
    assert (stored.closed_at, stored.in_grace) == (timed.opened_at, False)
    assert [verdict.problems for verdict in verify.verify(person.session.study)] == [()]


def test_the_draft_is_submitted_at_the_deadline(person: Person) -> None:
    timed = person.answer_until("timed")
    person.later(10).draft(timed.position, 3)
    person.later(300)
    operations.close_if_due(session_id=person.session_id, now=person.now)
    stored = person.trial(timed.position)
    assert (stored.state, stored.answer, stored.confidence) == ("answered", 3, None)
    assert (stored.submitted_by, stored.in_grace) == ("timer", False)


def test_closing_twice_closes_once(person: Person) -> None:
    person.answer_until("timed")
    person.later(400)
    assert operations.close_if_due(session_id=person.session_id, now=person.now)
    assert not operations.close_if_due(session_id=person.session_id, now=person.now)
    assert Event.objects.filter(session=person.session, type="timeout").count() == 1


def test_a_late_command_closes_the_trial_itself(person: Person) -> None:
    timed = person.answer_until("timed")
    person.later(400)
    assert refusal(person.draft, timed.position, 1) == "too_late"
    assert person.trial(timed.position).state == "timed_out"


@pytest.mark.parametrize("touch", ["report", "withdraw", "erase"])
def test_whatever_touches_the_session_closes_an_overdue_trial(person: Person, touch: str) -> None:
    timed = person.answer_until("timed")
    person.later((timed.time_limit_seconds or 0) + 3)
    here = {"session_id": person.session_id, "now": person.now}
    if touch == "report":
        sessions.report(kind="focus", counts={}, **here)
    elif touch == "withdraw":
        sessions.withdraw(**here)
    else:
        erasure.erase(**here)
    assert person.trial(timed.position).state == Trial.State.TIMED_OUT


def test_finishing_needs_every_question(person: Person) -> None:
    def finish() -> None:
        sessions.finish(session_id=person.session_id, now=person.now)

    assert refusal(finish) == "questions_left"
    for position in range(1, 7):
        person.open(position)
        assert refusal(finish) == "questions_left"
        person.submit(position)
    finish()
    finish()
    session = ParticipantSession.objects.get(pk=person.session_id)
    assert session.state == "completed"
    assert re.fullmatch(r"[B-Z]{8}", session.completion_code)  # letters alone: no spreadsheet takes it for a number


def test_withdrawing_ends_everything(person: Person) -> None:
    person.open(1)
    sessions.withdraw(session_id=person.session_id, now=person.now)
    assert refusal(person.submit, 1) == "session_over"
    person.session.slot.refresh_from_db()
    assert not person.session.slot.is_taken


def test_somebody_away_for_too_long_gives_the_slot_back(person: Person) -> None:
    slot = person.session.slot
    assert sweep.abandon_absent(now=person.now + timedelta(days=60)) == 1
    slot.refresh_from_db()
    assert not slot.is_taken
    again, _ = sessions.join(study=person.session.study, now=person.now, slot_number=slot.number)
    assert (again.slot_id, again.attempt) == (slot.pk, person.session.attempt + 1)


def test_the_same_entry_id_comes_back_to_the_same_session(person: Person) -> None:
    study = person.session.study
    first, token = sessions.join(study=study, now=person.now, entry=("prolific", "p1"))
    second, same_token = sessions.join(study=study, now=person.now, entry=("prolific", "p1"))
    other, _ = sessions.join(study=study, now=person.now, entry=("prolific", "p2"))
    assert (first.pk, token) == (second.pk, same_token)
    assert other.slot_id != first.slot_id


def test_who_comes_back_by_their_link_is_known_after_another_secret_key(person: Person, settings: Any) -> None:
    study = person.session.study
    first, before = sessions.join(study=study, now=person.now, entry=("prolific", "p1"))
    settings.SECRET_KEY = "another key, after the file was lost: 0123456789abcdefghij"
    again, token = sessions.join(study=study, now=person.now, entry=("prolific", "p1"))
    assert again == first
    assert token != before
    assert access.session_by_token(token) == first


@pytest.mark.parametrize(
    "values",
    [
        {"state": "answered"},
        {"state": "answered", "answer": 1, "submitted_by": "person"},
        {"state": "timed_out", "answer": 1},
        {"state": "planned", "answer": 1},
        {"state": "open"},
        {"confidence": 1.5},
    ],
)
def test_the_database_refuses_a_bent_trial(person: Person, values: dict[str, object]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Trial.objects.filter(session=person.session, position=1).update(**values)


def test_the_database_refuses_two_open_trials(person: Person) -> None:
    person.open(1)
    with pytest.raises(IntegrityError), transaction.atomic():
        Trial.objects.filter(session=person.session, position=2).update(state="open", opened_at=person.now)
