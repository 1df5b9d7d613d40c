"""A study is made whole or not at all, launched once, and its slots go to one person each."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from studies.design import operations
from studies.design.frozen import StudyChanged
from studies.design.models import Assistant, Slot, Stance, Study, StudyQuestion, TrialPlan
from studies.design.operations import close_study, create_study, give_back_slot, launch_study, take_slot
from studies.design.pool import CannotSample
from studies.design.problems import SpecError
from tests.design.samples import ENGINE, SCRIPTED, STUDY_FILE, changed, make_banks
from tests.small_study import NOW

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)


@pytest.fixture(autouse=True)
def banks(db) -> None:
    make_banks()


def make(text: str = STUDY_FILE, *overrides: str) -> Study:
    return create_study(spec_text=text, overrides=overrides, now=NOW)


def launched(*overrides: str) -> Study:
    return launch_study(study_id=make(STUDY_FILE, *overrides).pk, now=NOW)


class TestCreate:
    def test_everything_is_made(self):
        study = make()
        assert (study.name, study.version, study.state, study.seed) == ("little", 1, "draft", 11)
        assert (study.created_at, study.launched_at, study.closed_at) == (NOW, None, None)
        assert study.spec_text == STUDY_FILE
        assert study.deviations == []
        assert [(each.name, each.position, each.assistance) for each in study.conditions.order_by("position")] == [
            ("alone", 1, "none"),
            ("chat", 2, "chat"),
        ]
        assert (
            list(study.manifest.order_by("position").values_list("source", flat=True))
            == ["general"] * 6 + ["stories"] * 2
        )
        assert study.slots.count() == 4
        assert TrialPlan.objects.filter(slot__study=study).count() == 4 * 8
        assert not study.slots.filter(is_taken=True).exists()

    def test_a_source_keeps_its_time_limit(self):
        study = make()
        limits = Counter(
            TrialPlan.objects.filter(slot__study=study).values_list("question__bank__name", "time_limit_seconds")
        )
        assert limits == {("facts", None): 24, ("tales", 300): 8}

    def test_stances_stand_in_the_plan_of_assisted_trials_only(self):
        study = make()
        stances = dict(Stance.objects.filter(assistant__study=study).values_list("question_id", "option"))
        assert set(stances) == set(study.manifest.values_list("question_id", flat=True))
        for plan in TrialPlan.objects.filter(slot__study=study).select_related("condition"):
            assert plan.stance == (stances[plan.question_id] if plan.condition.name == "chat" else None)

    def test_the_planned_accuracy_is_exact(self):
        study = make(STUDY_FILE, "assistants.helper.accuracy=0.75")
        stances = Stance.objects.filter(assistant__study=study).select_related("question")
        assert sum(stance.option == stance.question.key for stance in stances) == 6

    def test_a_stance_per_trial_varies_between_people_and_is_exact_in_all(self):
        study = make(STUDY_FILE, "assistants.helper.stance_per=trial", "study.slots=16")
        assert not Stance.objects.filter(assistant__study=study).exists()
        plans = TrialPlan.objects.filter(slot__study=study, condition__name="chat").select_related("question")
        assert all(plan.stance is not None for plan in plans)
        assert sum(plan.stance == plan.question.key for plan in plans) == 16 * 4 / 2
        by_question: dict[int, set[int]] = {}
        by_slot: Counter[int] = Counter()
        for plan in plans:
            by_question.setdefault(plan.question_id, set()).add(plan.stance)
            by_slot[plan.slot_id] += plan.stance == plan.question.key
        assert any(len(options) > 1 for options in by_question.values())
        assert set(by_slot.values()) == {2}

    def test_a_subject_gets_its_own_accuracy(self):
        study = make(STUDY_FILE, "assistants.helper.accuracy_by_subject.subject_1=1.0", "assistants.helper.accuracy=0")
        stances = Stance.objects.filter(assistant__study=study).select_related("question")
        right = {stance.question.subject for stance in stances if stance.option == stance.question.key}
        assert right == {"subject_1"}

    def test_an_accuracy_for_a_subject_that_is_not_there_is_refused(self):
        with pytest.raises(SpecError, match=r"accuracy_by_subject\.subject_9=0\.5: the study has no question of this "):
            make(STUDY_FILE, "assistants.helper.accuracy_by_subject.subject_9=0.5")
        assert not Study.objects.exists()

    def test_a_natural_assistant_has_no_stances(self):
        study = make(changed((SCRIPTED, ENGINE)))
        assert not Stance.objects.exists()
        assert not TrialPlan.objects.filter(slot__study=study, stance__isnull=False).exists()

    def test_an_assistants_options_are_those_of_its_backend(self):
        scripted = make().assistants.get()
        assert set(scripted.options) == {
            *("accuracy", "accuracy_by_subject", "stance_per", "unreliability", "words_per_second"),
        }
        engine = make(changed((SCRIPTED, ENGINE + 'api_key_env = "THE_KEY"\n'))).assistants.get()
        assert (engine.backend, engine.options["api_key_env"], engine.options["max_tokens"]) == (
            "engine",
            "THE_KEY",
            512,
        )
        assert "words_per_second" not in engine.options

    def test_what_was_set_by_hand_is_recorded(self):
        study = make(STUDY_FILE, "study.slots=6")
        study.refresh_from_db()
        assert study.deviations == [{"key": "study.slots", "from": 4, "to": 6}]
        assert study.slots.count() == 6

    def test_one_file_gives_one_design_again_and_again(self):
        def design(study: Study) -> list[object]:
            plans = TrialPlan.objects.filter(slot__study=study).order_by("slot__number", "position")
            fields = ("slot__list_name", "position", "block", "question_id", "condition__name", "stance")
            return [*plans.values_list(*fields), *study.manifest.order_by("position").values_list("question_id")]

        first, second = make(STUDY_FILE, "study.name=first"), make(STUDY_FILE, "study.name=second")
        assert design(first) == design(second)
        assert design(first) != design(make(STUDY_FILE, "study.name=third", "study.seed=12"))
        assert first.join_code != second.join_code

    def test_nothing_is_left_of_a_study_that_cannot_be_made(self):
        with pytest.raises(CannotSample):
            make(STUDY_FILE, "questions.general.count=100")
        assert not Study.objects.exists()
        assert not Assistant.objects.exists()

    def test_the_number_of_queries_does_not_grow_with_the_slots(self, django_assert_num_queries):
        # savepoint and its end; newest version; counts by bank, banks; for each of two sources bank, splits, questions;
        # written: study, assistants, conditions, manifest, stances, slots, plans;
        # sealed: slots, conditions, assistants, manifest, stances, study
        with django_assert_num_queries(24):
            make(STUDY_FILE, "study.name=few", "study.slots=2")
        with django_assert_num_queries(24):
            make(STUDY_FILE, "study.name=many", "study.slots=9")


class TestAgain:
    def test_the_same_draft_is_found_and_nothing_is_written(self):
        first = make()
        assert create_study(spec_text=STUDY_FILE, overrides=(), now=LATER) == first
        assert Study.objects.count() == 1

    def test_a_draft_that_differs_gets_the_next_version_and_the_old_one_stays(self):
        first, second, third = make(), make(STUDY_FILE, "study.slots=5"), make(f"# note\n{STUDY_FILE}")
        assert [study.version for study in (first, second, third)] == [1, 2, 3]
        assert first.slots.count() == 4

    def test_a_launched_study_is_never_touched_again(self):
        first = launched()
        second = make()
        assert (first.version, second.version, second.state) == (1, 2, "draft")
        assert first.spec_hash == second.spec_hash

    def test_other_names_have_their_own_versions(self):
        assert [make().version, make(STUDY_FILE, "study.name=other").version] == [1, 1]


class TestLaunchAndClose:
    def test_a_draft_opens_and_an_open_study_closes(self):
        study = launch_study(study_id=make().pk, now=NOW)
        assert (study.state, study.launched_at) == ("open", NOW)
        study = close_study(study_id=study.pk, now=LATER)
        study.refresh_from_db()
        assert (study.state, study.launched_at, study.closed_at) == ("closed", NOW, LATER)

    def test_no_other_step_is_allowed(self):
        draft = make()
        with pytest.raises(operations.WrongState, match="little v1 is draft; only a study that is open can be closed"):
            close_study(study_id=draft.pk, now=NOW)
        launch_study(study_id=draft.pk, now=NOW)
        with pytest.raises(
            operations.WrongState, match="little v1 is open; only a study that is draft can be launched"
        ):
            launch_study(study_id=draft.pk, now=LATER)
        close_study(study_id=draft.pk, now=NOW)
        with pytest.raises(operations.WrongState):
            launch_study(study_id=draft.pk, now=LATER)

    def test_a_row_that_was_changed_by_hand_is_not_launched(self):
        study = make()
        study.spec["study"]["slots"] = 400
        study.save(update_fields=["spec"])
        with pytest.raises(StudyChanged):
            launch_study(study_id=study.pk, now=NOW)


class TestSlots:
    def test_the_lowest_free_slot_is_taken_and_counted(self):
        study = launched()
        first, second = take_slot(study=study), take_slot(study=study)
        assert [(slot.number, slot.is_taken, slot.attempts) for slot in (first, second)] == [(1, True, 1), (2, True, 1)]

    def test_a_slot_given_back_is_taken_next_as_a_new_attempt(self):
        study = launched()
        first, _ = take_slot(study=study), take_slot(study=study)
        assert give_back_slot(slot_id=first.pk) is True
        assert give_back_slot(slot_id=first.pk) is False
        again = take_slot(study=study)
        assert (again.number, again.attempts) == (1, 2)

    def test_a_full_study_says_so(self):
        study = launched("study.slots=2")
        take_slot(study=study)
        take_slot(study=study)
        with pytest.raises(operations.StudyFull, match="little v1: all 2 slots are taken"):
            take_slot(study=study)

    def test_a_slot_can_be_asked_for_by_number_once(self):
        study = launched()
        assert take_slot(study=study, number=3).number == 3
        with pytest.raises(operations.SlotTaken, match="slot 3 is taken"):
            take_slot(study=study, number=3)
        with pytest.raises(operations.StudyFull, match="slot 9 does not exist; there are 1 to 4"):
            take_slot(study=study, number=9)
        assert take_slot(study=study).number == 1

    def test_nobody_gets_a_slot_before_launch_or_after_closing(self):
        study = make()
        with pytest.raises(operations.StudyNotOpen, match="little v1 is draft"):
            take_slot(study=study)
        launch_study(study_id=study.pk, now=NOW)
        stale = Study.objects.get(pk=study.pk)
        close_study(study_id=study.pk, now=NOW)
        assert stale.state == "open"
        with pytest.raises(operations.StudyNotOpen, match=r"is closed"):
            take_slot(study=stale)
        assert not Slot.objects.filter(is_taken=True).exists()

    def test_closing_between_the_look_and_the_taking_is_noticed(self):
        study = launched()

        def close_before_taking(execute, sql, params, many, context):
            if sql.startswith("UPDATE") and "is_taken" in sql:
                Study.objects.filter(pk=study.pk).update(state="closed")
            return execute(sql, params, many, context)

        with connection.execute_wrapper(close_before_taking), pytest.raises(operations.StudyNotOpen):
            take_slot(study=study)
        assert not Slot.objects.filter(is_taken=True).exists()


@pytest.mark.django_db(transaction=True)
def test_people_who_come_at_once_get_different_slots():
    study = launched("study.slots=12")

    def come(_: int) -> int | None:
        try:
            return take_slot(study=study).number
        except operations.StudyFull:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as people:
        numbers = list(people.map(come, range(16)))
    assert sorted(number for number in numbers if number) == list(range(1, 13))
    assert numbers.count(None) == 4
    assert set(Slot.objects.values_list("attempts", flat=True)) == {1}


@pytest.mark.django_db(transaction=True)
def test_who_makes_a_study_at_once_gets_one_draft_of_each_file():
    def make_one(number: int) -> tuple[str, int]:
        try:
            study = make(changed(("A little study", f"File {number % 2}")))
            return study.title, study.version
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as people:
        made = list(people.map(make_one, range(4)))
    assert len(set(made)) == Study.objects.count()
    assert {version for _, version in made} == set(range(1, Study.objects.count() + 1))
    assert {title for title, _ in made} == {"File 0", "File 1"}


def test_two_studies_share_questions_but_nothing_else():
    one, other = make(), make(STUDY_FILE, "study.name=other")
    assert set(one.manifest.values_list("question_id")) == set(other.manifest.values_list("question_id"))
    assert StudyQuestion.objects.count() == 16
