"""Two versions of a study file: every key that differs is told in the file's words, and nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from studies.design.diff import ADDED, KEPT, REMOVED, SKIPPED, Change, TextLine, changes, text_lines, toml
from studies.design.spec_json import Json, spec_to_json
from studies.design.spec_read import read_spec
from tests.design.samples import ENGINE, SCRIPTED, STUDY_FILE, changed


def spec(text: str = STUDY_FILE, *overrides: str) -> Json:
    return spec_to_json(read_spec(text, overrides))


def test_the_same_file_has_no_changes():
    assert changes(spec(), spec()) == []
    assert changes(spec(), {**spec(), "plan": {"slots": "another"}}) == []


def test_each_changed_key_is_told_with_both_values_in_the_order_of_the_file():
    after = spec(
        STUDY_FILE,
        "timing.grace_seconds=5",
        "study.slots=6",
        "questions.general.stratify=false",
        'questions.general.subjects=["subject_1"]',
        "assistants.helper.accuracy_by_subject.subject_1=0.25",
    )
    assert changes(spec(), after) == [
        Change("study", "slots", "4", "6"),
        Change("timing", "grace_seconds", "2.0", "5.0"),
        Change("questions.general", "subjects", "[]", '["subject_1"]'),
        Change("questions.general", "stratify", "true", "false"),
        Change("assistants.helper", "accuracy_by_subject", "{}", "{ subject_1 = 0.25 }"),
    ]


def test_a_key_that_came_later_counts_as_its_default():
    before = spec()
    del before["timing"]["grace_seconds"]
    assert changes(before, spec()) == []
    assert changes({}, {}) == []


def test_a_table_that_came_or_went_is_told_by_what_it_says_beyond_its_defaults():
    added = changed(
        ("[assignment]", '[conditions.third]\nassistance = "none"\nfeedback = "end_of_block"\n[assignment]')
    )
    came = [
        Change("conditions.third", "assistance", None, '"none"'),
        Change("conditions.third", "feedback", None, '"end_of_block"'),
    ]
    assert changes(spec(), spec(added)) == came
    went = [Change(each.table, each.key, each.after, each.before) for each in came]
    assert changes(spec(added), spec()) == went


def test_the_order_of_the_conditions_is_a_change():
    alone, chat = '[conditions.alone]\nassistance = "none"\n', '[conditions.chat]\nassistance = "chat"\n'
    swapped = changed((alone, ""), ("[assistants.helper]", alone + "\n[assistants.helper]"))
    assert chat in swapped
    assert changes(spec(), spec(swapped)) == [Change("conditions", "(order)", "alone, chat", "chat, alone")]


def test_another_backend_shows_as_its_keys():
    found = {change.key: (change.before, change.after) for change in changes(spec(), spec(changed((SCRIPTED, ENGINE))))}
    assert found["backend"] == ('"scripted"', '"engine"')
    assert found["accuracy"] == ("0.5", "not set")


def test_a_long_text_is_told_line_by_line():
    text = '''"""One.

Two.

Three.
Four.
Five."""'''
    before = spec(changed(('"Answer the questions."', text)))
    after = spec(changed(('"Answer the questions."', text.replace("Four.", "4.").replace("One", "one"))))
    [change] = changes(before, after)
    assert (change.table, change.key) == ("texts", "instructions")
    assert change.lines == (
        TextLine(REMOVED, "One."),
        TextLine(ADDED, "one."),
        TextLine(KEPT, ""),
        TextLine(SKIPPED, "2 lines unchanged"),
        TextLine(KEPT, "Three."),
        TextLine(REMOVED, "Four."),
        TextLine(ADDED, "4."),
        TextLine(KEPT, "Five."),
    )


@given(st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=9), st.lists(st.sampled_from("abd"), max_size=9))
def test_the_lines_that_went_and_came_are_all_there(before: list[str], after: list[str]):
    """Without the removed lines the one text holds what the other holds without the added ones."""
    lines = text_lines("\n".join(before), "\n".join(after))
    left = {REMOVED: "\n".join(before).splitlines(), ADDED: "\n".join(after).splitlines()}
    for line in lines:
        if line.mark in left:
            left[line.mark].remove(line.text)
    assert sorted(left[REMOVED]) == sorted(left[ADDED])


def test_values_stand_as_in_a_study_file():
    assert [toml(value) for value in (True, None, 'a "b"', 0.5, ["x", 1], {"b": 1.0, "a": 2.0})] == [
        "true",
        "not set",
        '"a \\"b\\""',
        "0.5",
        '["x", 1]',
        "{ a = 2.0, b = 1.0 }",
    ]
