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


def test_the_sums_cost_three_queries(study, django_assert_num_queries):
    with django_assert_num_queries(3):  # sessions, the plans of their slots, trials
        queries.sums(study)


def test_the_list_of_sessions_shows_progress_in_one_query(study, django_assert_num_queries):
    with django_assert_num_queries(1):
        listed = queries.session_rows(study)
    assert [row.slot for row in listed] == [5, 4, 3, 2, 1, 0]
    assert (listed[-1].planned, listed[-1].over, listed[-1].pseudonym) == (10, 3, "p0")
    assert [row.slot for row in queries.session_rows(study, first=1, at_most=2)] == [4, 3]


class TestSumsThatDoNotHold:
    """Each count comes from elsewhere than its parts, so that a lost or an odd row shows."""

    @pytest.fixture(autouse=True)
    def _attempts(self, study):
        for slot in study.slots.all():
            study.slots.filter(pk=slot.pk).update(attempts=slot.sessions.count())

    def test_a_sound_study_has_no_problem(self, study):
        assert queries.sums_hold(study) == []

    def test_a_session_in_no_known_state(self, study):
        study.sessions.filter(slot__number=1).update(state="vanished")
        assert queries.sums_hold(study) == [
            "6 sessions assigned are not 1 active + 1 completed + 1 abandoned + 1 screened out + 1 withdrawn = 5"
        ]

    def test_a_trial_that_is_gone(self, study):
        study.sessions.get(slot__number=1).trials.last().delete()
        [problem] = queries.sums_hold(study)
        assert problem.startswith("60 trials planned are not 1 answered + 1 answered by timer + ")
        assert problem.endswith(" = 59")

    def test_a_session_that_is_gone_with_all_its_trials(self, study):
        session = study.sessions.get(slot__number=5)
        session.trials.all().delete()
        session.delete()
        assert queries.sums_hold(study) == ["the slots counted 6 attempts, but there are 5 sessions"]
