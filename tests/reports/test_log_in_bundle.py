"""A bundle's event log is whole, and `--check` finds every way of bending it. From real sessions."""

import csv
import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from studies.analysis import chain, check_log
from studies.analysis.__main__ import main
from studies.analysis.errors import InputError
from studies.analysis.filenames import data_file, table_of
from studies.design.models import Study
from studies.design.operations import close_study
from studies.reports import events, source
from studies.reports.bundle import write_bundle
from studies.reports.files import bundle_files, table_files
from studies.runtime import chat, erasure, sessions
from tests.runtime.conftest import Person
from tests.small_study import NOW, make_study

pytestmark = pytest.mark.django_db
EVENTS, TRIALS, PEOPLE = (data_file(name) for name in ("events", "trials", "participants"))
HEADS = "event_heads.csv"
Table = list[dict[str, str]]


def answer_all(study: Study) -> Person:
    session, token = sessions.join(study=study, now=NOW)
    sessions.begin(session_id=session.pk, now=NOW)
    person = Person(session, token)
    for trial in session.trials.select_related("condition"):
        person.later(3.25)
        person.open(trial.position)
        if trial.condition.name == "chat":
            here = {"session_id": session.pk, "position": trial.position, "now": person.now}
            chat.send_message(**here, command_id=uuid4(), text="SECRET words")
        person.draft(trial.position, 0)
        person.later(10.5)
        person.submit(trial.position, trial.position % 4)
    sessions.finish(session_id=session.pk, now=person.now)
    return person


@pytest.fixture
def study() -> Study:
    """Two people who finished, one who withdrew after answering, one who was erased; closed."""
    study = make_study()
    people = [answer_all(study) for _ in range(4)]
    sessions.withdraw(session_id=people[2].session_id, now=people[2].now)
    erasure.erase(session_id=people[3].session_id, now=people[3].now)
    close_study(study_id=study.pk, now=people[3].now)
    study.refresh_from_db()
    return study


@pytest.fixture
def bundle(study: Study, tmp_path: Path) -> Path:
    return write_bundle(study, tmp_path / "bundle.zip", with_text=True)


def table(path: Path, name: str) -> Table:
    with zipfile.ZipFile(path) as archive:
        return list(csv.DictReader(io.StringIO(archive.read(name).decode())))


def bend(path: Path, **tables: Callable[[Table], Table]) -> Path:
    """A copy in which tables (named without folder and ending) were changed, and the checksums made to fit."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    for name in files:
        change = tables.get(table_of(name)) if name.endswith(".csv") else None
        if change is not None:
            rows = change(table(path, name))
            text = io.StringIO()
            writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n", quoting=csv.QUOTE_ALL)
            writer.writeheader()
            writer.writerows(rows)
            files[name] = text.getvalue().encode()
    files.pop("SHA256SUMS")
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items()))
    bent = path.with_name("bent.zip")
    with zipfile.ZipFile(bent, "w") as archive:
        for name, content in {**files, "SHA256SUMS": sums.encode()}.items():
            archive.writestr(name, content)
    return bent


def first_submit(rows: Table) -> int:
    return next(number for number, row in enumerate(rows) if row["type"] == "submit" and row["data"])


def changed(place: Callable[[Table], int], **cells: str) -> Callable[[Table], Table]:
    def change(rows: Table) -> Table:
        rows[place(rows)].update(cells)
        return rows

    return change


def without(place: Callable[[Table], int]) -> Callable[[Table], Table]:
    def change(rows: Table) -> Table:
        del rows[place(rows)]
        return rows

    return change


def swapped(rows: Table) -> Table:
    """Two neighbouring events of one session in each other's place, their numbers too."""
    one = first_submit(rows)
    rows[one - 1], rows[one] = rows[one], rows[one - 1]
    rows[one - 1]["seq"], rows[one]["seq"] = rows[one]["seq"], rows[one - 1]["seq"]
    return rows


def last_of_the_first(rows: Table) -> int:
    return sum(row["participant"] == rows[0]["participant"] for row in rows) - 1


def rewritten(rows: Table) -> Table:
    """Another answer, with hashes that fit it: a valid chain from there to the session's end."""
    place = first_submit(rows)
    name, head = rows[place]["participant"], rows[place - 1]["hash"]
    rows[place]["data"] = rows[place]["data"].replace('"answer":1', '"answer":3')
    for row in [row for row in rows[place:] if row["participant"] == name]:
        event = check_log.read_row(row)
        assert event.data is not None
        row["data_hash"] = chain.data_hash(event.data, row["salt"])
        row["hash"] = head = chain.chained(
            head=head,
            seq=event.seq,
            kind=event.type,
            at=event.at,
            client_at=event.client_at,
            position=event.position,
            command_id=event.command_id,
            hashed_data=row["data_hash"],
        )
    return rows


def shorter_head(rows: Table) -> Table:
    rows[0]["last_seq"] = str(int(rows[0]["last_seq"]) - 1)
    return rows


def withheld(rows: Table) -> Table:
    name = rows[0]["participant"]
    return [row | ({"data": "", "salt": ""} if row["participant"] == name else {}) for row in rows]


BENDINGS: dict[str, tuple[dict[str, Callable[[Table], Table]], str]] = {
    "an event removed": ({"events": without(first_submit)}, "removed: event"),
    "an event changed": ({"events": changed(first_submit, at="2026-03-01T12:00:00+00:00")}, "changed: event"),
    "data changed": ({"events": changed(first_submit, data='{"answer":3}')}, "data changed: event"),
    "data taken": ({"events": changed(first_submit, data="", salt="")}, "data gone although nothing was erased"),
    "events reordered": ({"events": swapped}, "reordered: event"),
    "rows in another order": ({"events": lambda rows: rows[::-1]}, "not in their order"),
    "a log cut off": ({"events": without(last_of_the_first)}, "cut off: it ends with event"),
    "a log and its head cut off": (
        {"events": without(last_of_the_first), "event_heads": shorter_head},
        "its last hash is not the session's head",
    ),
    "a session's log removed": (
        {"events": lambda rows: [row for row in rows if row["participant"] != rows[0]["participant"]]},
        "cut off: it ends with event 0",
    ),
    "a session removed with its head": (
        {
            "events": lambda rows: [row for row in rows if row["participant"] != rows[0]["participant"]],
            "event_heads": lambda rows: rows[1:],
        },
        f"not in {HEADS}",
    ),
    "a session removed everywhere but in the trials": (
        {
            "events": lambda rows: [row for row in rows if row["participant"] != rows[0]["participant"]],
            "event_heads": lambda rows: rows[1:],
            "participants": lambda rows: rows[1:],
        },
        f"in {TRIALS}, not in the log",
    ),
    "a log written anew": ({"events": rewritten}, "attempt 1: its last hash is not the session's head;"),
    "data withheld of somebody who stayed": (
        {"events": withheld, "event_heads": changed(lambda _: 0, data="withheld")},
        "the person did not withdraw",
    ),
    "another answer in the trials": ({"trials": changed(lambda _: 0, answer="D")}, "answer D with confidence 0.6 in"),
    "another confidence in the trials": ({"trials": changed(lambda _: 0, confidence="1.0")}, "confidence 1.0 in"),
    "a trial removed": ({"trials": lambda rows: rows[1:]}, f"in the log, not in {TRIALS}"),
    "a cell that is no number": ({"events": changed(first_submit, seq="x")}, "cannot be read"),
    "a time without a zone": ({"events": changed(first_submit, at="2026-03-01T12:00:00")}, "has no time zone"),
}


def test_a_bundle_as_it_was_written_is_whole(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(bundle), "--check"]) == 0
    said = capsys.readouterr().out
    checksums, log, *rest = said.splitlines()
    assert checksums == "Every checksum agrees."
    assert log.startswith("Event log whole: 4 sessions, ")
    assert " 12 trials agree; " in log
    assert rest == ["Both sums hold.", "No derived tables are in it: nothing to make again."]
    report = check_log.check(bundle)
    heads = table(bundle, HEADS)
    assert report.events == sum(int(head["last_seq"]) for head in heads)
    assert report.without_data == sum(int(head["last_seq"]) for head in heads[2:])
    assert [head["data"] for head in heads] == ["whole", "whole", "withheld", "erased"]


@pytest.mark.parametrize("bending", BENDINGS)
def test_a_bent_bundle_is_found(bundle: Path, bending: str, capsys: pytest.CaptureFixture[str]) -> None:
    changes, words = BENDINGS[bending]
    assert main([str(bend(bundle, **changes)), "--check"]) == 1
    checksums, log, *rest = capsys.readouterr().out.splitlines()
    assert checksums == "Every checksum agrees."  # they were made to fit
    assert log.startswith("Event log BROKEN")
    assert words in log
    assert len(rest) == 2  # a line for the sums, one for the derived tables


def test_it_runs_without_the_server_from_the_zip_and_from_its_folder(bundle: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path / "folder")
    code = (
        "import sys; from studies.analysis.__main__ import main; status = main(sys.argv[1:]);"
        "assert 'django' not in sys.modules; sys.exit(status)"
    )
    for path in (bundle, tmp_path / "folder"):
        done = subprocess.run(
            [sys.executable, "-c", code, str(path), "--check"], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert "Event log whole" in done.stdout
    bent = [sys.executable, "-m", "studies.analysis", str(bend(bundle, events=without(first_submit))), "--check"]
    assert subprocess.run(bent, capture_output=True, check=False).returncode == 1


def test_what_is_no_bundle_ends_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "nothing.zip"), "--check"]) == 2
    assert "no such file" in capsys.readouterr().err
    with pytest.raises(InputError):
        check_log.check(tmp_path)
    with pytest.raises(SystemExit):
        main([str(tmp_path)])


def test_nothing_that_somebody_who_withdrew_gave_is_in_it(bundle: Path) -> None:
    withdrawn = {row["participant"] for row in table(bundle, PEOPLE) if row["state"] == "withdrawn"}
    assert len(withdrawn) == 2
    assert {(row["data"], row["salt"]) for row in table(bundle, EVENTS) if row["participant"] in withdrawn} == {
        ("", "")
    }
    assert not withdrawn & {row["participant"] for row in table(bundle, TRIALS)}
    assert not withdrawn & {row["participant"] for row in table(bundle, data_file("messages"))}


def test_events_hold_no_words_and_their_columns_are_declared(bundle: Path) -> None:
    with zipfile.ZipFile(bundle) as archive:
        assert b"SECRET" not in archive.read(EVENTS)
        described = json.loads(archive.read("dictionary.json"))["events"]
    assert described["file"] == EVENTS
    assert [column["name"] for column in described["columns"]] == list(table(bundle, EVENTS)[0])


def test_the_log_costs_one_query_whatever_its_length(study: Study, django_assert_num_queries: object) -> None:
    read = source.read(study)
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert len(events.events(read)) > 50
    with django_assert_num_queries(0):  # type: ignore[operator]
        events.event_heads(read)


def test_the_analysis_of_a_study_reads_no_events(study: Study) -> None:
    read = source.read(study)
    assert EVENTS in bundle_files(read)
    assert EVENTS not in table_files(read)
