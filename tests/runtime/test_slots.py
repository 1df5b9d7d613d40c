"""A slot that was given back is taken by a new attempt: the arms stay balanced, and both people's data stay."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest

from studies.design import operations as design
from studies.design.models import Study
from studies.design.operations import StudyFull, StudyNotOpen
from studies.reports import queries
from studies.runtime import operations, pauses, sessions, sweep
from studies.runtime.models import Event, ParticipantSession, Trial
from studies.runtime.rules import Refusal
from tests.runtime.conftest import Person
from tests.small_study import NOW, make_study

AWAY = timedelta(days=60)
Leave = Callable[[Person], None]


def withdraws(person: Person) -> None:
    sessions.withdraw(session_id=person.session_id, now=person.now)


def stays_away(person: Person) -> None:
    others = ParticipantSession.objects.exclude(pk=person.session_id)
    others.update(last_seen_at=person.now + AWAY)
    assert sweep.abandon_absent(now=person.now + AWAY) == 1


def enter(study: Study, entry: tuple[str, str] | None = None) -> Person:
    session, token = sessions.join(study=study, now=NOW, entry=entry)
    sessions.begin(session_id=session.pk, now=NOW)
    session.refresh_from_db()
    return Person(session, token)


def plan(person: Person) -> list[tuple[object, ...]]:
    fields = ("position", "block", "question", "condition", "assistant", "stance", "time_limit_seconds")
    return list(person.session.trials.order_by("position").values_list(*fields))


leaving = pytest.mark.parametrize("leave", [withdraws, stays_away])


@leaving
def test_the_next_person_gets_the_same_plan_as_a_new_attempt(person: Person, leave: Leave) -> None:
    leave(person)
    again = enter(person.session.study)
    assert (again.session.slot_id, again.session.attempt) == (person.session.slot_id, 2)
    assert plan(again) == plan(person)
    assert {trial.state for trial in again.session.trials.all()} == {"planned"}


def test_what_somebody_gave_before_staying_away_stays_beside_the_new_attempt(person: Person) -> None:
    person.open(1)
    person.submit(1, 2)
    stays_away(person)
    again = enter(person.session.study)
    again.open(1)
    again.submit(1, 3)
    answers = Trial.objects.filter(position=1, session__slot=person.session.slot).order_by("session__attempt")
    assert list(answers.values_list("session__attempt", "answer")) == [(1, 2), (2, 3)]
    kinds = Event.objects.filter(session=person.session).order_by("seq").values_list("type", flat=True)
    assert list(kinds)[-2:] == ["submit", "abandoned"]


@leaving
def test_whoever_left_can_no_longer_change_anything(person: Person, leave: Leave) -> None:
    person.open(1)
    leave(person)
    enter(person.session.study)
    same = {"session_id": person.session_id, "position": 1, "command_id": uuid4(), "option": 1, "confidence": 0.6}
    for command in (operations.submit_answer, operations.save_draft):
        with pytest.raises(Refusal, match="session_over"):
            command(now=person.now + AWAY, **same)


@leaving
def test_the_same_person_gets_no_second_attempt(db: None, leave: Leave) -> None:
    study, entry = make_study(), ("prolific", "p1")
    person = enter(study, entry)
    leave(person)
    back, _ = sessions.join(study=study, now=NOW, entry=entry)
    assert back.pk == person.session_id
    assert study.sessions.count() == 1


@leaving
def test_leaving_twice_gives_one_slot_back_once(person: Person, leave: Leave) -> None:
    leave(person)
    again = enter(person.session.study)
    withdraws(person)
    assert sweep.abandon_absent(now=person.now) == 0
    slot = again.session.slot
    slot.refresh_from_db()
    assert slot.is_taken


def test_whoever_stays_away_from_a_closed_study_is_abandoned_and_nobody_gets_the_slot(person: Person) -> None:
    study = person.session.study
    design.close_study(study_id=study.pk, now=person.now)
    assert sweep.abandon_absent(now=person.later(71 * 3_600).now) == 0  # may finish
    person.open(1)
    assert sweep.abandon_absent(now=person.later(71 * 3_600).now) == 0
    assert sweep.abandon_absent(now=person.later(2 * 3_600).now) == 1
    sums = queries.sums(study)
    assert (sums.sessions.active, sums.sessions.abandoned) == (0, 1)
    assert queries.sums_hold(study) == []
    with pytest.raises(StudyNotOpen):
        sessions.join(study=study, now=person.now)


def test_the_absence_of_whoever_is_paused_begins_when_it_goes_on_also_after_closing(person: Person) -> None:
    study = person.session.study
    pauses.pause(study=study, session=None, reason="a fire alarm", now=person.now)
    design.close_study(study_id=study.pk, now=person.now)
    assert sweep.abandon_absent(now=person.now + AWAY) == 0
    pauses.resume(study=study, session=None, now=person.now + AWAY)
    assert sweep.abandon_absent(now=person.now + AWAY) == 0
    assert sweep.abandon_absent(now=person.now + 2 * AWAY) == 1


def test_a_study_that_never_abandons_keeps_its_people_after_closing(db: None) -> None:
    study = make_study(timing__abandon_after_hours=0.0)
    enter(study)
    design.close_study(study_id=study.pk, now=NOW)
    assert sweep.abandon_absent(now=NOW + AWAY) == 0


def test_studies_that_nobody_takes_part_in_cost_the_sweep_nothing(person: Person, django_assert_num_queries) -> None:
    for number in range(3):
        other = make_study(study__name=f"other-{number}")
        withdraws(enter(other))
        design.close_study(study_id=other.pk, now=NOW)
    with django_assert_num_queries(2):  # the studies with active sessions; who is absent from the one
        assert sweep.abandon_absent(now=person.now) == 0


def test_whoever_finished_keeps_the_slot_even_when_withdrawing_later(person: Person) -> None:
    for position in range(1, 7):
        person.open(position)
        person.submit(position)
    sessions.finish(session_id=person.session_id, now=person.now)
    withdraws(person)
    person.session.slot.refresh_from_db()
    assert person.session.slot.is_taken


def test_the_lists_stay_balanced_over_people_who_leave(db: None) -> None:
    """8 slots in 4 lists: whoever leaves is replaced in the very list."""
    study = make_study()
    people = [enter(study) for _ in range(8)]
    with pytest.raises(StudyFull):
        sessions.join(study=study, now=NOW)
    for number in (0, 3, 4):
        withdraws(people[number])
    stays_away(people[6])
    replaced = [enter(study) for _ in range(4)]
    with pytest.raises(StudyFull):
        sessions.join(study=study, now=NOW)
    left = {people[number].session.slot_id for number in (0, 3, 4, 6)}
    assert {person.session.slot_id for person in replaced} == left
    assert {person.session.attempt for person in replaced} == {2}
    active = study.sessions.filter(state="active").values_list("slot__list_name", flat=True)
    assert set(Counter(active).values()) == {2}
    assert len(set(active)) == 4
    sums = queries.sums(study)
    assert (sums.sessions.assigned, sums.sessions.active) == (12, 8)
    assert (sums.sessions.withdrawn, sums.sessions.abandoned) == (3, 1)
    assert (sums.trials.planned, sums.trials.not_reached) == (72, 72)
