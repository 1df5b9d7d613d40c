"""The database itself refuses what a design must never hold."""

import pytest
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from studies.design.models import Assistant, Condition, Slot, Stance, Study, StudyQuestion, TrialPlan
from studies.design.operations import create_study
from tests.design.samples import STUDY_FILE, make_banks
from tests.small_study import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def study(db) -> Study:
    make_banks()
    return create_study(spec_text=STUDY_FILE, now=NOW)


def refused(make, **values: object) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        make(**values)


def test_a_version_exists_once(study):
    refused(Study.objects.create, name="little", version=1, join_code="new", spec={}, seed=1, created_at=NOW)


def test_a_link_exists_once(study):
    refused(Study.objects.create, name="new", join_code=study.join_code, spec={}, seed=1, created_at=NOW)


def test_names_are_unique_within_a_study(study):
    refused(Assistant.objects.create, study=study, name="helper", backend="scripted")
    refused(Condition.objects.create, study=study, name="alone", position=9, assistance="none", feedback="none")


def test_a_chat_has_an_assistant_and_nothing_else_has(study):
    helper = study.assistants.get()
    refused(Condition.objects.create, study=study, name="a", position=9, assistance="chat", feedback="none")
    refused(
        Condition.objects.create,
        study=study,
        name="b",
        position=9,
        assistance="none",
        assistant=helper,
        feedback="none",
    )


def test_a_question_stands_once_in_a_manifest_and_a_place_holds_one(study):
    first = study.manifest.get(position=1)
    refused(StudyQuestion.objects.create, study=study, question=first.question, position=99, source="general")
    other = study.manifest.get(position=2).question
    first.delete()
    refused(StudyQuestion.objects.create, study=study, question=first.question, position=2, source="general")
    assert study.manifest.get(position=2).question == other


def test_a_question_has_one_stance_of_an_assistant(study):
    stance = Stance.objects.first()
    refused(Stance.objects.create, assistant=stance.assistant, question=stance.question, option=3)


def test_a_slot_number_exists_once(study):
    refused(Slot.objects.create, study=study, number=1, list_name="x")


def test_a_slot_meets_a_question_once_and_a_place_holds_one_trial(study):
    plan = TrialPlan.objects.filter(slot__study=study).first()
    values = {"slot": plan.slot, "block": 1, "condition": plan.condition}
    refused(TrialPlan.objects.create, question=plan.question, position=99, **values)
    unused = plan.question.bank.questions.exclude(
        pk__in=TrialPlan.objects.filter(slot=plan.slot).values("question_id")
    ).first()
    refused(TrialPlan.objects.create, question=unused, position=plan.position, **values)


def test_a_question_of_a_study_cannot_be_deleted(study):
    with pytest.raises(ProtectedError):
        study.manifest.first().question.delete()
