"""The rules between keys, above all that nobody is misled: what must be disclosed and who must be named."""

import pytest

from studies.design.problems import SpecError
from studies.design.spec_read import read_spec
from studies.design.spec_rules import is_controlled, is_elsewhere
from tests.design.samples import ENGINE, REMOTE, SCRIPTED, STUDY_FILE, changed

NAMED = (
    'consent = "Do you agree?"',
    'consent = """What you write goes to\n**Example** Ltd."""\nnames_remote_assistant = true',
)
OPERATOR = (SCRIPTED, REMOTE + 'operator = "Example Ltd"\n')


def problems(text: str) -> list[str]:
    with pytest.raises(SpecError) as refused:
        read_spec(text)
    return [str(problem) for problem in refused.value.problems]


def debrief(text: str, more: str = "") -> str:
    return changed(('debrief = "The assistant was scripted."', f'debrief = """{text}"""\n{more}'))


def test_a_scripted_assistant_must_be_disclosed_by_word_and_text():
    text = changed(("discloses_assistant = true", ""), ("The assistant was scripted.", "Thank you."))
    assert problems(text) == [
        "texts.discloses_assistant=false: assistants.helper is scripted. Tell in texts.debrief how it worked, then set "
        "this to true.",
        "texts.debrief: assistants.helper is scripted, and no paragraph of the debrief seems to say so. Say there that "
        "the assistant was scripted or told what to argue for, or quote the sentence that says it in texts.disclosure.",
    ]


def test_a_prompted_assistant_must_be_disclosed_too():
    prompted = ENGINE + 'unreliability = "prompted"\naccuracy = 0.5\n'
    said = problems(changed((SCRIPTED, prompted), ("discloses_assistant = true", "")))
    assert said[0].startswith("texts.discloses_assistant=false: assistants.helper is prompted.")


def test_a_natural_assistant_needs_no_disclosure():
    read_spec(changed((SCRIPTED, ENGINE), ("discloses_assistant = true", ""), ("The assistant was scripted.", "Bye.")))


@pytest.mark.parametrize(
    "text",
    [
        "Thanks.\n\nThe assistant was wrong on purpose on some questions.",
        "The AI was told to argue for an option.",
        "Our model followed a script.",
    ],
)
def test_words_that_disclose_are_found(text):
    read_spec(debrief(text))


@pytest.mark.parametrize("text", ["The assistant thanks you.", "This was scripted.\n\nThe assistant thanks you."])
def test_words_that_do_not_disclose_are_not_enough(text):
    assert problems(debrief(text))[0].startswith("texts.debrief: assistants.helper is scripted")


def test_in_another_language_the_sentence_is_quoted():
    german = "Danke.\n\nDer Assistent folgte **einem\nDrehbuch**."
    assert problems(debrief(german))
    read_spec(debrief(german, 'disclosure = "Der Assistent folgte einem Drehbuch."'))
    [said] = problems(debrief(german, 'disclosure = "Der Assistent war ehrlich."'))
    assert said.endswith("use a sentence that stands in texts.debrief, word for word.")


def test_an_assistant_elsewhere_must_be_named_before_consent():
    assert problems(changed((SCRIPTED, REMOTE))) == [
        "texts.names_remote_assistant=false: assistants.helper answers at api.example.com. Name it in texts.consent, "
        "then set this to true.",
        "texts.consent: what people type to assistants.helper goes to api.example.com; the consent text must hold "
        "'api.example.com', or the words that you give as assistants.helper.operator.",
    ]


def test_the_consent_must_hold_the_name_and_not_only_the_promise():
    text = changed(OPERATOR, ("discloses_assistant = true", "names_remote_assistant = true"))
    assert problems(text) == [
        "texts.consent: what people type to assistants.helper goes to api.example.com; the consent text must hold "
        "'Example Ltd'."
    ]


def test_a_named_assistant_elsewhere_is_accepted():
    read_spec(changed(OPERATOR, NAMED))


@pytest.mark.parametrize(
    ("url", "elsewhere"),
    [
        ("http://127.0.0.1:8100/v1", False),
        ("http://127.8.8.8/v1", False),
        ("http://localhost:8100/v1", False),
        ("http://engine.localhost/v1", False),
        ("http://[::1]:8100/v1", False),
        ("http://10.0.0.5:8000/v1", True),
        ("https://api.example.com/v1", True),
        ("http://localhost.example.com/v1", True),
        ("http://127.0.0.1.example.com/v1", True),
    ],
)
def test_only_a_loopback_address_is_here(url, elsewhere):
    text = changed((SCRIPTED, ENGINE.replace("http://127.0.0.1:8100/v1", url)))
    if elsewhere:
        assert problems(text)[0].startswith("texts.names_remote_assistant=false")
    else:
        assert not is_elsewhere(read_spec(text).assistant("helper"))


def test_a_scripted_assistant_is_controlled_and_here():
    helper = read_spec(STUDY_FILE).assistant("helper")
    assert is_controlled(helper)
    assert not is_elsewhere(helper)


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        (
            [('assistance = "none"', 'assistance = "none"\nassistant = "helper"')],
            "conditions.alone.assistant='helper': ",
        ),
        (
            [('assistant = "helper"\n', "")],
            "conditions.chat.assistant: missing, because assistance is chat. There is: ",
        ),
        (
            [('unreliability = "scripted"\n', "")],
            "assistants.helper.unreliability='natural': with backend 'scripted' use ",
        ),
        ([("accuracy = 0.5", "")], "assistants.helper.accuracy: missing, because the assistant is scripted."),
        (
            [(SCRIPTED, ENGINE + "accuracy = 0.5\n")],
            "assistants.helper.accuracy=0.5: a natural assistant makes its own",
        ),
        (
            [(SCRIPTED, SCRIPTED + "temperature = 0.5\n")],
            "assistants.helper.temperature=0.5: this key is for openai and engine, not for scripted; take it away.",
        ),
        (
            [(SCRIPTED, ENGINE + "temperature = 1e-9\n")],
            "assistants.helper.temperature=1e-09: use 0 (greedy), or 0.0001 to 2.",
        ),
        (
            [(SCRIPTED, ENGINE + "words_per_second = 3\n")],
            "assistants.helper.words_per_second=3.0: this key is for scripted, not for engine; take it away.",
        ),
        ([(SCRIPTED, '[assistants.helper]\nbackend = "engine"\n')], "assistants.helper.base_url: missing."),
        ([(SCRIPTED, ENGINE.replace("engine", "openai"))], "assistants.helper.model: missing."),
        (
            [(SCRIPTED, ENGINE + "price_prompt = 1\n")],
            "assistants.helper.price_prompt=1.0: this key is for openai, not",
        ),
        (
            [(SCRIPTED, ENGINE.replace("engine", "openai") + 'model = "m"\nprice_completion = 1\n')],
            "assistants.helper.price_prompt: missing, because the other price is given.",
        ),
        (
            [(SCRIPTED, ENGINE + 'unreliability = "prompted"\naccuracy = 0.5\nsystem_prompt = "Hi"\n')],
            "assistants.helper.system_prompt: a prompted assistant has the shipped prompt",
        ),
        (
            [("[assignment]", "[answers]\nconfidence = [0.5, 0.5]\n[assignment]")],
            "answers.confidence=[0.5, 0.5]: use rising numbers, each once.",
        ),
        (
            [("[assignment]", '[answers]\nconfidence_labels = ["low", "high"]\n[assignment]')],
            "answers.confidence_labels=['low', 'high']: use 5 labels",
        ),
        (
            [("[assignment]", '[analysis]\nprimary_baseline = "scripted-stance"\n[assignment]'), (SCRIPTED, ENGINE)],
            "analysis.primary_baseline='scripted-stance': no assistant is scripted; use zero-shot.",
        ),
        (
            [
                ("[assignment]", '[analysis]\nprimary_baseline = "scripted-stance"\n[assignment]'),
                (SCRIPTED, SCRIPTED + 'stance_per = "trial"\n'),
            ],
            "analysis.primary_baseline='scripted-stance': with stance_per 'trial' a question has no one stance",
        ),
        (
            [(SCRIPTED, ENGINE + "timeouts = { forever = 3 }\n")],
            "assistants.helper.timeouts={'forever': 3}: use a table of numbers with names out of connect, first_token",
        ),
    ],
)
def test_keys_that_do_not_go_together_are_refused(pairs, said):
    assert any(each.startswith(said) for each in problems(changed(*pairs))), problems(changed(*pairs))


def test_a_study_without_questions_or_conditions_is_refused():
    text = STUDY_FILE[: STUDY_FILE.index("[questions.general]")] + '[assignment]\nmethod = "fixed"\n'
    assert [each.split(":")[0] for each in problems(text)] == ["questions", "conditions"]


def test_every_condition_needs_a_question():
    text = changed(("count = 6", "count = 1"), ("count = 2", "count = 1"))
    text = text.replace("[conditions.alone]", '[conditions.third]\nassistance = "none"\n[conditions.alone]')
    assert problems(text) == ["questions: 2 in all, for 3 conditions. Use one or more for each."]


CHECK = """
[checks.clock]
text = "When does the clock start?"
options = ["At once.", "When I open a question."]
correct = "When I open a question."
"""


def test_check_questions_are_read_in_the_files_order():
    more = CHECK.replace("clock]", "again]")
    spec = read_spec(STUDY_FILE + CHECK + more)
    assert [check.name for check in spec.checks] == ["clock", "again"]
    assert spec.checks[0].options == ("At once.", "When I open a question.")
    assert spec.screening.attempts == 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            'correct = "When I open a question."',
            'correct = "When I open a question"',
            "checks.clock.correct='When I open a question': not one of the options. "
            "Did you mean When I open a question.?",
        ),
        (
            '["At once.", "When I open a question."]',
            '["When I open a question.", "When I open a question."]',
            "checks.clock.options=['When I open a question.', 'When I open a question.']: "
            "'When I open a question.' cannot be told apart. Use different words for each.",
        ),
        (
            '["At once.", "When I open a question."]',
            '["When I open a question."]',
            'checks.clock.options=[\'When I open a question.\']: use a list of texts such as ["one", "two"] '
            "(2 to 10 entries).",
        ),
        ('text = "When does the clock start?"', "", "checks.clock.text: missing. Use text (1 to 2000 characters)."),
    ],
)
def test_a_check_question_that_cannot_be_answered_is_refused(old, new, said):
    assert said in problems(STUDY_FILE + CHECK.replace(old, new))


def test_too_many_check_questions_are_refused():
    many = "".join(CHECK.replace("clock]", f"clock-{number}]") for number in range(21))
    assert problems(STUDY_FILE + many) == ["checks: 21 tables. Use at most 20."]
