"""Cut MMLU tables into cells: the official CSV without a header, and tables with one, by comma or semicolon.

Python's own csv reader on text whose line ends were not translated: no type is guessed, no cell is cut at a line end.
Columns that are neither question, option, key nor subject go to `extra` as text where they are not empty.
"""

import ast
import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass

from studies.questions.keys import looks_like_key
from studies.questions.mmlu_raw import Layout, RawQuestion
from studies.questions.records import FileError, Origin, RecordError

CELLS = 6  # question, four options, key
QUESTION = ("question", "prompt")
KEY = ("answer", "key", "target")
OPTIONS = {  # the names of the option columns, and what a numeric key beside them counts from where the names say it
    ("choice0", "choice1", "choice2", "choice3"): 0,
    ("choice1", "choice2", "choice3", "choice4"): None,
    ("option_a", "option_b", "option_c", "option_d"): None,
    ("a", "b", "c", "d"): None,
}
HEADERS = "question, choices, answer | question, choice0 … choice3, answer | question, A, B, C, D, answer"


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a table with a header keeps what. Either `options` has four places or `choices` is the list's place."""

    names: list[str]
    question: int
    options: tuple[int, ...]
    choices: int | None
    key: int
    subject: int | None
    key_base: int | None

    @property
    def others(self) -> list[int]:
        used = {self.question, *self.options, self.choices, self.key, self.subject}
        return [place for place in range(len(self.names)) if place not in used]


def read_table(file: str, text: str) -> Layout:
    """The table's records. FileError for broken quoting or an unknown header, RecordError for a record's own fault."""
    delimiter = _delimiter(text)
    rows = _rows(file, text, delimiter)
    first = next(rows, None)
    if first is None:
        return Layout([])
    header = _columns(first[1])
    if header:
        cut = [_with_header(file, number, line, row, header) for number, (line, row) in enumerate(rows, 1)]
        return Layout(cut, header.key_base)
    if _looks_like_header(first[1]):
        raise FileError(file, f"its first line {first[1]!r} is no header that is known: {HEADERS}")
    cut = [_official(file, 1, *first)]
    cut += [_official(file, number, line, row) for number, (line, row) in enumerate(rows, 2)]
    return Layout(cut)


def _rows(file: str, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(line the record starts at, cells). Strict: a quote that is not closed would swallow the rest of the file."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for row in reader:
            if row:
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise FileError(file, f"is broken in the record that starts at line {line}: {error}") from error


def _delimiter(text: str) -> str:
    """Semicolon where only that makes sense of the first record; else comma, the official one."""
    for delimiter in (",", ";"):
        try:
            first = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
        except csv.Error:
            continue
        if _columns(first) or (len(first) == CELLS and looks_like_key(first[-1])):
            return delimiter
    return ","


def _columns(header: list[str]) -> Columns | None:
    names = [name.strip().lower() for name in header]
    if len(set(names)) < len(names):
        return None
    question = next((names.index(name) for name in QUESTION if name in names), None)
    key = next((names.index(name) for name in KEY if name in names), None)
    if question is None or key is None:
        return None
    subject = names.index("subject") if "subject" in names else None
    if "choices" in names:
        return Columns(names, question, (), names.index("choices"), key, subject, None)
    for option_names, base in OPTIONS.items():
        if set(option_names) <= set(names):
            return Columns(names, question, tuple(map(names.index, option_names)), None, key, subject, base)
    return None


def _looks_like_header(row: list[str]) -> bool:
    names = {cell.strip().lower() for cell in row}
    return not looks_like_key(row[-1]) and bool(names & {*QUESTION, "choices"}) and bool(names & {*KEY, "choices"})


def _official(file: str, number: int, line: int, row: list[str]) -> RawQuestion | RecordError:
    origin = Origin(file, number, f"line {line}")
    if len(row) != CELLS:
        return RecordError(origin, "cells", len(row), f"{CELLS} are needed: question, four options, key")
    return RawQuestion(origin, row[0], tuple(row[1:5]), row[5])


def _with_header(file: str, number: int, line: int, row: list[str], columns: Columns) -> RawQuestion | RecordError:
    origin = Origin(file, number, f"line {line}")
    if len(row) != len(columns.names):
        return RecordError(origin, "cells", len(row), f"{len(columns.names)} are needed, as in the header")
    if columns.choices is None:
        options = tuple(row[place] for place in columns.options)
    else:
        try:
            options = read_list(origin, row[columns.choices])
        except RecordError as error:
            return error
    extra = {columns.names[place]: row[place] for place in columns.others if row[place]}
    subject = row[columns.subject] if columns.subject is not None else None
    return RawQuestion(origin, row[columns.question], options, row[columns.key], subject, extra)


def read_list(origin: Origin, cell: str) -> tuple[str, ...]:
    """Option texts from one cell: a JSON list, else a Python list literal (read as data, never evaluated)."""
    try:
        found = json.loads(cell)
    except ValueError:
        try:
            found = ast.literal_eval(cell.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            found = None
    except RecursionError:
        found = None
    if not isinstance(found, list) or not all(isinstance(option, str) for option in found):
        raise RecordError(origin, "choices", cell, "a list of texts is needed, as JSON or as Python writes it")
    return tuple(found)
