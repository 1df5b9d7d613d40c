"""Results in long form: one row per figure, found again by its labels, written byte for byte the same on a rerun."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from studies.analysis.estimate import Estimate, Population
from studies.analysis.formulas import defuse
from studies.analysis.schema import RESULTS

DIGITS = 12  # beyond these, sums of floats differ between machines
COLUMNS = tuple(column.name for column in RESULTS.columns)
LABELS = ("id", "condition", "arm", "baseline", "subset", "timeouts", "exclusions", "population")
IS_LABEL = tuple((name, name in LABELS) for name in COLUMNS)


@dataclass(frozen=True)
class Result:
    """One row: what the figure is about, and the figure.

    `arm` is empty for all arms of the condition together, and for the model's primary protocol.
    """

    id: str
    condition: str
    arm: str
    baseline: str
    subset: str
    timeouts: str
    exclusions: str
    population: Population
    found: Estimate

    def row(self) -> dict[str, str | float | int | None]:
        """The row, column for column as declared in the schema. Nothing is NaN; unknown is None."""
        found = {**vars(self.found), "flags": ";".join(self.found.flags)}
        own = vars(self)
        return {name: _plain(own[name] if is_label else found[name]) for name, is_label in IS_LABEL}


class Results:
    """All rows of an analysis, in the order of the registry. `is_quick`: without the costly figures."""

    def __init__(self, rows: Iterable[Result], *, exclusions: str, is_quick: bool = False) -> None:
        self.rows = tuple(rows)
        self.exclusions = exclusions
        self.is_quick = is_quick
        self._by_labels = {tuple(getattr(row, name) for name in LABELS): row for row in self.rows}

    def __iter__(self) -> Iterator[Result]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def find(
        self, id: str, condition: str, *, arm: str = "", baseline: str = "", subset: str = "all",
        timeouts: str = "wrong", exclusions: str = "", population: str = "random",
    ) -> Estimate | None:  # fmt: skip
        """One figure; by default the headline: timeouts wrong, exclusions applied where the table has any."""
        key = (id, condition, arm, baseline, subset, timeouts, exclusions or self.exclusions, population)
        row = self._by_labels.get(key)
        return row.found if row else None

    def to_csv(self) -> str:
        """The rows as CSV: UTF-8 text, `\\n` line ends, empty for what is undefined, nothing like a formula."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(COLUMNS)
        texts: dict[str, str] = {}  # the same few words stand in thousands of rows
        writer.writerows([_cell(value, texts) for value in row.values()] for row in self._plain_rows)
        return out.getvalue()

    def to_rows(self) -> list[dict[str, str | float | int | None]]:
        """The rows as plain values for JSON."""
        return list(self._plain_rows)

    @cached_property
    def _plain_rows(self) -> list[dict[str, str | float | int | None]]:
        return [row.row() for row in self.rows]


def to_json(value: object) -> str:
    """JSON with stable order and spacing, a list's objects on a line each; refuses NaN."""
    if not isinstance(value, dict):
        return _line(value) + "\n"
    parts = [f"{_line(str(key))}: {_block(part)}" for key, part in value.items()]
    return "{\n " + ",\n ".join(parts) + "\n}\n"


def _block(value: object) -> str:
    """One key's value: what holds objects has a line for each of them."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n  " + ",\n  ".join(map(_line, value)) + "\n ]"
    if isinstance(value, dict):
        return "{\n  " + ",\n  ".join(f"{_line(str(key))}: {_line(part)}" for key, part in value.items()) + "\n }"
    return _line(value)


def _line(value: object) -> str:
    # With an indent the library's encoder is the one in Python: half a second for a large study.
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _plain(value: object) -> str | float | int | None:
    if isinstance(value, float):
        # + 0.0 turns -0.0 into 0.0
        return float(f"{value:.{DIGITS}g}") + 0.0
    return value if isinstance(value, (str, int)) and value != "" else None


def _cell(value: str | float | int | None, texts: dict[str, str]) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.{DIGITS}g}"
    if isinstance(value, int):
        return str(value)
    if value not in texts:
        texts[value] = defuse(value)
    return texts[value]
