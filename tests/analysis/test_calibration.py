"""Calibration against the paper's check, scikit-learn, and by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, roc_auc_score

from studies.analysis import accuracy, by_value, calibration


def answers(confidence: list[float], correct: list[float], people: int = 11) -> pd.DataFrame:
    n = len(confidence)
    return pd.DataFrame(
        {
            "participant": [f"p{i % people}" for i in range(n)],
            "question": [f"q{i // people}" for i in range(n)],
            "confidence": confidence,
            "correct": correct,
            "timed_out": 0.0,
        }
    )


@pytest.fixture
def trials() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    confidence = rng.choice([0.25, 0.42, 0.6, 0.8, 1.0], 330)
    return answers(confidence.tolist(), (rng.random(330) < confidence**1.5).astype(float).tolist())


def test_the_papers_check_of_its_calibration_error() -> None:
    """n 4, 2, 5, 4, 5 with 1, 1, 3, 3, 4 right give 6.6 unweighted and 6.8 count-weighted."""
    confidence, correct = [], []
    for centre, n, right in zip([0.25, 0.42, 0.6, 0.8, 1.0], [4, 2, 5, 4, 5], [1, 1, 3, 3, 4], strict=True):
        confidence += [centre] * n
        correct += [1.0] * right + [0.0] * (n - right)
    frame = answers(confidence, correct)
    assert calibration.five_bin_unweighted(frame).estimate == pytest.approx(0.066)
    assert calibration.five_bin_weighted(frame).estimate == pytest.approx(0.068)


def test_empty_bins_are_skipped() -> None:
    assert calibration.five_bin_unweighted(answers([1.0, 1.0], [1.0, 0.0])).estimate == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("confidence", "centre"),
    [
        (0.3349, 0.25),
        (0.335, 0.42),
        (0.51, 0.60),
        (0.70, 0.80),
        (0.7 - 1e-12, 0.80),
        (0.6999, 0.60),
        (0.9, 1.0),
        (0.0, 0.25),
    ],
)
def test_edges_of_the_five_bins_belong_to_the_bin_above(confidence: float, centre: float) -> None:
    """All answers wrong: the error is the centre of the bin itself."""
    found = calibration.five_bin_error(np.array([confidence]), np.array([0.0]), is_count_weighted=False)
    assert found == pytest.approx(centre)


def test_brier_and_auroc_equal_scikit_learn(trials: pd.DataFrame) -> None:
    assert calibration.brier(trials).estimate == pytest.approx(
        brier_score_loss(trials["correct"], trials["confidence"])
    )
    assert by_value.auroc(trials).estimate == pytest.approx(roc_auc_score(trials["correct"], trials["confidence"]))


def test_auroc_of_one_class_is_undefined() -> None:
    found = by_value.auroc(answers([0.2, 0.9], [1.0, 1.0]))
    assert (found.estimate, found.reason) == (None, "all answers are right, or all wrong")


def test_overconfidence_is_confidence_minus_accuracy_with_a_test(trials: pd.DataFrame) -> None:
    found = calibration.overconfidence(trials)
    assert found.estimate == pytest.approx(trials["confidence"].mean() - trials["correct"].mean())
    assert found.se is not None
    assert found.p is not None
    assert calibration.confidence(trials).estimate == pytest.approx(trials["confidence"].mean())


def test_rows_without_confidence_and_timeouts_do_not_count(trials: pd.DataFrame) -> None:
    more = pd.concat([trials, trials[:20].assign(confidence=np.nan), trials[:20].assign(timed_out=1.0)])
    assert calibration.brier(more).n_trials == len(trials)


def test_nobody_gave_a_confidence() -> None:
    frame = answers([np.nan, np.nan], [1.0, 0.0])
    for function in (calibration.brier, by_value.auroc, calibration.ece_mass10, calibration.five_bin_weighted):
        assert (function(frame).estimate, function(frame).reason) == (None, "no confidence was given")


def test_width_bins_are_left_closed_and_blind_to_float_noise() -> None:
    values = np.array([0.0, 0.1, 0.3, 0.1 + 0.2, 0.3 - 1e-12, 0.29, 0.7, 0.1 * 7, 0.95, 1.0])
    assert calibration.width10(values).tolist() == [0, 1, 3, 3, 3, 2, 7, 7, 9, 9]


@given(st.lists(st.sampled_from([0.25, 0.42, 0.6, 0.8, 1.0, 0.123, 0.5]), min_size=1, max_size=60))
def test_mass_bins_never_split_ties_and_keep_the_order(values: list[float]) -> None:
    codes = calibration.mass10(np.array(values))
    for one, code in zip(values, codes, strict=True):
        for other, other_code in zip(values, codes, strict=True):
            assert (one == other) <= (code == other_code)
            assert (one < other) <= (code <= other_code)


def test_mass_bins_hold_a_tenth_each_without_ties() -> None:
    assert np.bincount(calibration.mass10(np.linspace(0, 1, 100))).tolist() == [10] * 10


def test_ece_by_hand_and_debiased() -> None:
    frame = answers([0.55, 0.55, 0.85, 0.85], [1.0, 0.0, 1.0, 1.0])
    assert calibration.ece_width10(frame).estimate == pytest.approx(0.5 * 0.05 + 0.5 * 0.15)
    assert calibration.ce2_debiased(frame).estimate == pytest.approx(0.5 * (0.05**2 - 0.25) + 0.5 * 0.15**2)
    assert "n 2 2" in calibration.ece_width10(frame).method


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.25, 0.30000000000000004, 0.3, 1.0]), st.booleans()), min_size=1))
def test_ece_over_reported_values_is_the_definition(pairs: list[tuple[float, bool]]) -> None:
    frame = pd.DataFrame(pairs, columns=["confidence", "correct"]).astype(float).assign(timed_out=0.0)
    by_value = frame.groupby(frame["confidence"].round(9))["correct"]
    gaps = [abs(value - part.mean()) * len(part) for value, part in by_value]
    assert calibration.ece_unique(frame).estimate == pytest.approx(sum(gaps) / len(frame))


def test_binned_errors_have_no_interval_and_say_why(trials: pd.DataFrame) -> None:
    for function in (calibration.ece_width10, calibration.ece_mass10, calibration.five_bin_unweighted):
        found = function(trials)
        assert (found.se, found.low) == (None, None)
        assert "biased upwards" in found.reason


def test_reliability_table_shows_reported_values_with_intervals(trials: pd.DataFrame) -> None:
    table = calibration.reliability(trials)
    assert table["confidence"].tolist() == pytest.approx([0.25, 0.42, 0.6, 0.8, 1.0])
    assert table["n_trials"].sum() == len(trials)
    third = trials[trials["confidence"] == 0.6]
    expected = accuracy.micro(third)
    assert (table.loc[2, "low"], table.loc[2, "high"]) == pytest.approx((expected.low, expected.high))
    assert (table["bins"] == "reported values").all()


def test_reliability_falls_back_to_wilson_in_small_bins() -> None:
    table = calibration.reliability(answers([0.5] * 8, [1.0, 0.0] * 4))
    assert table.loc[0, "method"] == "Wilson, iid: ignores clustering"


def test_reliability_puts_many_values_into_ten_bins() -> None:
    table = calibration.reliability(answers(np.linspace(0.01, 0.99, 50).tolist(), [1.0] * 50))
    assert (table["bins"] == "ten of equal width").all()
    assert len(table) == 10
