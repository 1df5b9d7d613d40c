"""Whoever bends a row of a study by hand is noticed: each part of the plan, and the slot that is about to be taken."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from studies.design import frozen
from studies.design.frozen import CHANGED, SPECIFICATION, StudyChanged, changes_of, plans_of, require_slot
from studies.design.models import Stance, Study, TrialPlan
from studies.design.operations import create_study, launch_study
from studies.questions.models import Passage
from tests.design.samples import ENGINE, SCRIPTED, STUDY_FILE, changed, make_banks
from tests.small_study import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def study(db) -> Study:
    make_banks()
    return create_study(spec_text=STUDY_FILE, now=NOW)


def a_plan(study: Study) -> TrialPlan:
    plan = TrialPlan.objects.filter(slot__study=study, stance__isnull=False).first()
    assert plan is not None
    return plan


def bend_condition(study: Study) -> None:
    study.conditions.filter(name="chat").update(feedback="none")


def rename_condition(study: Study) -> None:
    study.conditions.filter(name="chat").update(name="talk")


def bend_assistant(study: Study) -> None:
    helper = study.assistants.get()
    helper.options["words_per_second"] = 70.0
    helper.save(update_fields=["options"])


def add_assistant(study: Study) -> None:
    study.assistants.create(name="another", backend="scripted")


def swap_questions(study: Study) -> None:
    study.manifest.filter(position=1).update(position=100)


def correct_a_key(study: Study) -> None:
    question = study.manifest.get(position=1).question
    question.key = (question.key + 1) % 4
    question.save(update_fields=["key"])


def edit_a_passage(study: Study) -> None:
    Passage.objects.filter(questions__studyquestion__study=study).update(text="Twice.")


def bend_stance(study: Study) -> None:
    stance = Stance.objects.filter(assistant__study=study).first()
    assert stance is not None
    stance.option = (stance.option + 1) % 4
    stance.save(update_fields=["option"])


def bend_trial_stance(study: Study) -> None:
    plan = a_plan(study)
    TrialPlan.objects.filter(pk=plan.pk).update(stance=((plan.stance or 0) + 1) % 4)


def give_time(study: Study) -> None:
    TrialPlan.objects.filter(pk=a_plan(study).pk).update(time_limit_seconds=999)


def move_to_the_other_arm(study: Study) -> None:
    TrialPlan.objects.filter(pk=a_plan(study).pk).update(condition=study.conditions.get(name="alone"))


def drop_a_trial(study: Study) -> None:
    a_plan(study).delete()


def add_a_slot(study: Study) -> None:
    study.slots.create(number=99, list_name="r0s0")


WAYS: list[tuple[Callable[[Study], None], set[str]]] = [
    (bend_condition, {"conditions", "slots"}),
    (rename_condition, {"conditions", "slots"}),
    (bend_assistant, {"conditions", "assistants", "slots"}),
    (add_assistant, {"assistants"}),
    (swap_questions, {"questions", "stances"}),
    (correct_a_key, {"questions"}),
    (edit_a_passage, {"questions"}),
    (bend_stance, {"stances"}),
    (bend_trial_stance, {"slots"}),
    (give_time, {"slots"}),
    (move_to_the_other_arm, {"slots"}),
    (drop_a_trial, {"slots"}),
    (add_a_slot, {"slots"}),
]
OF_A_SLOT = [bend_condition, bend_assistant, bend_trial_stance, give_time, move_to_the_other_arm, drop_a_trial]


def test_a_study_as_it_was_made_is_unchanged(study):
    study.refresh_from_db()
    assert changes_of(study) == []
    assert set(study.spec["plan"]) == set(CHANGED)


def test_taking_slots_and_closing_are_no_changes(study):
    study.slots.update(is_taken=True, attempts=3)
    study.state, study.closed_at = Study.State.CLOSED, NOW + timedelta(days=1)
    assert changes_of(study) == []


@pytest.mark.parametrize(("bend", "parts"), WAYS, ids=lambda value: getattr(value, "__name__", ""))
def test_each_part_of_the_plan_is_watched(study, bend, parts):
    bend(study)
    study.refresh_from_db()
    assert changes_of(study) == [CHANGED[part] for part in CHANGED if part in parts]


@pytest.mark.parametrize("bend", [bend for bend, _ in WAYS], ids=lambda bend: bend.__name__)
def test_a_bent_plan_is_not_launched(study, bend):
    bend(study)
    with pytest.raises(StudyChanged, match=r"little v1: .* changed.* create the study again from its file"):
        launch_study(study_id=study.pk, now=NOW)
    study.refresh_from_db()
    assert study.state == "draft"


def test_a_prompt_that_was_edited_in_the_row_is_noticed():
    make_banks()
    study = create_study(spec_text=changed((SCRIPTED, ENGINE)), now=NOW)
    helper = study.assistants.get()
    helper.options["system_prompt"] = "Always agree."
    helper.save(update_fields=["options"])
    assert changes_of(study, frozen.ARMS) == [CHANGED["conditions"], CHANGED["assistants"]]


@pytest.mark.parametrize("bend", OF_A_SLOT, ids=lambda bend: bend.__name__)
def test_a_bent_slot_is_noticed_when_it_is_looked_at_alone(study, bend, django_assert_num_queries):
    slot = a_plan(study).slot
    with django_assert_num_queries(1):  # its planned trials
        require_slot(study, slot, plans_of(slot))
    bend(study)
    with pytest.raises(StudyChanged, match=f"slot {slot.number} is not as it was planned"):
        require_slot(study, slot, plans_of(slot))


def test_fitting_digests_for_bent_rows_change_the_hash_that_every_session_keeps(study):
    before = study.spec_hash
    slot = a_plan(study).slot
    give_time(study)
    frozen.seal(study)
    assert changes_of(study) == [CHANGED["slots"]]  # the slot's own digest is still that of the old rows
    lines = [frozen.line(plan) for plan in plans_of(slot)]
    arms = {each.name: frozen.arm(each) for each in study.conditions.all()}
    study.slots.filter(pk=slot.pk).update(plan_hash=frozen.slot_digest(slot.number, slot.list_name, lines, arms))
    frozen.seal(study)
    assert changes_of(study) == []
    assert study.spec_hash != before


def test_the_digests_cannot_be_taken_away(study):
    del study.spec["plan"]
    assert changes_of(study) == [SPECIFICATION]


def test_a_study_made_before_there_were_digests_stays_usable(study):
    study.spec = frozen.file_part(study.spec)
    study.spec_hash = frozen.hash_of_json(study.spec)
    study.slots.update(plan_hash="")
    slot = study.slots.get(number=1)
    require_slot(study, slot, plans_of(slot))
    assert changes_of(study) == []


def test_the_same_file_on_the_same_bank_has_the_same_hash_in_every_version(study):
    launch_study(study_id=study.pk, now=NOW)
    again = create_study(spec_text=STUDY_FILE, now=NOW)
    assert (again.version, again.spec_hash) == (2, study.spec_hash)


def test_a_corrected_key_gives_a_new_version_another_hash(study):
    launch_study(study_id=study.pk, now=NOW)
    correct_a_key(study)
    assert create_study(spec_text=STUDY_FILE, now=NOW).spec_hash != study.spec_hash
