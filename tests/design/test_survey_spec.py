"""The survey's tables in a study file: their keys, the rules between them, and studies that were stored before them."""

import pytest
from django.conf import settings

from studies.design import access, frozen
from studies.design.diff import changes
from studies.design.models import Study
from studies.design.problems import SpecError
from studies.design.spec import MOST_SURVEY_TEXTS, SurveyTable
from studies.design.spec_json import hash_of_json, spec_from_json, spec_to_json
from studies.design.spec_read import read_spec
from studies.runtime.rules import MAX_SURVEY_CHARACTERS
from tests.design.samples import STUDY_FILE, make_banks
from tests.small_study import NOW, SURVEY

ITEM = '\n[survey.q]\ntext = "Why?"\n'
SCALE = ITEM + 'kind = "scale"\n'
CHOICE = ITEM + 'kind = "choice"\n'


def problems(survey: str) -> list[str]:
    with pytest.raises(SpecError) as refused:
        read_spec(STUDY_FILE + survey)
    return [str(problem) for problem in refused.value.problems]


def test_the_items_come_in_the_files_order():
    trust, used, comments = read_spec(STUDY_FILE + SURVEY).survey
    assert trust == SurveyTable(
        name="trust",
        text="How much did you trust the assistant?",
        kind="scale",
        labels=("not at all", "", "somewhat", "", "completely"),
        is_required=True,
    )
    assert (used.name, used.options, used.is_required) == ("used-before", ("never", "some days", "every day"), False)
    assert (comments.name, comments.kind, comments.labels, comments.options) == ("comments", "text", (), ())


@pytest.mark.parametrize(
    ("survey", "said"),
    [
        (SCALE, ["survey.q.labels: missing, because kind is scale. Use 2 to 11 words."]),
        (CHOICE, ["survey.q.options: missing, because kind is choice. Use 2 to 20 texts."]),
        (
            SCALE + 'labels = ["a", "b"]\noptions = ["c", "d"]',
            ["survey.q.options=['c', 'd']: this key is for kind choice, not for scale; take it away."],
        ),
        (
            ITEM + 'kind = "text"\nlabels = ["a", "b"]',
            ["survey.q.labels=['a', 'b']: this key is for kind scale, not for text; take it away."],
        ),
        (SCALE + 'labels = ["", "b"]', ["survey.q.labels=['', 'b']: the first and the last point need a word."]),
        (CHOICE + 'options = ["a", " ", "b"]', ["survey.q.options=['a', ' ', 'b']: every option needs a text."]),
        (CHOICE + 'options = ["a", "b", " a"]', ["survey.q.options=['a', 'b', ' a']: use each word once."]),
        (ITEM + 'kind = "slider"', ["survey.q.kind='slider': use one of scale, choice, text."]),
        ('\n[survey.q]\nkind = "text"', ["survey.q.text: missing. Use text (1 to 1000 characters)."]),
        (ITEM + 'kind = "text"\nis_needed = true', ["survey.q.is_needed=true: no such key."]),
        ('\n[survey."Q 1"]\ntext = "Why?"\nkind = "text"', ["survey.Q 1: as a table's name use"]),
    ],
)
def test_what_is_wrong_is_told_with_what_is_allowed(survey, said):
    found = problems(survey)
    assert len(found) == len(said)
    assert all(problem.startswith(words) for problem, words in zip(found, said, strict=True)), found


def test_a_survey_is_tables():
    with pytest.raises(SpecError, match=r"^survey=3: use tables with a name, \[survey\.NAME\]\.$"):
        read_spec("survey = 3\n" + STUDY_FILE)


@pytest.mark.parametrize(("key", "kind", "most"), [("labels", "scale", 11), ("options", "choice", 20)])
def test_how_many_words_there_may_be(key, kind, most):
    def words(number: int) -> str:
        return f'{ITEM}kind = "{kind}"\n{key} = {[f"w{n}" for n in range(number)]}'

    for number in (2, most):
        assert len(getattr(read_spec(STUDY_FILE + words(number)).survey[0], key)) == number
    for number in (1, most + 1):
        [problem] = problems(words(number))
        assert problem.endswith(f"(2 to {most} entries).")


def test_a_word_has_at_most_200_characters():
    read_spec(f'{STUDY_FILE}{CHOICE}options = ["a", "{"b" * 200}"]')
    [problem] = problems(f'{CHOICE}options = ["a", "{"b" * 201}"]')
    assert problem.endswith("use at most 200 characters for each.")


def test_there_are_at_most_thirty_items():
    kind = 'kind = "choice"\noptions = ["so", "not so"]\n'
    items = [f'[survey.q{number}]\ntext = "Why?"\n{kind}' for number in range(31)]
    assert len(read_spec(STUDY_FILE + "".join(items[:30])).survey) == 30
    assert problems("".join(items)) == ["survey: 31 items; use at most 30."]


def test_there_and_back_nothing_is_lost():
    spec = read_spec(STUDY_FILE + SURVEY)
    assert spec_from_json(spec_to_json(spec)) == spec


@pytest.mark.django_db
def test_a_study_that_was_stored_before_there_were_surveys_is_readable_and_its_hash_holds():
    make_banks()
    stored = spec_to_json(read_spec(STUDY_FILE))
    del stored["survey"]
    study = Study.objects.create(
        name="old", join_code="old", spec=stored, spec_hash=hash_of_json(stored), seed=1, created_at=NOW
    )
    frozen.require_specification(study)
    assert access.spec_of(study).survey == ()
    assert access.spec_of(study) == read_spec(STUDY_FILE)


def test_what_changed_between_two_surveys_is_told_item_by_item():
    before, after = (spec_to_json(read_spec(STUDY_FILE + survey)) for survey in ("", SURVEY))
    told = {(change.table, change.key) for change in changes(before, after)}
    assert ("survey.trust", "labels") in told
    assert ("survey.comments", "kind") in told
    old = {name: table for name, table in before.items() if name != "survey"}
    assert changes(old, before) == []


def test_a_key_of_an_item_can_be_set_by_hand():
    spec = read_spec(STUDY_FILE + SURVEY, ["survey.used-before.is_required=true"])
    assert spec.survey[1].is_required


def test_more_texts_than_one_request_can_carry_are_refused():
    """Ten of the longest, in an alphabet whose characters are twelve bytes in a form, fit."""
    texts = "".join(f'\n[survey.t{number}]\ntext = "?"\nkind = "text"\n' for number in range(11))
    with pytest.raises(SpecError, match=r"^survey: 11 items of kind text; use at most 10\.$"):
        read_spec(STUDY_FILE + texts)
    assert settings.DATA_UPLOAD_MAX_MEMORY_SIZE > MOST_SURVEY_TEXTS * MAX_SURVEY_CHARACTERS * 12
