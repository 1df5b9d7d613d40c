"""The survey at the end: what people answered to each item, of everybody and by what they were assigned to.

A person answers an item once, so that the answers to it are independent: plain means, and intervals of one share.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from studies.analysis import proportion
from studies.analysis.errors import Problem

Tables = Mapping[str, pd.DataFrame]
ALLOWED = "an item, its kind and a value as in survey_items.csv"
READ = ["participant", "item", "value", "characters", "excluded"]


@dataclass(frozen=True)
class Item:
    """What was asked; `words` has one entry for each point or option, in order, empty for a point without a word."""

    name: str
    kind: str
    text: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Survey:
    """The items in the study file's order, and the checked table of answers (no rows where nobody has sent it)."""

    items: tuple[Item, ...]
    answers: pd.DataFrame

    def of(self, item: Item, people: frozenset[str] | None = None) -> pd.DataFrame:
        """The rows of an item: of these people, else of all who sent the survey."""
        rows = self.answers[self.answers["item"] == item.name]
        return rows if people is None else rows[rows["participant"].isin(people)]


@dataclass(frozen=True)
class Points:
    """A scale: how many answered, mean, median, standard deviation (n - 1), and how many chose each point from 1.

    mean and median are None where nobody answered, sd where fewer than two did.
    """

    n: int
    mean: float | None
    median: float | None
    sd: float | None
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Share:
    """An option: how many of those who answered chose it, and the share with its 95 % interval (Wilson 1927).

    share, low and high are None where nobody answered.
    """

    count: int
    share: float | None
    low: float | None
    high: float | None


def points(values: Sequence[float], most: int) -> Points:
    """What a scale of `most` points was answered.

    Example: 2, 4, 4 of five points: mean 3.33, median 4, standard deviation 1.15, counts 0, 1, 0, 2, 0.
    """
    given = np.asarray(values, dtype=np.float64)
    counts = tuple(int((given == point).sum()) for point in range(1, most + 1))
    if not len(given):
        return Points(0, None, None, None, counts)
    sd = float(given.std(ddof=1)) if len(given) > 1 else None
    return Points(len(given), float(given.mean()), float(np.median(given)), sd, counts)


def shares(values: Sequence[float], options: int) -> list[Share]:
    """What was chosen of so many options, each beside all who answered.

    Example: option 1 of two chosen by 3 of 4: share .75, from .301 to .954.
    """
    given = np.asarray(values, dtype=np.float64)
    counts = [int((given == option).sum()) for option in range(1, options + 1)]
    if not len(given):
        return [Share(0, None, None, None)] * options
    return [Share(count, count / len(given), *proportion.wilson(count, len(given))) for count in counts]


def survey_of(tables: Tables) -> Survey | None:
    """The survey of a study's checked tables, None for a study without one."""
    if "survey_items" not in tables:
        return None
    items: dict[str, Item] = {}
    listed = tables["survey_items"]
    for name, own in listed.groupby("item", sort=False):
        first = own.iloc[0]
        words = _column(own.sort_values("value"), "words") if first["item_kind"] != "text" else []
        items[str(name)] = Item(str(name), str(first["item_kind"]), str(first["item_text"]), tuple(map(str, words)))
    answers = tables.get("survey", pd.DataFrame()).reindex(columns=READ)
    return Survey(tuple(items.values()), answers)


def contradictions(tables: Tables) -> list[Problem]:
    """Refuse answers to what was not asked: another item, another kind, or a value that it does not have."""
    if "survey" not in tables:
        return []
    asked: dict[tuple[str, str], set[float]] = {}
    if "survey_items" in tables:
        for item, kind, value in _cells(tables["survey_items"]):
            asked.setdefault((item, kind), set()).add(value)
    problems = []
    for row, (item, kind, value) in zip(tables["survey"].index, _cells(tables["survey"]), strict=True):
        values = asked.get((item, kind))
        if values is None or not (np.isnan(value) or value in values):
            shown = f"{item} ({kind}) = {value:g}"
            problems.append(Problem("survey.csv", int(row), "item", shown, ALLOWED))
    return problems


def _cells(table: pd.DataFrame) -> list[tuple[str, str, float]]:
    values = table["value"].tolist() if "value" in table else [np.nan] * len(table)
    return list(zip(table["item"].tolist(), table["item_kind"].tolist(), values, strict=True))


def _column(table: pd.DataFrame, name: str) -> list[str]:
    return table[name].tolist() if name in table else [""] * len(table)
