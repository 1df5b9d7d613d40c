"""A study file is read completely, and everything that is wrong with it is said at once, by key, value and allowed."""

import pytest

from studies.design.problems import SpecError
from studies.design.spec_read import read_spec
from tests.design.samples import STUDY_FILE, changed


def problems(text: str, *overrides: str) -> list[str]:
    with pytest.raises(SpecError) as refused:
        read_spec(text, overrides)
    return [str(problem) for problem in refused.value.problems]


def test_a_file_is_read_with_its_defaults():
    spec = read_spec(STUDY_FILE)
    assert spec.study.slots == 4
    assert [source.name for source in spec.questions] == ["general", "stories"]
    assert [condition.name for condition in spec.conditions] == ["alone", "chat"]
    assert spec.source("general").time_limit_seconds == 0
    assert spec.condition("chat").passage_after_reset is True
    assert spec.condition("alone").feedback == "none"
    assert spec.assistant("helper").accuracy == 0.5
    assert spec.answers.confidence == (0.25, 0.42, 0.60, 0.80, 1.00)
    assert spec.assignment.passage_repeats == "never"
    assert spec.timing.grace_seconds == 2.0


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("slots = 4", "slots = 0", "study.slots=0: use a whole number, 1 to 10000."),
        ("slots = 4", 'slots = "four"', "study.slots='four': use a whole number, 1 to 10000."),
        ("slots = 4", "slots = true", "study.slots=true: use a whole number, 1 to 10000."),
        ("slots = 4", "slots = 4.0", "study.slots=4.0: use a whole number, 1 to 10000."),
        ("accuracy = 0.5", "accuracy = 1.01", "assistants.helper.accuracy=1.01: use a number, 0 to 1."),
        ("accuracy = 0.5", "accuracy = nan", "assistants.helper.accuracy=nan: use a number, 0 to 1."),
        (
            'method = "latin_square"',
            'method = "latin"',
            "assignment.method='latin': use one of fixed, counterbalanced, latin_square, interleaved.",
        ),
        (
            'consent = "Do you agree?"',
            'consent = "  "',
            "texts.consent='  ': use text (1 to 50000 characters).",
        ),
        (
            'name = "little"',
            'name = "A Little"',
            "study.name='A Little': use lower-case letters and digits, joined by - or _ (1 to 80 characters).",
        ),
        ("seed = 11", "seed = -1", "study.seed=-1: use a whole number, 0 to 9223372036854775807."),
        ("stratify = true", "stratify = 1", "questions.general.stratify=1: use true or false."),
        ("count = 6", "", "questions.general.count: missing. Use a whole number, 1 to 20000."),
        ("contact =", "kontakt =", "study.kontakt='the author of this test': no such key. Did you mean study.contact?"),
        ("[assignment]", "[asignment]", "asignment: no such table. Did you mean assignment?"),
        (
            "[assignment]",
            "[answers]\nconfidence = [0.5, 2]\n[assignment]",
            "answers.confidence=[0.5, 2]: use a list of numbers such as [0.5, 1.0], 0 to 1 (2 to 101 entries).",
        ),
        (
            "[conditions.alone]",
            "[conditions.'All One']\nassistance = 'none'\n[conditions.alone]",
            "conditions.All One: as a table's name use lower-case letters and digits, joined by - or _, at most 80 "
            "characters.",
        ),
        ("[conditions.alone]", "[conditions]\nfeedback = 3\n[conditions.alone]", "conditions.feedback=3: use a table"),
    ],
)
def test_a_mistake_names_the_key_the_value_and_what_is_allowed(before, after, said):
    found = problems(changed((before, after)))
    assert any(each.startswith(said) for each in found), found


def test_a_value_in_place_of_a_table_is_refused():
    text = "assignment = 5\n" + changed(('[assignment]\nmethod = "latin_square"\n', ""))
    assert problems(text) == ["assignment=5: use a table, [assignment]."]


def test_all_mistakes_are_told_at_once():
    text = changed(
        ("slots = 4", "slots = 0"),
        ("count = 6", "cuont = 6"),
        ("discloses_assistant = true", ""),
        ('assistant = "helper"', 'assistant = "helpr"'),
    )
    assert [
        each.split("=")[0].split(":")[0] for each in problems(text, "answers.confidence=[0.9, 0.5]", "foo.bar=1")
    ] == [
        "foo",
        "study.slots",
        "questions.general.cuont",
        "questions.general.count",
        "conditions.chat.assistant",
        "answers.confidence",
        "texts.discloses_assistant",
    ]


def test_a_rule_is_silent_while_a_key_that_it_rests_on_is_wrong():
    said = problems(changed(("accuracy = 0.5", 'accuracy = "half"')))
    assert said == ["assistants.helper.accuracy='half': use a number, 0 to 1."]


def test_an_unknown_key_without_a_near_one_lists_what_there_is():
    [said] = problems(changed(("[assignment]", "[analysis]\nzebra = 1\n[assignment]")))
    assert said == "analysis.zebra=1: no such key. There is: primary_baseline."


def test_text_that_is_not_toml_is_refused_with_its_place():
    [said] = problems("[study]\nname = \n")
    assert said.startswith("the study file is not TOML: Invalid value (at line 2")


def test_long_values_are_cut_in_messages():
    [said] = problems(changed(("discloses_assistant = true", f'discloses_assistant = "{"x" * 500}"')))
    assert len(said) < 120
