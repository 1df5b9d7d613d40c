"""Calibration slope and intercept against statsmodels' logit with clustered covariance; separation is refused."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.special import expit, logit

from studies.analysis import by_value, calibration, recalibrate


def study(people: int = 25, questions: int = 30, slope: float = 0.7, spread: float = 0.6) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    rows = [(f"p{p}", f"q{q}") for p in range(people) for q in range(questions)]
    frame = pd.DataFrame(rows, columns=["participant", "question"]).sample(frac=0.6, random_state=4)
    confidence = rng.integers(0, 101, len(frame)) / 100
    hard = rng.normal(0, spread, questions)[frame["question"].str[1:].astype(int)]
    right = rng.random(len(frame)) < expit(slope * logit(np.clip(confidence, 0.01, 0.99)) - hard)
    return frame.assign(confidence=confidence, correct=right.astype(float), timed_out=0.0)


@pytest.fixture
def trials() -> pd.DataFrame:
    return study()


def golden(trials: pd.DataFrame, *, has_slope: bool) -> tuple[float, float]:
    """Estimate and standard error, the largest of statsmodels' two one-way and its two-way variance."""
    x = logit(np.clip(trials["confidence"].to_numpy(), 0.01, 0.99))
    design = sm.add_constant(x) if has_slope else np.ones((len(x), 1))
    model = sm.GLM(trials["correct"].to_numpy(), design, family=sm.families.Binomial(), offset=None if has_slope else x)
    groups = np.stack([pd.factorize(trials[name])[0] for name in ("participant", "question")], axis=1)
    errors = [
        model.fit(cov_type="cluster", cov_kwds={"groups": each}, tol=1e-12).bse[-1]
        for each in (groups, groups[:, 0], groups[:, 1])
    ]
    return float(model.fit(tol=1e-12).params[-1]), float(max(errors))


def test_slope_and_intercept_equal_statsmodels(trials: pd.DataFrame) -> None:
    for function, has_slope in ((recalibrate.slope, True), (recalibrate.intercept, False)):
        found = function(trials)
        estimate, se = golden(trials, has_slope=has_slope)
        assert (found.estimate, found.se) == (pytest.approx(estimate, abs=1e-8), pytest.approx(se, rel=1e-6))
        assert found.method.startswith("logit, two-way CRVE")
        assert found.df == 24


def test_slope_is_found_and_only_the_intercept_is_tested() -> None:
    """Without spread: questions that differ flatten the slope over all of them."""
    found = recalibrate.slope(study(people=60, questions=80, slope=0.5, spread=0.0))
    assert found.low < 0.5 < found.high
    assert (found.p, recalibrate.intercept(study()).p is None) == (None, False)


def test_saying_the_log_odds_twice_as_strongly_halves_the_slope(trials: pd.DataFrame) -> None:
    kept = trials[trials["confidence"].between(0.15, 0.85)]
    stronger = kept.assign(confidence=expit(2 * logit(kept["confidence"])))
    one, other = recalibrate.slope(kept), recalibrate.slope(stronger)
    assert (other.estimate, other.se) == (pytest.approx(one.estimate / 2), pytest.approx(one.se / 2, rel=1e-6))


def test_names_and_order_change_nothing(trials: pd.DataFrame) -> None:
    mixed = trials.assign(participant="x" + trials["participant"].str[::-1]).sample(frac=1, random_state=0)
    assert recalibrate.slope(mixed).se == pytest.approx(recalibrate.slope(trials).se)


@pytest.mark.parametrize(
    ("confidence", "correct", "reason"),
    [
        ([0.2, 0.4, 0.6, 0.8], [0, 0, 1, 1], recalibrate.SEPARATED),
        ([0.2, 0.6, 0.6, 0.8], [0, 0, 1, 1], recalibrate.SEPARATED),  # quasi: they share one value
        ([0.2, 0.4, 0.6, 0.8], [1, 1, 0, 0], recalibrate.SEPARATED),
        ([0.2, 0.4, 0.6, 0.8], [1, 1, 1, 1], by_value.ONE_CLASS),
        ([0.6, 0.6, 0.6, 0.6], [1, 0, 1, 0], recalibrate.ONE_VALUE),
        ([0.995, 0.999, 1.0, 0.99], [1, 0, 1, 0], recalibrate.ONE_VALUE),  # equal once clipped
    ],
)
def test_separation_is_refused(confidence: list[float], correct: list[int], reason: str) -> None:
    frame = pd.DataFrame({"confidence": confidence, "correct": np.array(correct, dtype=float), "timed_out": 0.0})
    found = recalibrate.slope(frame.assign(participant=list("abcd"), question=list("wxyz")))
    assert (found.estimate, found.reason) == (None, reason)


def test_everybody_right_has_no_intercept_and_nobody_has_neither(trials: pd.DataFrame) -> None:
    assert recalibrate.intercept(trials.assign(correct=1.0)).reason == by_value.ONE_CLASS
    nobody = trials.assign(confidence=np.nan)
    assert {recalibrate.slope(nobody).reason, recalibrate.intercept(nobody).reason} == {calibration.NOBODY}
