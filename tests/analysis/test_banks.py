"""The model over whole banks: a figure of its own beside the protocols, which changes nothing else."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import statsmodels.api as sm

from studies.analysis.analyse import analyse
from studies.analysis.banks import prepare
from studies.analysis.data import read
from studies.analysis.report import render
from studies.analysis.results import Results

HEADER = "bank,split,question,item_group,protocol,sample,answer,correct"


@pytest.fixture
def trials_csv(simulate: Callable[..., pd.DataFrame], tmp_path: Path) -> Path:
    """Few people: the figures of people are not what is tested here."""
    path = tmp_path / "trials.csv"
    simulate(people=4, per_person=8, questions=20).to_csv(path, index=False)
    return path


def answers(samples: int = 1) -> list[str]:
    """40 questions of mmlu, every third right; 12 of quality on 4 passages, right but on one."""
    rows = [f"mmlu,val,m{q},,zero-shot,{s},A,{int(q % 3 == 0)}" for q in range(40) for s in range(samples)]
    return rows + [
        f"quality,dev,s{q},p{q // 3},zero-shot,{s},A,{int(q > 2)}" for q in range(12) for s in range(samples)
    ]


def results(folder: Path, rows: list[str]) -> Results:
    (folder / "bank_answers.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    return analyse(read(folder), is_quick=True)


def test_accuracy_and_interval_are_those_of_one_way_clustered_least_squares(trials_csv: Path) -> None:
    found = results(trials_csv.parent, answers())
    mmlu, quality = (found.find("acc.bank", "model", arm=f"zero-shot: {name}") for name in ("mmlu val", "quality dev"))
    assert (mmlu.estimate, mmlu.n_trials, mmlu.Q, mmlu.P) == (14 / 40, 40, 40, None)
    assert (quality.estimate, quality.n_trials, quality.Q) == (0.75, 12, 4)
    right = [float(q > 2) for q in range(12)]
    fitted = sm.OLS(right, [1.0] * 12).fit(cov_type="cluster", cov_kwds={"groups": [q // 3 for q in range(12)]})
    assert quality.se == pytest.approx(fitted.bse[0], rel=1e-9)
    assert quality.df == 3


def test_samples_of_a_question_count_as_their_mean(trials_csv: Path) -> None:
    one, five = (results(trials_csv.parent, answers(samples)) for samples in (1, 5))
    for each in ("mmlu val", "quality dev"):
        a, b = (found.find("acc.bank", "model", arm=f"zero-shot: {each}") for found in (one, five))
        assert a.estimate == pytest.approx(b.estimate)
    assert prepare(None).empty


def test_nothing_else_changes(trials_csv: Path) -> None:
    before = analyse(read(trials_csv), is_quick=True)
    after = results(trials_csv.parent, answers())
    others = [[row for row in found.to_rows() if row["id"] != "acc.bank"] for found in (before, after)]
    assert others[0] == others[1]
    assert len(others[0]) > 100


def test_the_report_has_them_beside_the_protocols_and_without_any(trials_csv: Path) -> None:
    found = results(trials_csv.parent, answers())
    page = render(read(trials_csv.parent), found).page
    assert "The model alone over whole banks" in page
    assert "mmlu val, zero-shot" in page
    frame = pd.read_csv(trials_csv, dtype=str, keep_default_na=False)
    frame.drop(columns=["model_answer", "model_confidence"]).to_csv(trials_csv, index=False)
    page = render(read(trials_csv.parent), results(trials_csv.parent, answers())).page
    assert "The model alone over whole banks" in page
    assert "people with the model beside each protocol" not in page


def test_without_the_table_the_figure_is_undefined_with_its_reason(trials_csv: Path) -> None:
    found = analyse(read(trials_csv), is_quick=True).find("acc.bank", "model")
    assert (found.estimate, found.reason) == (None, "the model was not asked a whole bank")
