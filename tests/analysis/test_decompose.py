"""Murphy's identity, the errors over bins by hand, and the ECE that chance makes."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss

from studies.analysis import calibration, decompose

ANSWERS = st.lists(st.tuples(st.integers(0, 100), st.booleans()), min_size=1, max_size=80)


def table(confidence: np.ndarray, right: np.ndarray) -> pd.DataFrame:
    names = [f"x{i}" for i in range(len(right))]
    return pd.DataFrame(
        {"participant": names, "question": names, "confidence": confidence, "correct": right, "timed_out": 0.0}
    )


@given(ANSWERS)
def test_the_terms_sum_to_the_brier_score(answers: list[tuple[int, bool]]) -> None:
    confidence, right = (np.array(column, dtype=float) for column in zip(*answers, strict=True))
    confidence /= 100
    for bins in (calibration.own_values, calibration.width10, calibration.mass10):
        found = decompose.murphy(confidence, right, bins(confidence))
        assert found.brier == pytest.approx(brier_score_loss(right, confidence, pos_label=1), abs=1e-12)
        total = found.reliability - found.resolution + found.uncertainty + found.wbv - found.wbc
        assert total == pytest.approx(found.brier, abs=1e-12)
    own = decompose.murphy(confidence, right, calibration.own_values(confidence))
    assert (own.wbv, own.wbc) == (pytest.approx(0, abs=1e-15), pytest.approx(0, abs=1e-15))


def test_terms_by_hand() -> None:
    """.4 right once in two, .9 always right: reliability (.1² + .1²)/2, base rate .75."""
    frame = table(np.array([0.4, 0.4, 0.9, 0.9]), np.array([1.0, 0.0, 1.0, 1.0]))
    assert decompose.reliability(frame).estimate == pytest.approx(0.01)
    assert decompose.resolution(frame).estimate == pytest.approx(0.0625)
    assert decompose.uncertainty(frame).estimate == pytest.approx(0.1875)
    assert decompose.reliability(frame).method == "2 distinct confidences"
    assert decompose.wbv_width10(table(np.array([0.41, 0.45]), np.array([1.0, 0.0]))).estimate == pytest.approx(0.0004)
    assert decompose.wbc_width10(table(np.array([0.41, 0.45]), np.array([1.0, 0.0]))).estimate == pytest.approx(-0.02)


def test_rms_and_largest_error_by_hand() -> None:
    frame = table(np.array([0.55, 0.55, 0.85, 0.85]), np.array([1.0, 0.0, 1.0, 1.0]))
    assert calibration.rms_width10(frame).estimate == pytest.approx(np.sqrt(0.5 * 0.05**2 + 0.5 * 0.15**2))
    assert calibration.mce_width10(frame).estimate == pytest.approx(0.15)


def test_chance_makes_the_ece_of_calibrated_answers() -> None:
    """The mean over fresh calibrated studies is the null mean, and a twentieth of them lie above the quantile."""
    rng = np.random.default_rng(5)
    confidence = rng.choice([0.25, 0.42, 0.6, 0.8, 1.0], 300)
    frame = table(confidence, (rng.random(300) < confidence).astype(float))
    mean, q95 = decompose.null_mean(frame), decompose.null_q95(frame)
    fresh = [
        calibration.ece_width10(frame.assign(correct=(rng.random(300) < confidence).astype(float))).estimate
        for _ in range(400)
    ]
    assert mean.estimate == pytest.approx(np.mean(fresh), rel=0.1)
    assert np.mean(np.array(fresh) > q95.estimate) == pytest.approx(0.05, abs=0.03)
    assert "iid" in mean.method
    assert mean.low is None
    assert mean.reason


def test_twice_as_many_answers_make_less_by_chance() -> None:
    frame = table(np.tile([0.25, 0.6, 0.8], 50), np.tile([0.0, 1.0, 1.0], 50))
    four = pd.concat([frame] * 4)
    assert decompose.null_mean(four).estimate == pytest.approx(decompose.null_mean(frame).estimate / 2, rel=0.1)


def test_what_cannot_be_known_is_said() -> None:
    frame = table(np.array([0.4, 0.9]), np.array([0.5, 1.0]))
    assert decompose.reliability(frame).reason == decompose.SHARES
    nobody = frame.assign(confidence=np.nan)
    for function in (decompose.reliability, decompose.null_mean, decompose.null_q95, calibration.mce_width10):
        assert (function(nobody).estimate, function(nobody).reason) == (None, calibration.NOBODY)
