"""The R script of a bundle gives our primary contrast: its committed output, and itself where R is installed."""

import csv
import io
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from studies.analysis import compare
from studies.analysis.data import read
from studies.analysis.estimate import Estimate

GOLDEN = Path(__file__).parent / "golden"
SCRIPT = Path(compare.__file__).parent / "assets" / "primary_contrast.R"
INPUTS = ("latin", "advisor")


def lines(text: str) -> dict[str, dict[str, float]]:
    """The figures of each form; an empty cell is left out."""
    rows = csv.DictReader(io.StringIO(text))
    return {row.pop("form"): {name: float(value) for name, value in row.items() if value} for row in rows}


def ours(path: Path) -> dict[str, dict[str, float]]:
    trials = read(path).trials
    trials = trials[trials["excluded"] == 0]
    pair = [trials[trials["condition"] == name] for name in ("human+model", "human")]
    found = {"micro": compare.micro(*pair), "question_weighted": compare.question_weighted(*pair)}
    names = ("estimate", "se", "df", "low", "high", "p", "P", "Q")
    return {
        form: {name: getattr(each, name) for name in names} | {"trials": each.n_trials} for form, each in found.items()
    }


def same(one: dict[str, dict[str, float]], other: dict[str, dict[str, float]]) -> None:
    assert one.keys() == other.keys() == {"micro", "question_weighted"}
    for form, figures in one.items():
        assert figures == pytest.approx(other[form], rel=1e-10, abs=1e-12), form


@pytest.mark.parametrize("name", ["usual", "people", "few"])
@pytest.mark.parametrize(("form", "prefix"), [(compare.micro, ""), (compare.question_weighted, "wls.")])
def test_variances_equal_sandwich(name: str, form: Callable[..., Estimate], prefix: str) -> None:
    """vcovCL of lm, weighted 1/n of question and condition, HC1, cadjust, multi0 = FALSE: to 1e-10."""
    frame = pd.read_csv(GOLDEN / f"{name}.csv").astype({"correct": float})
    pair = [frame[frame["condition"] == condition] for condition in ("human+model", "human")]
    r = pd.read_csv(GOLDEN / "golden.csv").set_index(["input", "quantity"])["value"][name]
    three = [r[f"{prefix}vcovCL.{side}"] for side in ("participant", "question", "two_way")]
    found = form(*pair)
    assert found.estimate == pytest.approx(r[f"{prefix or 'lm.'}b"], abs=1e-12)
    assert found.se**2 == pytest.approx(max(three), abs=1e-10)
    assert form(*pair, population="fixed questions").se ** 2 == pytest.approx(three[0], abs=1e-10)


@pytest.mark.parametrize("name", INPUTS)
def test_what_the_script_printed_is_what_we_compute(name: str) -> None:
    same(lines((GOLDEN / f"{name}.out.csv").read_text()), ours(GOLDEN / f"{name}.csv"))


def test_the_tables_bite() -> None:
    """Timeouts, an exclusion, passages, questions of one arm, first answers in the same row."""
    latin = read(GOLDEN / "latin.csv").trials
    assert {0, 1} == set(latin["timed_out"]) == set(latin["excluded"])
    assert (latin["item_group"] != latin["question"]).any()
    found = ours(GOLDEN / "latin.csv")
    assert found["micro"]["trials"] > found["question_weighted"]["trials"]
    assert (read(GOLDEN / "advisor.csv").trials["stage"] == "initial").sum() > 20


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed; its output is compared above")
@pytest.mark.parametrize("name", INPUTS)
def test_the_script_still_prints_that(name: str) -> None:
    done = subprocess.run(
        ["Rscript", str(SCRIPT), str(GOLDEN / f"{name}.csv")], capture_output=True, text=True, check=True, timeout=60
    )  # fmt: skip
    same(lines(done.stdout), lines((GOLDEN / f"{name}.out.csv").read_text()))


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_one_condition_has_no_contrast_in_r_either(tmp_path: Path) -> None:
    (tmp_path / "trials.csv").write_text("participant,question,condition,correct\na,q,human,1\nb,r,human,0\n")
    done = subprocess.run(
        ["Rscript", str(SCRIPT), str(tmp_path / "trials.csv")], capture_output=True, text=True, check=True, timeout=60
    )  # fmt: skip
    assert lines(done.stdout)["micro"] == {"trials": 2, "P": 2, "Q": 2}
    assert "only one condition has trials" in done.stderr
