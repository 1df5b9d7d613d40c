"""The paper's table: its figures as printed, ours from the results."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from studies.analysis import paper, table1
from studies.analysis.analyse import analyse
from studies.analysis.blocks import Table
from studies.analysis.data import Data, read
from studies.analysis.present import between
from studies.analysis.sections import beside_paper
from studies.analysis.study import Study

Simulate = Callable[..., pd.DataFrame]


def test_the_papers_figures() -> None:
    printed = [paper.HUMAN, paper.HUMAN_VOTE, paper.ZERO_SHOT, paper.FIVE_SHOT, paper.BEST_OF_20, paper.HUMAN_MODEL]
    printed += [paper.HUMAN_MODEL_VOTE, paper.EXPERTS]
    assert [row.accuracy["mmlu"] for row in printed] == [57.2, 66.0, 57.2, 61.9, 65.6, 75.4, 78.0, 90.0]
    assert [row.accuracy["quality"] for row in printed] == [48.6, 50.0, 59.2, None, 66.9, 76.8, 86.0, 93.5]
    assert [row.calibration["mmlu"] for row in printed] == [6, 10, 6, 4, 16, 12, 18, None]
    assert [row.calibration["quality"] for row in printed] == [17, 15, 7, None, 17, 7, 11, None]


def test_one_table_per_task_with_intervals_beside_the_paper(simulate: Simulate, tmp_path: Path) -> None:
    frame = simulate()
    frame.to_csv(tmp_path / "trials.csv", index=False)
    questions = frame.drop_duplicates("question")
    others = [
        questions[["question"]].assign(protocol=protocol, answer=questions["gold"])
        for protocol in ("5-shot", "scripted-stance")
    ]
    pd.concat(others).to_csv(tmp_path / "model_answers.csv", index=False)
    data = read(tmp_path, study=Study(baseline_protocol="zero-shot"))
    results = analyse(data)
    mmlu, quality = table1.tables(data, results)
    assert (mmlu.title, quality.title) == ("MMLU", "QuALITY, time-limited")
    assert [row.label for row in mmlu.rows] == [
        "Human alone (mean individual)", "Human alone, weighted vote", "Model zero-shot", "Model 5-shot",
        "Model best-of-20 chain of thought", "Model scripted-stance", "Human + model", "Human + model, weighted vote",
        "Experts (published)",
    ]  # fmt: skip
    by_label = {row.label: row for row in mmlu.rows}
    human = by_label["Human alone (mean individual)"]
    assert human.accuracy == results.find("acc.micro", "human", subset="task=mmlu")
    assert human.accuracy.low < human.accuracy.estimate < human.accuracy.high
    assert (human.paper_accuracy, human.paper_calibration) == (57.2, 6)
    assert by_label["Model zero-shot"].accuracy == results.find("acc.micro", "model", subset="task=mmlu")
    assert by_label["Model 5-shot"].accuracy.estimate == 1.0
    exact = results.find("acc.clopper_pearson", "model", arm="5-shot", subset="task=mmlu")
    all_right = by_label["Model 5-shot"].accuracy
    assert (all_right.low, all_right.high, all_right.method) == (exact.low, 1.0, exact.method)
    table = next(block for block in beside_paper.section(data, results).blocks if isinstance(block, Table))
    shown = {row[0]: row[2] for row in table.rows}
    assert shown["Model 5-shot"].startswith("exact ")
    assert shown["Model zero-shot"] == between(by_label["Model zero-shot"].accuracy)
    assert by_label["Model best-of-20 chain of thought"].accuracy is None
    assert by_label["Model scripted-stance"].paper_accuracy is None
    vote = by_label["Human + model, weighted vote"]
    assert vote.unweighted == results.find("vote.pool.five_bin.unweighted", "human+model", subset="task=mmlu")
    assert "Model 5-shot" in [row.label for row in quality.rows]


def asked(simulate: Simulate, folder: Path, samples: dict[str, int]) -> Data:
    """The study with the model asked by these protocols, so many samples of each question, all of them right."""
    frame = simulate().drop(columns=["model_answer", "model_confidence"])
    frame.to_csv(folder / "trials.csv", index=False)
    questions = frame.drop_duplicates("question")
    rows = [
        questions[["question"]].assign(protocol=protocol, sample=number, answer=questions["gold"])
        for protocol, count in samples.items()
        for number in range(count)
    ]
    pd.concat(rows).to_csv(folder / "model_answers.csv", index=False)
    return read(folder, study=Study(baseline_protocol="zero-shot"))


def model_rows(data: Data) -> dict[str, tuple[bool, float | None]]:
    """Of MMLU, by label: whether this study has a figure, and the paper's."""
    mmlu, _ = table1.tables(data, analyse(data, is_quick=True))
    models = [row for row in mmlu.rows if row.label.startswith("Model ")]
    return {row.label: (row.accuracy is not None, row.paper_accuracy) for row in models}


SCORED = {"chain-of-thought-scored": 20, "chain-of-thought-best-of-n": 1}
PLAIN = {"chain-of-thought": 20, "chain-of-thought-majority": 1}
NOT_BEST = "Model best-of-20 chain of thought (majority of 20, not best of 20)"


@pytest.mark.parametrize(
    ("samples", "label", "beside"),
    [
        (SCORED, "Model best-of-20 chain of thought", set()),
        (SCORED | PLAIN, "Model best-of-20 chain of thought", {"Model chain-of-thought-majority"}),
        (PLAIN, NOT_BEST, set()),
        (SCORED | {"chain-of-thought-scored": 8}, "Model best-of-20 chain of thought (best of 8)", set()),
        ({"chain-of-thought-best-of-n": 1}, "Model best-of-20 chain of thought (best of N)", set()),
    ],
    ids=["best of 20", "best and majority", "majority only", "best of 8", "samples not told"],
)
def test_the_papers_best_of_20_is_paired_with_the_studys_own(
    simulate: Simulate, tmp_path: Path, samples: dict[str, int], label: str, beside: set[str]
) -> None:
    shown = model_rows(asked(simulate, tmp_path, {"zero-shot": 1, **samples}))
    assert shown.pop(label) == (True, 65.6)
    assert shown.pop("Model zero-shot") == (True, 57.2)
    assert shown.pop("Model 5-shot") == (False, 61.9)
    raw = {"Model chain-of-thought", "Model chain-of-thought-scored"}
    assert set(shown) - raw == beside
    assert {paper for _, paper in shown.values()} <= {None}


def test_sampled_replies_stand_for_the_likeliest_letter_only_where_it_is_not_known(
    simulate: Simulate, tmp_path: Path
) -> None:
    frequencies = {"frequencies": 20, "frequencies-majority": 1}
    label = "Model zero-shot (most frequent of 20 replies, not likeliest letter)"
    shown = model_rows(asked(simulate, tmp_path, frequencies))
    assert shown[label] == (True, 57.2)
    assert "Model zero-shot" not in shown
    shown = model_rows(asked(simulate, tmp_path, frequencies | {"zero-shot": 1}))
    assert shown["Model zero-shot"] == (True, 57.2)
    assert shown["Model frequencies-majority"] == (True, None)


def test_another_assistants_best_is_not_the_papers_row(simulate: Simulate, tmp_path: Path) -> None:
    shown = model_rows(asked(simulate, tmp_path, {"zero-shot": 1, "chain-of-thought-best-of-n@other": 1}))
    assert shown["Model best-of-20 chain of thought"] == (False, 65.6)
    assert shown["Model chain-of-thought-best-of-n@other"] == (True, None)


def test_without_tasks_there_is_one_table_and_no_paper_beside_it(simulate: Simulate, tmp_path: Path) -> None:
    simulate().drop(columns="task").to_csv(tmp_path / "trials.csv", index=False)
    data = read(tmp_path)
    (table,) = table1.tables(data, analyse(data))
    assert [row.label for row in table.rows][2] == "Model alone"
    assert all(row.paper_accuracy is None for row in table.rows)


def test_flat_records_have_the_columns_in_order(trials_csv: Path) -> None:
    data = read(trials_csv)
    records = list(table1.as_records(table1.tables(data, analyse(data))))
    assert all(tuple(record) == table1.COLUMNS for record in records)
    human = next(r for r in records if r["row"] == "Human alone (mean individual)")
    assert human["accuracy"] == pytest.approx(0.6, abs=0.2)
    assert human["paper_accuracy"] == 57.2
