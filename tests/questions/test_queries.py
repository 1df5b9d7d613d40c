"""What there is, what to draw from, and which examples leak nothing."""

import pytest
from pytest_django import DjangoAssertNumQueries

from studies.questions.models import Question, QuestionBank
from studies.questions.operations import import_questions
from studies.questions.queries import (
    NotInBank,
    banks,
    few_shot_questions,
    get_bank,
    questions_of,
    used_questions,
)
from tests.questions.small_files import passage, record

pytestmark = pytest.mark.django_db


@pytest.fixture
def bank() -> QuestionBank:
    """art: 7 dev, 2 test, of which one stands twice and one is also in dev; law: 1 dev, 1 test like one of art."""
    records = [record(f"Dev {n}?", split="dev") for n in range(6)]
    records += [record("Both?", split="dev"), record("Dev 0?", split="dev", subject="law")]
    records += [record("Test?"), record("Test?", number=2), record("Both?"), record("Test?", subject="law")]
    import_questions(bank="small", task="mmlu", records=records)
    return QuestionBank.objects.get()


def test_banks_tell_their_counts(bank: QuestionBank, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    stories = [record(f"{n}?", subject="", split="dev", passage=passage()) for n in range(3)]
    import_questions(bank="a-story", task="quality", records=stories)
    QuestionBank.objects.create(name="empty", task="mmlu")
    with django_assert_num_queries(2):  # counts by bank, split and subject; banks with their passages
        found = {summary.name: summary for summary in banks()}
    assert list(found) == ["a-story", "empty", "small"]
    assert found["small"].counts == {"dev": {"art": 7, "law": 1}, "test": {"art": 3, "law": 1}}
    assert (found["small"].splits, found["small"].subjects) == ({"dev": 8, "test": 4}, ["art", "law"])
    assert (found["small"].questions, found["small"].passages, found["small"].task) == (12, 0, "mmlu")
    assert (found["a-story"].passages, found["a-story"].subjects) == (1, [""])
    assert found["empty"].questions == 0


def test_a_bank_that_is_not_there_is_named_with_those_that_are(bank: QuestionBank) -> None:
    assert get_bank("small") == bank
    with pytest.raises(NotInBank, match="bank 'big' is not there; there is small"):
        get_bank("big")
    Question.objects.all().delete()
    bank.delete()
    with pytest.raises(NotInBank, match="import one first"):
        get_bank("big")


def test_a_content_is_drawn_once(bank: QuestionBank) -> None:
    found = questions_of(bank, split="test")
    assert [(row.text, row.subject) for row in found] == [("Test?", "art"), ("Both?", "art")]
    assert questions_of(bank, split="test", is_distinct=False).count() == 4


def test_subjects_narrow_before_doubles_go(bank: QuestionBank) -> None:
    assert [row.subject for row in questions_of(bank, split="test", subjects=["law"])] == ["law"]
    assert questions_of(bank, split="dev", subjects=["art", "law"], is_distinct=False).count() == 8


def test_splits_and_subjects_that_are_not_there_are_named(bank: QuestionBank) -> None:
    with pytest.raises(NotInBank, match="split 'val': bank 'small' has dev, test"):
        questions_of(bank, split="val")
    with pytest.raises(NotInBank, match="subject 'music': split 'test' of bank 'small' has art, law"):
        questions_of(bank, split="test", subjects=["art", "music"])


def test_few_shot_examples_are_the_first_of_the_subject(bank: QuestionBank) -> None:
    question = Question.objects.filter(text="Test?", subject="art")[0]
    assert [row.text for row in few_shot_questions(question)] == [f"Dev {n}?" for n in range(5)]
    assert [row.text for row in few_shot_questions(question, count=9)][-1] == "Both?"


def test_few_shot_examples_do_not_hold_the_question_itself(bank: QuestionBank) -> None:
    both = Question.objects.get(text="Both?", split="test")
    assert [row.text for row in few_shot_questions(both, count=9)] == [f"Dev {n}?" for n in range(6)]
    first = Question.objects.get(text="Dev 0?", subject="art")
    assert [row.text for row in few_shot_questions(first, count=3)] == ["Dev 1?", "Dev 2?", "Dev 3?"]


def test_nothing_is_used_before_a_study_takes_it(bank: QuestionBank) -> None:
    assert used_questions(Question.objects.values_list("pk", flat=True)) == {}
