"""A bundle's event log against its own heads and trials: `python -m studies.analysis bundle.zip --check`.

It finds events that were removed, changed, reordered or cut off, and trials that are not what the log says. Whoever
rewrites the log, the heads and the trials together is only found by heads that were kept elsewhere.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from string import ascii_uppercase
from uuid import UUID

from studies.analysis import chain, survey_log
from studies.analysis.archive import opened
from studies.analysis.chain import Row
from studies.analysis.errors import InputError, Problem
from studies.analysis.filenames import data_file, find, table_of
from studies.analysis.schema import EVENTS
from studies.analysis.tables import read_csv

EVENTS_FILE, TRIALS_FILE, PARTICIPANTS_FILE, SURVEY_FILE = map(
    data_file, ("events", "trials", "participants", "survey")
)
HEADS_FILE, STUDY_FILE = "event_heads.csv", "study.json"
HEAD_COLUMNS = ("participant", "attempt", "last_seq", "head", "data")
WHOLE = "whole"
Cells = dict[str, str]


@dataclass(frozen=True)
class Head:
    """The end of one session's chain; `data` says whether its events have their data: whole, withheld or erased."""

    participant: str
    attempt: int
    last_seq: int
    head: str
    data: str


@dataclass(frozen=True)
class Report:
    """What was checked, and every problem in words; none means that the log is whole."""

    sessions: int
    events: int
    without_data: int
    trials: int
    problems: tuple[str, ...]

    def __str__(self) -> str:
        checked = f"{self.sessions} sessions, {self.events} events, {self.trials} trials"
        if self.problems:
            return f"Event log BROKEN ({checked}): " + "; ".join(self.problems)
        withheld = f"; {self.without_data} events without data, of people who withdrew" if self.without_data else ""
        return f"Event log whole: {checked} agree{withheld}."


def check(source: Path) -> Report:
    """Check a bundle (.zip, or its folder). Raises InputError where a file that is needed is missing or no table."""
    files = read_files(source, (STUDY_FILE, HEADS_FILE, EVENTS_FILE, TRIALS_FILE, PARTICIPANTS_FILE))
    spec_hash, heads = _heads(files)
    logs, problems = _logs(records_of(EVENTS_FILE, files, [column.name for column in EVENTS.columns]))
    withdrawn = {
        cells["participant"]: cells["state"] == "withdrawn"
        for cells in records_of(PARTICIPANTS_FILE, files, ["participant", "state"])
    }
    events = without_data = 0
    for head in heads:
        rows = logs.pop((head.participant, head.attempt), [])
        start = chain.origin(spec_hash=spec_hash, pseudonym=head.participant)
        found = chain.check(rows, start=start, last_seq=head.last_seq, head=head.head, is_withheld=head.data != WHOLE)
        named = [*found.problems, *_standing(head, withdrawn)]
        problems += [f"{head.participant} attempt {head.attempt}: {problem}" for problem in named]
        events, without_data = events + found.events, without_data + found.erased
        logs[head.participant, head.attempt] = rows
    known = {(head.participant, head.attempt) for head in heads}
    problems += [f"{name} attempt {attempt}: not in {HEADS_FILE}" for name, attempt in sorted(set(logs) - known)]
    problems += [f"{name}: not in {HEADS_FILE}" for name in sorted(set(withdrawn) - {name for name, _ in known})]
    trials = records_of(TRIALS_FILE, files, ["participant", "position", "answer", "confidence"])
    by_name = {head.participant: logs[head.participant, head.attempt] for head in heads}
    problems += [*_trials(trials, by_name), *survey_log.differences(_survey(source), by_name)]
    return Report(len(heads), events, without_data, len(trials), tuple(problems))


def is_release(source: Path) -> bool:
    """Whether a bundle says of itself that it is the anonymised form, which has no log. Raises InputError."""
    return _study(read_files(source, (STUDY_FILE,))).get("release") is True


def read_heads(source: Path) -> tuple[str, list[Head]]:
    """The study's specification hash and the heads that a bundle anchors. Raises InputError."""
    return _heads(read_files(source, (STUDY_FILE, HEADS_FILE)))


def _heads(files: dict[str, bytes]) -> tuple[str, list[Head]]:
    spec_hash = str(_study(files)["spec_hash"])
    heads = []
    for number, cells in enumerate(records_of(HEADS_FILE, files, HEAD_COLUMNS), start=2):
        try:
            attempt, last_seq = int(cells["attempt"]), int(cells["last_seq"])
        except ValueError as error:
            raise InputError([Problem(HEADS_FILE, number, "", str(error), "whole numbers")]) from error
        heads.append(Head(cells["participant"], attempt, last_seq, cells["head"], cells["data"]))
    return spec_hash, heads


def _study(files: dict[str, bytes]) -> dict[str, object]:
    """study.json, which names at least its specification's hash."""
    try:
        value: dict[str, object] = json.loads(files[STUDY_FILE])
        value["spec_hash"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError([Problem(STUDY_FILE, None, "spec_hash", str(error), "the study's hash")]) from error
    return value


def _logs(records: list[Cells]) -> tuple[dict[tuple[str, int], list[Row]], list[str]]:
    """Rows by participant and attempt, in the file's order; and the rows that cannot be read."""
    logs: dict[tuple[str, int], list[Row]] = {}
    problems = []
    for number, cells in enumerate(records, start=2):
        try:
            logs.setdefault((cells["participant"], int(cells["attempt"])), []).append(read_row(cells))
        except ValueError as error:
            problems.append(f"{EVENTS_FILE} row {number} cannot be read: {error}")
    return logs, problems


def read_row(cells: Cells) -> Row:
    """One row of events.csv. Raises ValueError for a cell that is no number, time or JSON."""
    return Row(
        seq=int(cells["seq"]),
        type=cells["type"],
        at=_instant(cells["at"]),
        client_at=_instant(cells["client_at"]) if cells["client_at"] else None,
        position=int(cells["position"]) if cells["position"] else None,
        command_id=UUID(cells["command_id"]) if cells["command_id"] else None,
        data=json.loads(cells["data"]) if cells["data"] else None,
        salt=cells["salt"] or None,
        data_hash=cells["data_hash"],
        hash=cells["hash"],
    )


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return at


def _standing(head: Head, withdrawn: dict[str, bool]) -> Iterator[str]:
    """Only of somebody who withdrew the data may be missing."""
    if head.participant not in withdrawn:
        yield f"not in {PARTICIPANTS_FILE}"
    elif head.data != WHOLE and not withdrawn[head.participant]:
        yield f"its data are {head.data}, but the person did not withdraw"


def _trials(records: list[Cells], logs: dict[str, list[Row]]) -> list[str]:
    """Where trials.csv says something else than the events, lacks a trial that was closed, or has one more."""
    told = {
        (name, row.position): row
        for name, rows in logs.items()
        for row in rows
        if row.type in ("submit", "timeout") and row.data is not None
    }
    problems = []
    for cells in records:
        name, position = cells["participant"], cells["position"]
        closing = told.pop((name, int(position)), None) if position.isdigit() else None
        what = f"{name}, question {position}"
        if closing is None or closing.data is None:
            problems.append(f"{what}: in {TRIALS_FILE}, not in the log")
            continue
        row, log = (cells["answer"], cells["confidence"]), _closing(closing.data)
        if row != log:
            problems.append(f"{what}: {_words(row)} in {TRIALS_FILE}, {_words(log)} in the log")
    missing = [f"{name}, question {position}: in the log, not in {TRIALS_FILE}" for name, position in told]
    return problems + missing


def _survey(source: Path) -> list[Cells]:
    """The survey's rows; none in a bundle without the table."""
    with opened(source) as archive:
        if SURVEY_FILE not in archive.names:
            return []
    columns = ("participant", "item", "item_kind", "value", "characters")
    return records_of(SURVEY_FILE, read_files(source, (SURVEY_FILE,)), columns)


def _closing(data: dict[str, object]) -> tuple[str, str]:
    """Answer and confidence as trials.csv writes them."""
    answer, confidence = data.get("answer"), data.get("confidence")
    is_option = isinstance(answer, int) and 0 <= answer < len(ascii_uppercase)
    return ascii_uppercase[answer] if is_option else "", "" if confidence is None else str(confidence)  # type: ignore[index]


def _words(closing: tuple[str, str]) -> str:
    return f"answer {closing[0] or 'none'} with confidence {closing[1] or 'none'}"


def records_of(name: str, files: dict[str, bytes], columns: list[str] | tuple[str, ...]) -> list[Cells]:
    frame = read_csv(name, files[name], may_be_empty=True)
    absent = [column for column in columns if column not in frame]
    if absent:
        raise InputError([Problem(name, 1, column, ", ".join(map(str, frame)), "this column") for column in absent])
    records: list[Cells] = frame.to_dict("records")  # type: ignore[assignment]
    return records


def read_files(source: Path, names: tuple[str, ...]) -> dict[str, bytes]:
    """The files of these names; a table also under the plain name that it has in older bundles.

    Raises InputError for what is no bundle, or one without them.
    """
    found = {}
    with opened(source) as archive:
        for name in names:
            folder, _, base = name.rpartition("/")
            path = find(folder, table_of(base), archive.names) if folder else name
            if path not in archive.names:
                wanted = f"a bundle with {', '.join(names)}"
                raise InputError([Problem(str(source), None, "", f"no {name} in it", wanted)])
            found[name] = archive.read(str(path))
    return found
