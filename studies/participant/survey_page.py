"""The survey's page: its items as the template shows them, and what its form sent."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import QueryDict

from studies.design.spec import SurveyTable
from studies.runtime.rules import MAX_SURVEY_CHARACTERS

FIELD = "item-"  # before the item's name, so that no item can be called csrfmiddlewaretoken
NO_ANSWER = ""
ABREAST = 7  # points of a scale; more of them stand below one another


def read(items: Sequence[SurveyTable], sent: QueryDict) -> dict[str, str]:
    """What the form sent, by the item's name; choices that were not touched are not sent.

    Line ends are one character each, as browsers count them.
    """
    fields = {item.name: sent.get(FIELD + item.name) for item in items}
    return {name: value.replace("\r\n", "\n") for name, value in fields.items() if value is not None}


def shown(
    items: Sequence[SurveyTable], form: Mapping[str, str] | None = None, problems: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """What the template shows: each item with what was chosen before, and with a sentence where that was not taken."""
    form, problems = form or {}, problems or {}
    return {
        "survey": [_item(item, form.get(item.name), problems.get(item.name, "")) for item in items],
        "has_required": any(item.is_required for item in items),
    }


def _item(item: SurveyTable, given: str | None, problem: str) -> dict[str, Any]:
    numbered = enumerate(item.labels, start=1) if item.kind == "scale" else enumerate(item.options)
    choices = [
        {"value": str(number), "word": word, "is_chosen": given == str(number), "number": number}
        for number, word in numbered
    ]
    return {
        "field": FIELD + item.name,
        "kind": item.kind,
        "text": item.text,
        "is_required": item.is_required,
        "choices": choices,
        "is_tall": len(choices) > ABREAST,
        "is_left": given == NO_ANSWER,
        "given": given or "",
        "most": MAX_SURVEY_CHARACTERS,
        "problem": problem,
    }
