"""The prompts are exactly the paper's, to the space, and carry their version."""

import hashlib

import pytest

from studies.assistant import prompts
from studies.assistant.prompts import questions
from studies.assistant.types import Turn

OPTIONS = ("two", "three", "four", "five")


def test_zero_shot_is_the_papers_layout_to_the_space() -> None:
    assert questions.zero_shot("What is 2 + 2?", OPTIONS) == (
        Turn("user", "Question: What is 2 + 2?\nChoices:\n(A) two\n(B) three\n(C) four\n(D) five\nAnswer:"),
        Turn("assistant", "("),
    )


def test_plain_zero_shot_ends_with_the_open_bracket() -> None:
    assert questions.zero_shot_plain("What is 2 + 2?", OPTIONS) == (
        "Human: Question: What is 2 + 2?\nChoices:\n(A) two\n(B) three\n(C) four\n(D) five\nAnswer:\n\nAssistant: ("
    )


def test_the_passage_comes_first_so_that_its_prefix_is_shared() -> None:
    user, assistant = questions.zero_shot("Who?", OPTIONS, passage="Once upon a time.\n\nThe end.")
    assert user.text.startswith("Once upon a time.\n\nThe end.\n\nQuestion: Who?\nChoices:\n(A) two")
    assert assistant.text == "("


def test_dollar_signs_and_braces_in_a_question_are_text() -> None:
    user, _ = questions.zero_shot("Is $choices worth {5}?", ("$question", "$", "{}", "$$"))
    assert user.text == "Question: Is $choices worth {5}?\nChoices:\n(A) $question\n(B) $\n(C) {}\n(D) $$\nAnswer:"


def test_the_stance_prompt_names_the_planned_option_and_no_other_as_its_position() -> None:
    text = questions.argue_for_stance("What is 2 + 2?", OPTIONS, 1)
    assert "Your assigned position is (B) three\n" in text
    assert "$" not in text


def test_a_prompt_knows_its_name_version_and_hash() -> None:
    prompt = prompts.load("zero_shot")
    assert (prompt.name, prompt.version) == ("zero_shot", 1)
    assert prompt.sha256 == hashlib.sha256(b"Question: $question\nChoices:\n$choices\nAnswer:").hexdigest()
    assert prompts.load("zero_shot", 1) == prompt


@pytest.mark.parametrize(
    ("name", "version", "said"), [("zero_shoot", None, "zero_shot"), ("zero_shot", 99, r"version 99: there are \[1\]")]
)
def test_an_unknown_prompt_is_refused_with_what_there_is(name: str, version: int | None, said: str) -> None:
    with pytest.raises(prompts.UnknownPrompt, match=said):
        prompts.load(name, version)


def test_every_shipped_prompt_loads() -> None:
    for name in ("zero_shot", "zero_shot_passage", "zero_shot_plain", "chat_system", "argue_for_stance"):
        prompt = prompts.load(name)
        assert prompt.text.strip()
        assert not prompt.text.endswith("\n")
