"""An exclusion is a flag with a reason, a time and a person behind it; every decision is in the log."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from studies.reports import queries
from studies.runtime import erasure, exclusions, sessions, snapshot, verify
from studies.runtime.exclusions import CannotExclude
from studies.runtime.models import ParticipantSession, Trial
from tests.runtime.conftest import Person
from tests.small_study import NOW, make_study

WHY = "failed both checks"


def exclude(person: Person, reason: str = WHY, **more: Any) -> None:
    decision = {"is_post_hoc": False, "is_registered": True, "by": None, **more}
    exclusions.exclude(session_id=person.session_id, reason=reason, now=person.later(60).now, **decision)


def take_back(person: Person, **more: Any) -> None:
    decision = {"is_post_hoc": False, "by": None, **more}
    exclusions.take_back(session_id=person.session_id, now=person.later(60).now, **decision)


def row(person: Person) -> ParticipantSession:
    return ParticipantSession.objects.select_related("study").get(pk=person.session_id)


def problems(person: Person) -> tuple[str, ...]:
    [verdict] = verify.verify(person.session.study)
    return verdict.problems


@pytest.fixture
def answering(person: Person) -> Person:
    """Somebody with one answer and an open question."""
    person.answer_and_reach_chat()
    return person


def test_it_keeps_why_when_who_and_whether_outcomes_had_been_seen(answering: Person) -> None:
    ada = User.objects.create_user("ada")
    exclude(answering, f"  {WHY} ", is_post_hoc=True, by=ada)
    session = row(answering)
    assert (session.is_excluded, session.exclusion_reason, session.is_exclusion_post_hoc) == (True, WHY, True)
    assert (session.exclusion_decided_at, session.exclusion_decided_by) == (answering.now, ada)
    event = session.events.latest("seq")
    assert (event.type, event.at) == ("excluded", answering.now)
    assert event.data == {"reason": WHY, "post_hoc": True, "registered": True, "by": ada.pk}


def test_the_person_and_what_was_given_stay_as_they_were(answering: Person) -> None:
    before, sums = row(answering), queries.sums(answering.session.study)
    trials = list(Trial.objects.values())
    exclude(answering)
    after = row(answering)
    assert list(Trial.objects.values()) == trials
    assert (after.state, after.last_seen_at) == (before.state, before.last_seen_at)
    told, was = snapshot.snapshot(after), snapshot.snapshot(before)
    assert told == was | {"seq": was["seq"] + 1}
    counted = queries.sums(answering.session.study)
    assert (counted.sessions, counted.trials, sums.excluded, counted.excluded) == (sums.sessions, sums.trials, 0, 1)
    open_trial = Trial.objects.get(state="open")
    answering.submit(open_trial.position)
    assert Trial.objects.get(pk=open_trial.pk).state == "answered"


def test_it_is_taken_back_and_both_decisions_stay_in_the_log(answering: Person) -> None:
    exclude(answering)
    take_back(answering, is_post_hoc=True)
    session = row(answering)
    assert (session.is_excluded, session.exclusion_reason, session.is_exclusion_post_hoc) == (False, "", True)
    assert session.exclusion_decided_at == answering.now
    decisions = session.events.filter(type__in=exclusions.DECISIONS).order_by("seq")
    assert [(event.type, event.data.get("reason")) for event in decisions] == [("excluded", WHY), ("included", None)]
    assert problems(answering) == ()
    exclude(answering, "another")
    assert (row(answering).exclusion_reason, row(answering).is_exclusion_post_hoc) == ("another", False)
    assert problems(answering) == ()


@pytest.mark.parametrize("reason", ["", "   ", "x" * 301])
def test_a_reason_is_needed_and_it_is_short(answering: Person, reason: str) -> None:
    with pytest.raises(CannotExclude, match=rf"the reason has {len(reason.strip())} characters; write 1 to 300"):
        exclude(answering, reason)
    assert not row(answering).is_excluded


def test_the_first_decision_stands_until_it_is_taken_back(answering: Person) -> None:
    with pytest.raises(CannotExclude, match="not excluded, so there is nothing to take back"):
        take_back(answering)
    exclude(answering)
    last_seq = row(answering).last_seq
    with pytest.raises(CannotExclude, match=r"excluded already \(failed both checks\)"):
        exclude(answering, "a better one")
    assert (row(answering).exclusion_reason, row(answering).last_seq) == (WHY, last_seq)


def test_whoever_withdrew_is_out_anyway(answering: Person) -> None:
    sessions.withdraw(session_id=answering.session_id, now=answering.now)
    with pytest.raises(CannotExclude, match="whoever withdrew is in no table and no figure anyway"):
        exclude(answering)


def test_an_erasure_keeps_the_exclusion_and_it_can_still_be_taken_back(answering: Person) -> None:
    exclude(answering)
    erasure.erase(session_id=answering.session_id, now=answering.later(60).now)
    assert (row(answering).is_excluded, row(answering).exclusion_reason) == (True, WHY)
    assert problems(answering) == ()
    take_back(answering)
    assert not row(answering).is_excluded
    assert problems(answering) == ()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"is_excluded": False}, "excluded in the log, not in the row"),
        ({"exclusion_reason": "slept"}, "exclusion, reason: slept in the row, failed both checks in the log"),
        ({"is_exclusion_post_hoc": False}, "exclusion, post hoc: False in the row, True in the log"),
        ({"exclusion_decided_at": NOW}, "exclusion, time: 2"),
    ],
)
def test_the_verifier_finds_a_decision_that_was_changed_by_hand(
    answering: Person, changed: dict[str, object], words: str
) -> None:
    exclude(answering, is_post_hoc=True)
    assert problems(answering) == ()
    ParticipantSession.objects.update(**changed)
    [problem] = problems(answering)
    assert problem.startswith(words)


def test_the_verifier_finds_an_exclusion_that_nobody_logged(answering: Person) -> None:
    ParticipantSession.objects.update(is_excluded=True, exclusion_reason="by hand")
    assert problems(answering) == ("excluded in the row, not in the log",)
    take_back(answering)
    exclude(answering, "by hand, once")
    assert problems(answering) == ()


@pytest.mark.parametrize(
    "changed", [{"exclusion_reason": ""}, {"exclusion_decided_at": None, "exclusion_decided_by_id": 1}]
)
def test_the_database_refuses_a_decision_without_reason_or_time(answering: Person, changed: dict[str, object]) -> None:
    User.objects.create_user("ada", pk=1)
    exclude(answering)
    with pytest.raises(IntegrityError), transaction.atomic():
        ParticipantSession.objects.update(**changed)


@pytest.mark.django_db(transaction=True)
def test_of_decisions_at_the_same_moment_one_is_taken() -> None:
    session, _ = sessions.join(study=make_study(), now=timezone.now())

    def decide(number: int) -> str:
        try:
            exclusions.exclude(
                session_id=session.pk, reason=f"r{number}", is_post_hoc=False, is_registered=False, by=None,
                now=timezone.now(),
            )  # fmt: skip
        except CannotExclude:
            return "refused"
        else:
            return f"r{number}"
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as people:
        told = list(people.map(decide, range(4)))
    [reason] = {each for each in told if each != "refused"}
    assert told.count("refused") == 3
    assert ParticipantSession.objects.get().exclusion_reason == reason
    [verdict] = verify.verify(session.study)
    assert verdict.problems == ()
