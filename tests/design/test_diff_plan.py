"""What follows from a changed file is counted from the rows of both versions."""

import pytest

from studies.design.diff_plan import StanceDifference, plan_difference
from studies.design.models import Stance, Study
from studies.design.operations import create_study, launch_study
from tests.design.samples import STUDY_FILE, make_banks
from tests.small_study import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def banks(db) -> None:
    make_banks()


def make(*overrides: str) -> Study:
    study = create_study(spec_text=STUDY_FILE, overrides=overrides, now=NOW)
    return launch_study(study_id=study.pk, now=NOW)


def test_the_same_file_changes_nothing():
    difference = plan_difference(make(), make())
    assert (difference.came, difference.went, difference.slots) == (0, 0, (4, 4))
    assert difference.stances == (StanceDifference("helper", 0, 8, "questions"),)
    assert difference.sentences() == [
        "Questions: the same 8.",
        "Slots: 4, as before.",
        "Stances of helper, on the questions that both versions have (8): none argue for another option.",
    ]


def test_questions_that_came_and_went_are_counted_and_slots_too():
    first, second = make(), make("questions.general.count=9", "study.slots=7", "study.seed=12")
    old, new = ({entry.question_id for entry in study.manifest.all()} for study in (first, second))
    difference = plan_difference(first, second)
    assert difference.questions == (8, 11)
    assert (difference.came, difference.went) == (len(new - old), len(old - new))
    assert difference.sentences()[:2] == [
        f"Questions: 8 → 11; {len(old - new)} left the sample, {len(new - old)} came in.",
        "Slots: 4 → 7.",
    ]


def test_another_method_of_assignment_is_told_with_what_it_does():
    difference = plan_difference(make(), make("assignment.method=interleaved"))
    assert difference.methods == ("latin_square", "interleaved")
    [told] = [sentence for sentence in difference.sentences() if sentence.startswith("Order: ")]
    assert told.startswith("Order: latin_square → interleaved. ")
    assert "the condition changes from question to question" in told
    bent = make("assignment.method=interleaved")
    del bent.spec["assignment"]
    assert plan_difference(make(), bent).sentences()[1] == "Order: latin_square → not set."


def test_stances_that_changed_are_counted_over_the_questions_of_both():
    first, second = make(), make("assistants.helper.accuracy=1.0")
    wrong = [stance for stance in Stance.objects.filter(assistant__study=first) if stance.option != stance.question.key]
    assert len(wrong) == 4
    assert plan_difference(first, second).stances == (StanceDifference("helper", 4, 8, "questions"),)


def test_stances_of_single_trials_are_compared_by_slot_and_question():
    trial = "assistants.helper.stance_per=trial"
    first, second = make(trial), make(trial, "assistants.helper.accuracy=1.0")
    difference = plan_difference(first, second)
    [stances] = difference.stances
    assert (stances.changed, stances.both, stances.per) == (4 * 4 / 2, 4 * 4, "planned trials")
    assert (
        "on the planned trials that both versions have (16): 8 argue for another option"
        in plan_difference(first, second).sentences()[2]
    )


def test_the_number_of_queries_does_not_grow(django_assert_num_queries):
    first, second = make(), make("study.slots=9")
    with django_assert_num_queries(8):  # of each: manifest, slots, stances of questions and of trials
        plan_difference(first, second)
