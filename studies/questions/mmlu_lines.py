"""Cut JSON Lines of MMLU: objects with `question`, `choices`, `answer`, or prompts with `input`, `output`."""

import json
import re
from itertools import pairwise
from typing import Any

from studies.questions.mmlu_raw import Layout, RawQuestion
from studies.questions.records import Origin, RecordError

_HEAD = re.compile(r"The following are multiple choice questions \(with answers\) about [^\n]*\.\n\n")
_MARKS = ("\nA. ", "\nB. ", "\nC. ", "\nD. ", "\nAnswer:")


def read_lines(file: str, text: str) -> Layout:
    """One record a line; lines end with a newline only, so that U+0085 or U+2028 inside a text cut nothing."""
    rows: list[RawQuestion | RecordError] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                rows.append(_cut(Origin(file, len(rows) + 1, f"line {number}"), line))
            except RecordError as error:
                rows.append(error)
    return Layout(rows)


def _cut(origin: Origin, line: str) -> RawQuestion:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise RecordError(origin, "line", line, f"is not JSON ({error})") from error
    if not isinstance(found, dict):
        raise RecordError(origin, "line", line, "a JSON object is needed, one a line")
    subject = found.pop("subject", None)
    if subject is not None and not isinstance(subject, str):
        raise RecordError(origin, "subject", subject, "a text is needed")
    if {"question", "choices", "answer"} <= found.keys():
        return _plain(origin, subject, found)
    if {"input", "output"} <= found.keys():
        return _prompt(origin, subject, found)
    raise RecordError(origin, "fields", sorted(found), "question, choices and answer are needed, or input and output")


def _plain(origin: Origin, subject: str | None, found: dict[str, Any]) -> RawQuestion:
    choices, answer = found.pop("choices"), found.pop("answer")
    if not isinstance(choices, list):
        raise RecordError(origin, "choices", choices, "a list of texts is needed")
    return RawQuestion(origin, found.pop("question"), tuple(choices), answer, subject, found)


def _prompt(origin: Origin, subject: str | None, found: dict[str, Any]) -> RawQuestion:
    """Undo `{head}{question}\\nA. …\\nB. …\\nC. …\\nD. …\\nAnswer:`, if there is exactly one way to cut it."""
    prompt = found.pop("input")
    if not isinstance(prompt, str):
        raise RecordError(origin, "input", prompt, "a text is needed")
    body = _HEAD.sub("", prompt, count=1) if _HEAD.match(prompt) else prompt
    places = [body.find(mark) for mark in _MARKS]
    if any(body.count(mark) != 1 for mark in _MARKS) or places != sorted(places):
        raise RecordError(
            origin, "input", prompt, "A., B., C., D. and Answer: must start a line, once each and in order"
        )
    if body[places[-1] :].strip() != "Answer:":
        raise RecordError(origin, "input", prompt, "nothing may follow Answer:")
    options = tuple(body[at + len(_MARKS[0]) : end] for at, end in pairwise(places))
    return RawQuestion(origin, body[: places[0]], options, found.pop("output"), subject, found)
