"""`python -m studies.analysis` as a process: what it writes, what it refuses, and what it never imports."""

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from studies.analysis.__main__ import main

ROOT = Path(__file__).resolve().parents[2]
TABLES = {"results.csv", "results.json", "results.parquet", "table1.csv"}
PICTURES = {
    "accuracy", "contrasts", "calibration-1", "calibration-2", "calibration-3", "reliance", "questions", "people",
    "session", "selective", "crowds",
}  # fmt: skip
SVG, PNG = ({f"plots/{name}.{kind}" for name in PICTURES} for kind in ("svg", "png"))
FILES = TABLES | SVG | PNG | {"report.html", "report.fragment.html", "report.md", "tables.tex"}
# The goal for 24 people with 20 trials is 5 s on a quiet machine; twice that in CPU seconds allows for a busy one.
CPU_SECONDS = 10
WATCHED = f"""
import sys, time
from studies.analysis.__main__ import main
status = main(sys.argv[1:])
assert not {{"django", "torch", "channels", "celery"}} & set(sys.modules)
assert ("matplotlib" in sys.modules) == ("--tables-only" not in sys.argv)
assert time.process_time() < {CPU_SECONDS}, time.process_time()
sys.exit(status)
"""


def written(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "studies.analysis", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory, simulate: Callable[..., pd.DataFrame]) -> Path:
    path = tmp_path_factory.mktemp("input") / "trials.csv"
    simulate().to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def out(trials: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a process of its own wrote."""
    folder = tmp_path_factory.mktemp("run") / "out"
    done = run(trials, "--out", folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(str(folder / name) in done.stdout for name in FILES)
    assert "human+model - human" in done.stdout
    return folder


def test_it_writes_results_and_report(out: Path) -> None:
    assert written(out) == FILES


def test_a_quick_run_says_so_and_has_no_png(trials: Path, out: Path, tmp_path: Path) -> None:
    assert main([str(trials), "--out", str(tmp_path), "--quick"]) == 0
    assert written(tmp_path) == FILES - PNG
    told = [json.loads((folder / "results.json").read_text(encoding="utf-8"))["quick"] for folder in (out, tmp_path)]
    assert told == [False, True]


def test_another_process_writes_the_same_bytes_without_django_and_in_seconds(
    out: Path, trials: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", WATCHED, str(trials), "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for file in FILES:
        assert (tmp_path / file).read_bytes() == (out / file).read_bytes(), file


def test_tables_alone_do_without_matplotlib(trials: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", WATCHED, str(trials), "--out", str(tmp_path), "--tables-only"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert written(tmp_path) == TABLES


def test_json_and_csv_hold_the_same_rows_and_no_nan(out: Path) -> None:
    value = json.loads((out / "results.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)
    with (out / "results.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(value["results"])
    for row, other in zip(rows, value["results"], strict=True):
        assert list(row) == list(other)
        assert row["id"] == other["id"]
        assert (float(row["estimate"]) if row["estimate"] else None) == other["estimate"]
    assert set(value["definitions"]) == {row["id"] for row in rows}
    assert value["headline"] == {"timeouts": "wrong", "exclusions": "applied", "population": "random", "subset": "all"}


def test_the_primary_form_can_be_named(trials: Path, tmp_path: Path) -> None:
    assert main([str(trials), "--out", str(tmp_path), "--primary", "question_weighted", "--tables-only"]) == 0
    value = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert value["study"]["primary"] == "question_weighted"
    adjusted = {r["id"] for r in value["results"] if r["subset"] == "all" and r["p_adj"] is not None}
    assert adjusted == {"diff.hm_minus_human.question_weighted", "diff.hm_minus_model"}


def test_a_refused_input_ends_with_2_and_names_the_cell(trials_csv: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(trials_csv, dtype=str, keep_default_na=False)
    frame.loc[7, "confidence"] = "80"
    frame.to_csv(trials_csv, index=False)
    done = run(trials_csv, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "trials.csv, row 9, column confidence: '80' is not allowed; allowed: a number from 0 to 1" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_an_absent_input_ends_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "nothing.csv"), "--out", str(tmp_path / "out")]) == 2
    assert "no such file" in capsys.readouterr().err
