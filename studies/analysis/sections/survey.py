"""The survey: each item with what everybody answered, and beside it the groups that people were assigned to."""

from collections.abc import Iterator, Sequence

import pandas as pd

from studies.analysis.blocks import Block, Section, Table
from studies.analysis.data import Data
from studies.analysis.estimate import Estimate
from studies.analysis.present import bare, between, count, number
from studies.analysis.results import Results
from studies.analysis.sections.flow import MOST_GROUPS
from studies.analysis.survey import Item, Survey, points, shares

EVERYBODY = "All"
Group = tuple[str, frozenset[str] | None]  # a name and its people; None: everybody
NOBODY = "Nobody has sent the survey yet."
ALL_OUT = "Everybody who sent the survey is left out by exclusions."
BY = {
    "arm": " Shown are all of them, and each condition that people were assigned to.",
    "list": " Shown are all of them, and each list that people were assigned to.",
}
INTERVALS = (
    "Shares of those who answered, with Wilson's 95 % interval: each person answered once. Differences are not tested."
)


def section(data: Data, results: Results) -> Section | None:
    """None for a study without a survey."""
    if data.survey is None:
        return None
    survey, left_out = _counted(data.survey, results)
    sent = survey.answers["participant"].nunique()
    if not sent:
        return Section("survey", "Survey", (ALL_OUT if left_out else NOBODY,), ())
    groups = _groups(data)
    lead = f"{count(sent)} {'person' if sent == 1 else 'people'} sent the survey."
    lead += BY[data.flow.by] if len(groups) > 1 else ""
    if left_out:
        lead += f" Left out by exclusions: {count(left_out)}."
    texts = [item for item in survey.items if item.kind == "text"]
    blocks: list[Block] = [_table(survey, item, groups) for item in survey.items if item.kind != "text"]
    return Section("survey", "Survey", (lead,), [*blocks, *_written(survey, texts, groups)])


def _counted(survey: Survey, results: Results) -> tuple[Survey, int]:
    """The survey as the headline counts people, and how many are left out."""
    if results.exclusions != "applied":
        return survey, 0
    is_out = survey.answers["excluded"] == 1
    return Survey(survey.items, survey.answers[~is_out]), survey.answers["participant"][is_out].nunique()


def _groups(data: Data) -> list[Group]:
    """Everybody, and each group of the flow where the design has people apart."""
    names = data.flow.groups if len(data.flow.groups) <= MOST_GROUPS else []
    apart = [
        (name or "not known", frozenset(person.name for person in data.flow.people if person.group == name))
        for name in names
    ]
    return [(EVERYBODY, None), *apart]


def _table(survey: Survey, item: Item, groups: Sequence[Group]) -> Table:
    return _scale(survey, item, groups) if item.kind == "scale" else _choice(survey, item, groups)


def _scale(survey: Survey, item: Item, groups: Sequence[Group]) -> Table:
    rows = []
    for name, people in groups:
        own = survey.of(item, people)
        found = points(_given(own), len(item.words))
        figures = (number(found.mean, 2), number(found.median, 1), number(found.sd, 2))
        rows.append((name, count(found.n), *figures, *map(count, found.counts), count(len(own) - found.n)))
    numbers = [str(point) for point in range(1, len(item.words) + 1)]
    named = ", ".join(f"{point} = {word}" for point, word in zip(numbers, item.words, strict=True) if word)
    columns = ("", "n", "Mean", "Median", "SD", *numbers, "Left empty")
    note = f"{named}. Under each point: how many chose it."
    return Table(item.text, columns, rows, note=note, strong=frozenset({0}))


def _choice(survey: Survey, item: Item, groups: Sequence[Group]) -> Table:
    found = [(name, shares(_given(survey.of(item, people)), len(item.words))) for name, people in groups]
    is_apart = len(groups) > 1
    rows = [
        (
            word,
            name if is_apart else "",
            count(own[place].count),
            bare(own[place].share),
            between(Estimate(low=own[place].low, high=own[place].high)),
        )
        for place, word in enumerate(item.words)
        for name, own in found
    ]
    everybody = survey.of(item)
    answered = len(_given(everybody))
    note = f"{INTERVALS} Answered: {count(answered)}. Left empty: {count(len(everybody) - answered)}."
    strong = frozenset(range(0, len(rows), len(groups))) if is_apart else frozenset()
    return Table(item.text, ("", "Who", "n", "%", "95 % interval"), rows, note=note, strong=strong)


def _written(survey: Survey, items: Sequence[Item], groups: Sequence[Group]) -> Iterator[Table]:
    """What people wrote is counted, not shown."""
    rows = []
    for item in items:
        for name, people in groups:
            own = survey.of(item, people)
            wrote = int((own["characters"] > 0).sum())
            who = name if len(groups) > 1 else ""
            rows.append((item.text, who, count(wrote), count(len(own) - wrote)))
    if rows:
        note = "What people wrote is in no report; it is in bundles with text."
        yield Table("Answers in their own words", ("", "Who", "Wrote something", "Left empty"), rows, note=note)


def _given(rows: pd.DataFrame) -> list[float]:
    return [float(value) for value in rows["value"].dropna()]
