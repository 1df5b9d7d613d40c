"""Files to tables of text: a bundle zip, a directory of tables, or a bare trials.csv. No cell is interpreted here.

Type inference would destroy real answers (`None`, `TRUE`, `007`, `=x`), so every cell stays the text it was; the
apostrophe that a bundle puts before what looks like a formula is taken away again.
"""

import csv
import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pandas as pd

from studies.analysis import filenames, plain_csv
from studies.analysis.archive import Archive, opened
from studies.analysis.errors import InputError, Problem
from studies.analysis.formulas import restore
from studies.analysis.preregistration import FILE as REGISTERED
from studies.analysis.schema import INPUTS

ACCEPTED = "a bundle (.zip), a directory that holds trials.csv, or a trials.csv"
LONGEST_CELL = 64 * 1024 * 1024


@dataclass(frozen=True)
class RawTables:
    """The text of an input: tables by name, its JSON files as objects, and the digest of every file read."""

    source: str
    tables: dict[str, pd.DataFrame]
    study: dict[str, object]
    sha256: dict[str, str]
    preregistration: dict[str, object] | None = None


def load(source: Path) -> RawTables:
    """Read every declared table that is present beside `trials.csv`. Raises InputError for what cannot be read."""
    if not source.exists():
        raise InputError([Problem(str(source), None, "", "no such file", ACCEPTED)])
    if source.is_dir() or source.suffix.lower() == ".zip":
        with opened(source) as archive:
            return _collect(source, archive)
    if source.suffix.lower() == ".csv":
        content = source.read_bytes()
        return RawTables(source.name, {"trials": read_csv(source.name, content)}, {}, {source.name: _digest(content)})
    raise InputError([Problem(str(source), None, "", source.suffix or "no suffix", ACCEPTED)])


def read_csv(file: str, content: bytes, *, may_be_empty: bool = False) -> pd.DataFrame:
    """Read UTF-8 CSV into columns of text; the index is the row as a spreadsheet counts it (header 1, first record 2).

    Raises InputError naming the row where the file is not a table.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"byte {error.object[error.start]:#04x} at position {error.start}"
        raise InputError([Problem(file, None, "", found, "UTF-8; save the table as CSV UTF-8")]) from error
    plain = plain_csv.read(text, LONGEST_CELL)
    if plain is not None:
        return plain
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        records = [(number, record) for number, record in enumerate(reader, start=1) if record]
    except csv.Error as error:
        raise InputError([Problem(file, None, "", f"line {reader.line_num}: {error}", "quoted CSV")]) from error
    if not records:
        raise InputError([Problem(file, None, "", "an empty file", "a header and at least one record")])
    header, rows = records[0][1], records[1:]
    problems = [Problem(file, 1, name, name, "each column once") for i, name in enumerate(header) if name in header[:i]]
    problems += [
        Problem(file, number, "", f"{len(row)} cells", f"{len(header)} cells, as the header has")
        for number, row in rows
        if len(row) != len(header)
    ]
    if not rows and not may_be_empty:
        problems.append(Problem(file, None, "", "no records", "at least one record"))
    if problems:
        raise InputError(problems)
    if filenames.is_defused(file):
        rows = [(number, [restore(cell) for cell in row]) for number, row in rows]
    columns = zip(*(row for _, row in rows), strict=True) if rows else ((),) * len(header)
    index = pd.Index([number for number, _ in rows], dtype="int64", name="row")
    return pd.DataFrame(dict(zip(header, columns, strict=True)), index=index, dtype="str")


def _collect(source: Path, archive: Archive) -> RawTables:
    """Take the shallowest trials table, the declared tables beside it, and the JSON files beside or above it."""
    accepted = filenames.candidates("trials")
    paths = [PurePosixPath(name) for name in archive.names]
    homes = sorted((path.parent for path in paths if path.name in accepted), key=_depth)
    if not homes:
        raise InputError([Problem(str(source), None, "", f"no {' or '.join(accepted)} in it", ACCEPTED)])
    home, tables, digests = homes[0], {}, {}
    for table in INPUTS:
        path = filenames.find(home.as_posix(), table.name, archive.names)
        if path is not None:
            content, name = archive.read(path), PurePosixPath(path).name
            digests[name] = _digest(content)
            frame = read_csv(name, content, may_be_empty=table.name != "trials")
            if len(frame):
                tables[table.name] = frame
    objects: dict[str, dict[str, object]] = {}
    for file in ("study.json", REGISTERED):
        for folder in (home, *home.parents):
            name = (folder / file).as_posix()
            if name in archive.names:
                content = archive.read(name)
                digests[file] = _digest(content)
                objects[file] = _read_json(file, content)
                break
    return RawTables(source.name, tables, objects.get("study.json", {}), digests, objects.get(REGISTERED))


def _read_json(file: str, content: bytes) -> dict[str, object]:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError([Problem(file, None, "", str(error), "JSON")]) from error
    if not isinstance(value, dict):
        raise InputError([Problem(file, None, "", type(value).__name__, "a JSON object")])
    return value


def _depth(path: PurePosixPath) -> tuple[int, str]:
    return len(path.parts), path.as_posix()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
