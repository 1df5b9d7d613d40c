"""Which answers the survey takes. Pure: the study file's items and what a form holds in, answers or refusals out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from studies.design.spec import SurveyTable
from studies.runtime.rules import MAX_SURVEY_CHARACTERS, Refusal


@dataclass(frozen=True)
class Given:
    """An answer to one item: a `number` from 1 on a scale, the 0-based index of an `option`, or a `text`."""

    item: str
    kind: str
    number: int | None = None
    option: int | None = None
    text: str = ""


class SurveyRefused(Refusal):
    """Some answers cannot be taken, so none is. `problems` has the refusal of each, by the item's name."""

    def __init__(self, problems: Mapping[str, Refusal]) -> None:
        super().__init__("survey_incomplete")
        self.problems = problems


def answers(items: Sequence[SurveyTable], form: Mapping[str, str]) -> list[Given]:
    """The answers in the items' order, without those that were left empty. `form`: what was sent, by the item's name.

    Raises SurveyRefused with all that is wrong. Names that are no item's are not looked at.
    """
    found: list[Given] = []
    problems: dict[str, Refusal] = {}
    for item in items:
        try:
            given = answer(item, form.get(item.name, ""))
        except Refusal as refusal:
            problems[item.name] = refusal
        else:
            found += [given] if given else []
    if problems:
        raise SurveyRefused(problems)
    return found


def answer(item: SurveyTable, sent: str) -> Given | None:
    """The answer to one item, None for one that was left empty. Points are sent as 1, 2, …, options as 0, 1, …

    Raises Refusal: survey_unanswered, option_unknown, survey_too_long, survey_unreadable.
    """
    if not sent.strip():
        if item.is_required:
            raise Refusal("survey_unanswered")
        return None
    if item.kind == "scale":
        return Given(item.name, item.kind, number=_among(range(1, len(item.labels) + 1), sent))
    if item.kind == "choice":
        return Given(item.name, item.kind, option=_among(range(len(item.options)), sent))
    if len(sent) > MAX_SURVEY_CHARACTERS:
        raise Refusal("survey_too_long")
    if "\x00" in sent:
        raise Refusal("survey_unreadable")
    return Given(item.name, item.kind, text=sent)


def _among(numbers: range, sent: str) -> int:
    known = {str(number): number for number in numbers}
    if sent not in known:
        raise Refusal("option_unknown")
    return known[sent]
