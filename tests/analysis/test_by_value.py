"""AUROC and selective accuracy against scikit-learn, loops that leave clusters out, and numerical integration."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from studies.analysis import accuracy, by_value, calibration, resample
from studies.analysis.estimate import Estimate


def study(values: int = 5, seed: int = 2, people: int = 14, questions: int = 18) -> pd.DataFrame:
    """People × questions, some cells twice (a passage), confidence that says something."""
    rng = np.random.default_rng(seed)
    rows = [(f"p{p}", f"q{q}", f"g{q // 2 if q < 6 else q}") for p in range(people) for q in range(questions)]
    frame = pd.DataFrame(rows, columns=["participant", "question", "item_group"]).sample(frac=0.7, random_state=seed)
    confidence = rng.integers(1, values + 1, len(frame)) / values
    right = (rng.random(len(frame)) < 0.25 + 0.6 * confidence).astype(float)
    return frame.assign(confidence=confidence, correct=right, timed_out=0.0)


@pytest.fixture
def trials() -> pd.DataFrame:
    return study()


@pytest.mark.parametrize("values", [5, 500])
def test_auroc_and_its_jackknife_equal_scikit_learn_without_each_cluster(values: int) -> None:
    frame = study(values)
    found = by_value.auroc(frame)
    assert found.estimate == pytest.approx(roc_auc_score(frame["correct"], frame["confidence"]))
    variances = []
    for keys in ("participant", "item_group", ["participant", "item_group"]):
        without = [
            roc_auc_score(kept["correct"], kept["confidence"])
            for rows in frame.groupby(keys).groups.values()
            for kept in [frame.drop(rows)]
        ]
        variances.append((len(without) - 1) / len(without) * np.sum((np.array(without) - found.estimate) ** 2))
    assert found.se == pytest.approx(max(variances[0], variances[1], variances[0] + variances[1] - variances[2]) ** 0.5)
    assert found.df == 13
    assert found.method == "delete-one-cluster jackknife (participant, question), largest of three, t"


@pytest.mark.parametrize("block", [10, 100, 4_000_000])
def test_leaving_out_in_blocks_changes_nothing(
    trials: pd.DataFrame, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = by_value.selective_area(trials)
    monkeypatch.setattr(by_value, "AT_ONCE", block)
    assert by_value.selective_area(trials).se == pytest.approx(expected.se)


@pytest.mark.parametrize(("function", "coverage"), [("selective_half", 0.5), ("selective_fifth", 0.2)])
def test_selective_accuracy_is_the_mean_over_random_orders_of_ties(
    trials: pd.DataFrame, function: str, coverage: float
) -> None:
    rng = np.random.default_rng(0)
    n = round(coverage * len(trials))
    shares = []
    for _ in range(4000):
        order = np.lexsort([rng.random(len(trials)), -trials["confidence"]])
        shares.append(trials["correct"].to_numpy()[order[:n]].mean())
    found = getattr(by_value, function)(trials)
    assert found.estimate == pytest.approx(np.mean(shares), abs=0.004)
    assert found.se == pytest.approx(
        resample.jackknife(trials, lambda rows: getattr(by_value, function)(rows).estimate).se
    )


def test_area_is_the_integral_of_selective_accuracy(trials: pd.DataFrame) -> None:
    values, place = np.unique(trials["confidence"], return_inverse=True)
    table = np.zeros((2, len(values)))
    np.add.at(table, (trials["correct"].astype(int), place), 1)
    grid = (np.arange(20_000) + 0.5) / 20_000
    integral = np.mean([by_value._most_confident(table, c) for c in grid])
    assert by_value.selective_area(trials).estimate == pytest.approx(integral, abs=1e-5)


def test_confidence_that_says_nothing_selects_nothing(trials: pd.DataFrame) -> None:
    flat = trials.assign(confidence=0.6)
    for function in (by_value.selective_half, by_value.selective_fifth, by_value.selective_area):
        assert function(flat).estimate == pytest.approx(trials["correct"].mean())
    assert by_value.auroc(flat).estimate == 0.5


def test_turning_confidence_round_turns_auroc_round(trials: pd.DataFrame) -> None:
    found, turned = by_value.auroc(trials), by_value.auroc(trials.assign(confidence=1 - trials["confidence"]))
    assert turned.estimate == pytest.approx(1 - found.estimate)
    assert turned.se == pytest.approx(found.se)


def test_the_curve_ends_with_everything_and_has_the_intervals_of_accuracy(trials: pd.DataFrame) -> None:
    curve = by_value.curve(trials)
    last = curve.iloc[-1]
    found = accuracy.micro(trials)
    assert (last["coverage"], last["accuracy"], last["low"]) == (1, found.estimate, found.low)
    assert curve["threshold"].tolist() == [1.0, 0.8, 0.6, 0.4, 0.2]
    assert curve["coverage"].is_monotonic_increasing
    assert len(by_value.curve(study(values=500))) <= by_value.MOST_POINTS


def test_what_cannot_be_known_is_said(trials: pd.DataFrame) -> None:
    assert by_value.auroc(trials.assign(correct=1.0)).reason == by_value.ONE_CLASS
    nobody = trials.assign(confidence=np.nan)
    for function in (by_value.auroc, by_value.selective_half, by_value.selective_area):
        assert function(nobody) == Estimate(reason=calibration.NOBODY)
    assert by_value.curve(nobody).empty
    one_wrong = trials.assign(correct=1.0)
    one_wrong.iloc[0, one_wrong.columns.get_loc("correct")] = 0.0
    found = by_value.auroc(one_wrong)
    assert found.estimate is not None
    assert found.low is None
    assert "without one of the clusters" in found.reason
