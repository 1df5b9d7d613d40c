"""A bundle's derived tables come out the same when computed again, and whatever was changed is told."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from studies.analysis.__main__ import main, tables_of
from studies.analysis.filenames import data_file
from studies.analysis.rebuild import checksums, rebuild

PEOPLE = "participant,state\np000,completed\n"
SUMS = {
    "sessions": {"assigned": 1, "active": 0, "completed": 1, "abandoned": 0, "screened_out": 0, "withdrawn": 0},
    "trials": {
        "planned": 480, "answered": 480, "answered_by_timer": 0, "timed_out": 0, "open": 0, "not_reached": 0,
    },
    "over_of_withdrawn": 0,
    "problems": [],
}  # fmt: skip


@pytest.fixture(scope="module")
def made(simulate: Callable[..., pd.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release's folder, as far as the check reads it, with quick results under another name than the folder's."""
    folder = tmp_path_factory.mktemp("made") / "renamed"
    trials = folder / data_file("trials")
    trials.parent.mkdir(parents=True)
    simulate().to_csv(trials, index=False)
    (folder / data_file("participants")).write_text(PEOPLE)
    (folder / "study.json").write_text(json.dumps({"title": "A study", "spec_hash": "x", "release": True}))
    (folder / "sums.json").write_text(json.dumps(SUMS))
    shutil.copytree(folder, folder.with_name("bundle"))
    chosen = ["--quick", "--tables-only", "--primary", "question_weighted"]
    assert main([str(folder.with_name("bundle")), "--out", str(folder / "results"), *chosen]) == 0
    seal(folder)
    return folder


@pytest.fixture
def bundle(made: Path, tmp_path: Path) -> Path:
    """A copy to bend."""
    return Path(shutil.copytree(made, tmp_path / "copy"))


def seal(folder: Path) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "SHA256SUMS")
    lines = [f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.relative_to(folder).as_posix()}\n" for p in files]
    (folder / "SHA256SUMS").write_text("".join(lines))


def test_they_come_out_the_same_under_another_name_quick_as_before(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(bundle), "--check"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "Every checksum agrees.",
        "An anonymised release: it has no event log.",
        "Both sums hold.",
        "Made again, byte for byte the same: results.csv, results.json, table1.csv.",
    ]


def test_a_changed_answer_is_told_though_the_checksums_fit(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trials = bundle / data_file("trials")
    lines = trials.read_text().splitlines(keepends=True)
    number, line = next((n, line) for n, line in enumerate(lines) if ",human,A,A," in line)
    lines[number] = line.replace(",human,A,A,", ",human,B,A,")
    trials.write_text("".join(lines))
    seal(bundle)
    assert main([str(bundle), "--check"]) == 1
    said = capsys.readouterr().out
    assert "Every checksum agrees." in said
    assert "results.csv differs from line 2 on" in said


def test_a_changed_result_names_its_line(bundle: Path) -> None:
    results = bundle / "results" / "results.csv"
    lines = results.read_text().splitlines(keepends=True)
    lines[7] = lines[7].replace("0.", "0.1", 1)
    results.write_text("".join(lines))
    assert rebuild(bundle, tables_of).problems == ("results.csv differs from line 8 on",)


def test_results_of_other_code_say_so(bundle: Path) -> None:
    told = bundle / "results" / "results.json"
    value = json.loads(told.read_text())
    told.write_text(json.dumps(value | {"code": "0" * 64}))
    found = rebuild(bundle, tables_of)
    assert "results.json differs" in found.problems[0]
    assert "another version of the analysis" in found.problems[-1]


def test_files_changed_missing_and_added_are_told_apart(bundle: Path) -> None:
    assert checksums(bundle) == []
    (bundle / "sums.json").write_text("{}")
    (bundle / "study.json").unlink()
    (bundle / "more.txt").write_text("?")
    assert checksums(bundle) == ["study.json is missing", "more.txt is not in SHA256SUMS", "sums.json was changed"]
    (bundle / "SHA256SUMS").unlink()
    assert checksums(bundle) == ["there is no SHA256SUMS"]


def test_results_that_nobody_can_read_are_refused(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (bundle / "results" / "results.json").write_text('{"quick": 1}')
    assert main([str(bundle), "--check"]) == 2
    assert "results/results.json" in capsys.readouterr().err


def test_a_bundle_without_results_has_nothing_to_make_again(bundle: Path) -> None:
    shutil.rmtree(bundle / "results")
    assert str(rebuild(bundle, tables_of)) == "No derived tables are in it: nothing to make again."
