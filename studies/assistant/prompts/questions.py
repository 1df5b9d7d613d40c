"""A question as a prompt: the paper's zero-shot letter layout, and the system prompt that argues for a planned stance.

Layout from Bowman et al. 2022 (arXiv 2211.03540), after Kadavath et al. 2022. The whitespace is part of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_uppercase

from studies.assistant import prompts
from studies.assistant.types import Turn


def choices(options: Sequence[str]) -> str:
    """The options as lines `(A) …`, without a newline at the end."""
    return "\n".join(f"({letter}) {option}" for letter, option in zip(ascii_uppercase, options, strict=False))


def zero_shot(question: str, options: Sequence[str], passage: str = "") -> tuple[Turn, Turn]:
    """The letter prompt for a chat model: score the letters after it, in order, as continuations `A`, `B`, …

    The last turn is the assistant's `(`, so that the next token is the letter.
    """
    return Turn("user", _question_text(question, options, passage)), Turn("assistant", "(")


def zero_shot_plain(question: str, options: Sequence[str], passage: str = "") -> str:
    """The same as one plain text, `Human: …` then `Assistant: (`, for a model without a chat template."""
    return prompts.load("zero_shot_plain").fill(user=_question_text(question, options, passage))


def zero_shot_prompt(passage: str = "") -> prompts.Prompt:
    """Which versioned text `zero_shot` fills, to be recorded with a run."""
    return prompts.load("zero_shot_passage" if passage else "zero_shot")


def argue_for_stance(question: str, options: Sequence[str], stance: int) -> str:
    """The system prompt of prompted unreliability: `stance` is the index of the option to argue for, right or wrong."""
    return prompts.load("argue_for_stance").fill(
        question=question, choices=choices(options), letter=ascii_uppercase[stance], option=options[stance]
    )


def _question_text(question: str, options: Sequence[str], passage: str) -> str:
    prompt = zero_shot_prompt(passage)
    values = {"question": question, "choices": choices(options)}
    return prompt.fill(passage=passage, **values) if passage else prompt.fill(**values)
