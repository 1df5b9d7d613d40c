"""The two sums hold in every state that rows can be in."""

from dataclasses import asdict

import pytest

from studies.reports import queries
from tests.reports import rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    """One session in each state; the active one with a trial in each state."""
    study = rows.make_study()
    for number, state in enumerate(("active", "completed", "abandoned", "screened_out", "withdrawn")):
        rows.join(study, number, state=state)
    rows.join(study, 5, kind="bot", state="completed")
    first, second, third, fourth = study.sessions.get(slot__number=0).trials.all()[:4]
    rows.answer(first, 1)
    rows.answer(second, 2, None, by="timer")
    rows.answer(third, None)
    fourth.state, fourth.opened_at = "open", rows.START
    fourth.save()
    return study


def test_sessions_assigned_are_the_sum_of_their_states(study):
    counted = asdict(queries.sums(study).sessions)
    assert counted == {
        "assigned": 6,
        "active": 1,
        "completed": 2,
        "abandoned": 1,
        "screened_out": 1,
        "withdrawn": 1,
    }
    assert counted.pop("assigned") == sum(counted.values())


def test_trials_planned_are_the_sum_of_their_ends(study):
    counted = asdict(queries.sums(study).trials)
    assert counted == {
        "planned": 60,
        "answered": 1,
        "answered_by_timer": 1,
        "timed_out": 1,
        "open": 1,
        "not_reached": 56,
    }
    assert counted.pop("planned") == sum(counted.values())


def test_exclusion_and_bots_are_flags_across_the_sums(study):
    study.sessions.filter(slot__number=1).update(is_excluded=True)
    assert (queries.sums(study).excluded, queries.sums(study).bots) == (1, 1)
    assert queries.sums(study).sessions.assigned == 6


def test_another_study_counts_nothing(study):
    other = rows.make_study(
        spec_text=rows.SPEC.replace('"planets"', '"moons"'),
        questions=[entry.question for entry in study.manifest.all()],
    )
    assert queries.sums(other).sessions.assigned == 0
    assert queries.sums(other).trials.planned == 0


def test_the_sums_cost_two_queries(study, django_assert_num_queries):
    with django_assert_num_queries(2):  # sessions, trials
        queries.sums(study)


def test_the_list_of_sessions_shows_progress_in_one_query(study, django_assert_num_queries):
    with django_assert_num_queries(1):
        listed = queries.session_rows(study)
    assert [row.slot for row in listed] == [5, 4, 3, 2, 1, 0]
    assert (listed[-1].planned, listed[-1].over, listed[-1].pseudonym) == (10, 3, "p0")
    assert [row.slot for row in queries.session_rows(study, first=1, at_most=2)] == [4, 3]
