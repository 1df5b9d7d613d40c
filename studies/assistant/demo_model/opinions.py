"""What the demo model is taught to say to each demo question: an option, a reason, and whether it is right."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Question:
    """A question as the model may meet it; options in the bank's order."""

    text: str
    options: tuple[str, ...]
    passage: str = ""


@dataclass(frozen=True, slots=True)
class Opinion:
    """`says`: the index of the option that it argues for; `why`: its reason, one sentence; neither need be right."""

    question: Question
    says: int
    why: str
    is_right: bool


class OpinionError(Exception):
    """The list does not fit the questions; the message names the first one that is missing or different."""


def opinions(questions: Iterable[Question]) -> list[Opinion]:
    """The opinions about these questions, in their order. OpinionError for a question or an option without one."""
    text = (files("studies.assistant.demo_model") / "opinions.jsonl").read_text(encoding="utf-8")
    listed = {line["question"]: line for line in map(json.loads, text.splitlines())}
    found = []
    for question in questions:
        line = listed.get(question.text)
        if line is None:
            raise OpinionError(f"opinions.jsonl has no line for {question.text!r}; add one")
        if line["says"] not in question.options:
            raise OpinionError(f"{question.text!r}: says={line['says']!r} is none of its options")
        found.append(Opinion(question, question.options.index(line["says"]), line["why"], line["is_right"]))
    return found
