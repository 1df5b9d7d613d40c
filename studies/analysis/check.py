"""What a table may not hold: cells of the wrong kind, trials twice, questions that contradict themselves.

Each rejection names file, row, column, value and what is allowed; all of them are found before anything is refused.
"""

import contextlib
import difflib

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from studies.analysis.errors import Problem
from studies.analysis.schema import Column, Table

KEYS = {
    "trials": ("participant", "question", "condition", "stage"),
    "model_answers": ("question", "protocol", "sample"),
    "questions": ("question",),
    "participants": ("participant",),
    "survey": ("participant", "item"),
    "survey_items": ("item", "value"),
}
MANY = 50  # each duplicate is looked up in the whole table: a doubled file must not take minutes
TIME = r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})"


def missing_columns(table: Table, frame: pd.DataFrame) -> list[Problem]:
    """Refuse a table without its required columns; `correct` may stand in place of answer and gold."""
    needed = [column.name for column in table.columns if column.required]
    if table.name == "trials":
        needed += ["confidence", *([] if "correct" in frame else ["answer", "gold"])]
    problems = []
    for name in needed:
        if name not in frame:
            near = difflib.get_close_matches(name, list(frame.columns), n=1)
            hint = f" (is it {near[0]!r}?)" if near else ""
            extra = " or `correct` in place of answer and gold" if name in {"answer", "gold"} else ""
            extra = " (its cells may be empty)" if name == "confidence" else extra
            value = f"columns {', '.join(map(str, frame.columns))}"
            problems.append(Problem(f"{table.name}.csv", 1, name, value, f"a column {name!r}{extra}{hint}"))
    return problems


def typed(table: Table, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[Problem]]:
    """Turn text into the declared kinds: text stays (empty = missing), numbers become floats (NaN = missing)."""
    columns: dict[str, pd.Series] = {}
    problems: list[Problem] = []
    for name in frame.columns:
        column = table.column(name)
        if column is None:
            columns[name] = frame[name]
            continue
        values, bad = _parse(column, frame[name])
        columns[name] = values
        problems += [_problem(table, column, row, frame) for row in frame.index[bad]]
    return pd.DataFrame(columns, index=frame.index), problems


def contradictions(table: Table, frame: pd.DataFrame) -> list[Problem]:
    """Refuse a question that has two values in a column which belongs to the question. Empty cells are fine."""
    problems = []
    for column in table.columns:
        if not column.per_question or not {"question", column.name} <= set(frame.columns):
            continue
        values = frame[column.name]
        known = frame.loc[_is_given(values), ["question", column.name]]
        first = known.groupby("question", observed=True)[column.name].transform("first")
        for row in known.index[(known[column.name] != first).to_numpy()]:
            question = str(known.at[row, "question"])
            allowed = f"{first.at[row]}, as in the other rows of question {question}"
            problems.append(Problem(f"{table.name}.csv", int(row), column.name, str(values.at[row]), allowed))
    return problems


def duplicates(table: Table, frame: pd.DataFrame) -> list[Problem]:
    """Refuse the second row with the same key, such as participant × question × condition × stage."""
    keys = [name for name in KEYS.get(table.name, ()) if name in frame]
    again = frame.index[frame.duplicated(keys).to_numpy()] if keys else frame.index[:0]
    problems = []
    for row in again:
        same = (frame[keys] == frame.loc[row, keys]) | (frame[keys].isna() & frame.loc[row, keys].isna())
        first = same.all(axis=1).idxmax()
        value = " × ".join(_text(frame.at[row, name]) for name in keys)
        problems.append(
            Problem(f"{table.name}.csv", int(row), " × ".join(keys), value, f"each once; row {first} has it already")
        )
        if len(problems) == MANY:
            break
    return problems


def impossible_trials(frame: pd.DataFrame) -> list[Problem]:
    """Refuse trials without gold, and rows whose timeout contradicts their answer."""
    problems: list[Problem] = []
    everywhere = pd.Series(True, index=frame.index)
    nowhere = ~everywhere
    timed_out = frame["timed_out"] == 1 if "timed_out" in frame else nowhere
    in_time = frame["timed_out"] == 0 if "timed_out" in frame else nowhere
    no_correct = frame["correct"].isna() if "correct" in frame else everywhere
    no_answer = frame["answer"] == "" if "answer" in frame else nowhere

    def refuse(mask: pd.Series, column: str, allowed: str) -> None:
        for row in frame.index[mask.to_numpy(dtype=bool)]:
            value = frame.at[row, column] if column in frame else ""
            problems.append(Problem("trials.csv", int(row), column, _text(value), allowed))

    if "gold" in frame:
        refuse((frame["gold"] == "") & no_correct, "gold", "the correct option, or `correct` given")
    else:
        refuse(no_correct & ~timed_out & ~no_answer, "correct", "0 or 1, or a column `gold`")
    if "answer" in frame:
        refuse(~no_answer & timed_out, "timed_out", "0: a trial with an answer did not time out")
        refuse(no_answer & in_time & no_correct, "answer", "an answer, or timed_out = 1 (leave open trials out)")
    if "correct" in frame:
        refuse((frame["correct"] == 1) & timed_out, "correct", "0 or empty where the trial timed out")
    return problems


def _parse(column: Column, cells: pd.Series) -> tuple[pd.Series, np.ndarray]:
    """Return the typed values and which cells are refused."""
    blank = (cells == "").to_numpy(dtype=bool)
    if column.kind == "text":
        bad = blank & column.required
        if column.levels:
            bad = bad | ~(cells.isin(column.levels).to_numpy(dtype=bool) | blank)
        return cells, bad
    if column.kind == "time":
        return cells, ~(cells.str.fullmatch(TIME).to_numpy(dtype=bool) | blank)
    values = numbers(cells.mask(blank))
    number = values.to_numpy()
    with np.errstate(invalid="ignore"):
        good = np.isfinite(number) & (number >= 0)
        if column.kind in {"share", "flag"}:
            good &= number <= 1
        if column.kind in {"flag", "count"}:
            good &= number == np.floor(number)
    return values, ~(good | blank)


def numbers(cells: pd.Series) -> pd.Series:
    """The cells as floats, NaN for missing ones and for what is no number; all at once where all are plain numbers."""
    with contextlib.suppress(pa.ArrowInvalid, pa.ArrowNotImplementedError):
        found = pc.cast(pa.array(cells, from_pandas=True), pa.float64())
        return pd.Series(found.to_numpy(zero_copy_only=False), index=cells.index)
    return pd.to_numeric(cells, errors="coerce").astype("float64")


def _problem(table: Table, column: Column, row: int, frame: pd.DataFrame) -> Problem:
    return Problem(f"{table.name}.csv", int(row), column.name, str(frame.at[row, column.name]), column.allowed)


def _is_given(values: pd.Series) -> pd.Series:
    return values.notna() if pd.api.types.is_numeric_dtype(values) else values != ""


def _text(value: object) -> str:
    return "" if isinstance(value, float) and np.isnan(value) else str(value)
