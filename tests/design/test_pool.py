"""What the banks give, and what to change when they give too little."""

import pytest

from studies.design.pool import CannotSample, Fit, candidates, sample
from studies.design.spec_read import read_spec
from studies.questions.models import Question
from tests.design.samples import STUDY_FILE, changed, make_bank, make_banks, make_stories

pytestmark = pytest.mark.django_db
NO_STORIES = changed(
    ('[questions.stories]\nbank = "tales"\nsplit = "dev"\ncount = 2\ntime_limit_seconds = 300\n', ""),
)


def refusal(text: str, *overrides: str) -> CannotSample:
    with pytest.raises(CannotSample) as refused:
        sample(read_spec(text, overrides))
    return refused.value


def test_a_sample_is_drawn_from_every_source():
    make_banks()
    drawn = sample(read_spec(STUDY_FILE))
    assert [each.source for each in drawn] == ["general"] * 6 + ["stories"] * 2
    assert sorted(each.stratum for each in drawn[:6]) == [f"subject_{n}" for n in (0, 0, 1, 1, 2, 2)]
    assert len({each.candidate.passage for each in drawn[6:]}) == 2


def test_the_order_of_rows_in_the_database_does_not_matter():
    make_banks()
    first = [each.candidate.content for each in sample(read_spec(STUDY_FILE))]
    rows = list(Question.objects.order_by("-pk"))
    Question.objects.all().delete()
    for row in rows:
        row.pk = None
    Question.objects.bulk_create(rows)
    assert [each.candidate.content for each in sample(read_spec(STUDY_FILE))] == first


def test_capitals_sort_the_same_on_every_database():
    bank = make_bank(subjects=0)
    for subject in ("b", "B", "a", "_", "Z"):
        Question.objects.create(bank=bank, split="val", subject=subject, text="?", options=["1", "2"], key=0)
    spec = read_spec(NO_STORIES)
    assert [each.subject for each in candidates(spec.source("general"))] == ["B", "Z", "_", "a", "b"]


def test_only_the_split_and_the_subjects_asked_for_are_drawn():
    make_bank()
    make_bank(split="dev")
    spec = read_spec(NO_STORIES, ['questions.general.subjects=["subject_2"]'])
    found = candidates(spec.source("general"))
    assert {(each.subject, each.content[:9]) for each in found} == {("subject_2", "facts-val")}


def test_without_any_bank_the_way_to_get_one_is_told():
    error = refusal(NO_STORIES)
    assert [str(each) for each in error.problems] == [
        "questions.general.bank='facts': no such bank; 6 questions of its split 'val' are needed. There is no bank at "
        "all. Import it with import_mmlu or import_quality and --bank facts."
    ]
    assert error.fits == ()


def test_a_bank_of_a_similar_name_stands_in():
    make_bank("demo-facts", split="dev", subjects=1, each=5)
    error = refusal(NO_STORIES)
    assert "There is demo-facts (dev 5)." in str(error.problems[0])
    [fit] = error.fits
    assert fit == Fit(
        (
            ("questions.general.bank", "demo-facts"),
            ("questions.general.split", "dev"),
            ("questions.general.count", "4"),  # the same number for each of two conditions
            ("study.expected_minutes", "4"),  # 5 minutes for 6 questions
        ),
        4,
    )
    sample(read_spec(NO_STORIES, [f"{key}={value}" for key, value in fit.settings]))


def test_too_few_questions_are_counted():
    make_bank(subjects=1, each=4)
    error = refusal(NO_STORIES)
    assert str(error.problems[0]) == (
        "questions.general.count=6: bank 'facts', split 'val', has 4 different questions to draw; 2 are missing."
    )
    assert error.fits[0].settings == (("questions.general.count", "4"), ("study.expected_minutes", "4"))


def test_passages_that_may_not_repeat_are_told_as_the_reason_with_both_ways_out():
    make_bank()
    make_stories(passages=3, each=3)
    error = refusal(STUDY_FILE, "questions.stories.count=7")
    assert str(error.problems[0]) == (
        "questions.stories.count=7: bank 'tales', split 'dev', has 3 different questions to draw, one on each passage, "
        "because assignment.passage_repeats is never (9 with repeats); 4 are missing."
    )
    assert [fit.settings for fit in error.fits] == [
        (("questions.stories.count", "2"), ("study.expected_minutes", "4")),
        (("assignment.passage_repeats", "allow"),),
    ]
    for fit in error.fits:
        settings = dict(fit.settings)
        settings.setdefault("questions.stories.count", "7")
        sample(read_spec(STUDY_FILE, [f"{key}={value}" for key, value in settings.items()]))


def test_all_sources_that_lack_something_are_told_at_once():
    make_bank(split="test", subjects=2, each=2)
    make_stories(passages=1)
    error = refusal(STUDY_FILE)
    assert [each.key for each in error.problems] == ["questions.general.split", "questions.stories.count"]
    assert "There is: facts (test 4)." in str(error.problems[0])


def test_an_unknown_subject_gets_a_suggestion():
    make_banks()
    error = refusal(STUDY_FILE, 'questions.general.subjects=["subject_1", "subjekt_2"]')
    assert str(error.problems[0]) == "questions.general.subjects='subjekt_2': no such subject. Did you mean subject_2?"
    assert ("questions.general.subjects", '["subject_1"]') in error.fits[0].settings
    assert ("questions.general.count", "4") in error.fits[0].settings


def test_the_same_question_in_two_subjects_is_drawn_once():
    bank = make_bank(subjects=1, each=5)
    Question.objects.create(
        bank=bank, split="val", subject="other", content_hash="facts-val-0-0", text="?", options=["1", "2"], key=0
    )
    assert "has 5 different questions" in str(refusal(NO_STORIES).problems[0])
