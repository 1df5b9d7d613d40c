"""`--set` changes a key by hand, takes bare text, and leaves a record."""

import pytest

from studies.design.problems import SpecError
from studies.design.spec_read import read_spec, read_with_deviations
from tests.design.samples import STUDY_FILE


def deviations(*overrides: str) -> list[dict[str, object]]:
    return read_with_deviations(STUDY_FILE, overrides)[1]


@pytest.mark.parametrize(
    ("override", "key", "before", "after"),
    [
        ("study.slots=9", "study.slots", 4, 9),
        ("study.slots = 9", "study.slots", 4, 9),
        ("questions.general.bank=other-bank", "questions.general.bank", "facts", "other-bank"),
        ('questions.general.bank="other-bank"', "questions.general.bank", "facts", "other-bank"),
        ("study.title=2024", "study.title", "A little study", "2024"),
        ("study.title=Wet = cold?", "study.title", "A little study", "Wet = cold?"),
        ("timing.grace_seconds=0.5", "timing.grace_seconds", 2.0, 0.5),
        ("answers.confidence=[0.5, 1]", "answers.confidence", [0.25, 0.42, 0.6, 0.8, 1.0], [0.5, 1]),
        ('questions.general.subjects=["subject_1"]', "questions.general.subjects", [], ["subject_1"]),
        (
            "assistants.helper.accuracy_by_subject.subject_1=0.9",
            "assistants.helper.accuracy_by_subject.subject_1",
            None,
            0.9,
        ),
        ("conditions.alone.feedback=end_of_block", "conditions.alone.feedback", "none", "end_of_block"),
    ],
)
def test_a_change_is_made_and_recorded(override, key, before, after):
    assert deviations(override) == [{"key": key, "from": before, "to": after}]


def test_changes_can_be_given_as_values():
    spec, made = read_with_deviations(STUDY_FILE, {"study.slots": 9, "questions.general.bank": "12"})
    assert (spec.study.slots, spec.source("general").bank) == (9, "12")
    assert [each["key"] for each in made] == ["study.slots", "questions.general.bank"]


def test_setting_what_is_there_is_no_deviation():
    assert deviations("study.slots=4", "timing.grace_seconds=2") == []


def test_a_subject_gets_its_own_accuracy():
    spec = read_spec(STUDY_FILE, ["assistants.helper.accuracy_by_subject.subject_1=0.9"])
    assert spec.assistant("helper").accuracy_by_subject == {"subject_1": 0.9}


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["slots"], "--set slots: use KEY=VALUE, for example --set study.slots=5."),
        (["slots=3"], "--set slots=3: use KEY=VALUE"),
        (["study.slots"], "--set study.slots: use KEY=VALUE"),
        (["study..slots=3"], "--set study..slots=3: use KEY=VALUE"),
        (["study.slots=3", "study.slots=4"], "--set study.slots=4: study.slots was already set; give it once."),
        (
            ["questions.genral.count=3"],
            "questions.genral: the file has no such table, and --set cannot add one. Did you ",
        ),
        (["study.slot=3"], "study.slot=3: no such key. Did you mean study.slots?"),
        (["study.slots=many"], "study.slots='many': use a whole number, 1 to 10000."),
        (["study.slots=3\nstudy.seed=4"], "study.slots='3\\nstudy.seed=4': use a whole number"),
        (["study.seed=1979-05-27"], "study.seed=datetime.date(1979, 5, 27): use a whole number"),
    ],
)
def test_a_change_that_cannot_be_made_is_refused(overrides, said):
    with pytest.raises(SpecError) as refused:
        read_spec(STUDY_FILE, overrides)
    assert str(refused.value.problems[0]).startswith(said)
