"""How confidence would have to be bent to be calibrated: the calibration slope and intercept.

Rows are those of `calibration.rows`; x = logit(confidence clipped to [.01, .99]).

    slope:      logit P(right) = a + b·x; b = 1 when calibrated, below 1 when confidence is too extreme
    intercept:  logit P(right) = a + x;   a = 0 when calibrated on average, below 0 when too sure

Largest likelihood by Newton's steps on the distinct confidences. The intervals are those of `cluster`, from the
influences H⁻¹·x·(right - P): statsmodels' logit with two-way clustered covariance, and the largest of three.
Where right and wrong answers are separated no largest likelihood exists, and the figure is undefined.
Reference: Cox 1958; Steyerberg 2019, Clinical Prediction Models, ch. 15.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from studies.analysis import calibration, cluster
from studies.analysis.by_value import ONE_CLASS
from studies.analysis.cluster import Array
from studies.analysis.estimate import Estimate, Population, undefined

CLIP = (0.01, 0.99)
STEPS, ENOUGH = 100, 1e-12
SEPARATED = "not estimable: right and wrong answers are separated by their confidence"
ONE_VALUE = "not estimable: everybody gave the same confidence"


def slope(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """The calibration slope b; not tested, since 1 is perfect. Undefined with one class, one value, or separation."""
    kept = calibration.rows(trials)
    if kept.empty:
        return undefined(calibration.NOBODY)
    x, y, w = _columns(kept)
    refused = _refusal(x, y)
    if refused:
        return undefined(refused, n_trials=len(kept))
    beta, inverse = _fit(x, y, w, has_slope=True)
    design = _design(x, True)
    psi = (design * (w * (y - expit(design @ beta)))[:, None]) @ inverse
    return _named(cluster.infer(
        float(beta[1]), psi[:, 1], cluster.sides_of([kept]), k=2, population=population, is_tested=False
    ))  # fmt: skip


def intercept(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """The calibration intercept a with the slope fixed at 1, tested against 0. Undefined with one class."""
    kept = calibration.rows(trials)
    if kept.empty:
        return undefined(calibration.NOBODY)
    x, y, w = _columns(kept)
    if y.min() == y.max() and y[0] in (0.0, 1.0):
        return undefined(ONE_CLASS, n_trials=len(kept))
    beta, inverse = _fit(x, y, w, has_slope=False)
    psi = w * (y - expit(beta[0] + x)) * inverse[0, 0]
    return _named(cluster.infer(
        float(beta[0]), psi, cluster.sides_of([kept]), k=1, population=population, is_tested=True
    ))  # fmt: skip


def _columns(kept: pd.DataFrame) -> tuple[Array, Array, Array]:
    x = logit(np.clip(kept["confidence"].to_numpy(np.float64).round(9), *CLIP))
    return x, kept["correct"].to_numpy(np.float64), calibration.weights_of(kept)


def _refusal(x: Array, y: Array) -> str:
    """Why a logit in one variable has no maximum: Albert & Anderson 1984, for a line."""
    right, wrong = x[y > 0], x[y < 1]
    if not len(right) or not len(wrong):
        return ONE_CLASS
    if x.min() == x.max():
        return ONE_VALUE
    return SEPARATED if wrong.max() <= right.min() or right.max() <= wrong.min() else ""


def _fit(x: Array, y: Array, w: Array, *, has_slope: bool) -> tuple[Array, Array]:
    """Coefficients and the inverse information, on the distinct x; without slope x is an offset."""
    place, values = pd.factorize(x, sort=True)
    n, right = np.bincount(place, weights=w), np.bincount(place, weights=w * y)
    design = _design(values, has_slope)
    offset = np.zeros_like(values) if has_slope else values
    beta, information = np.zeros(design.shape[1]), np.eye(design.shape[1])
    for _ in range(STEPS):
        p = expit(design @ beta + offset)
        information = design.T @ (design * (n * p * (1 - p))[:, None])
        step = np.linalg.solve(information, design.T @ (right - n * p))
        beta = beta + np.clip(step, -2, 2)
        if np.abs(step).max() < ENOUGH:
            break
    return beta, np.asarray(np.linalg.inv(information), dtype=np.float64)


def _design(x: Array, has_slope: bool) -> Array:
    return np.stack([np.ones_like(x), x] if has_slope else [np.ones_like(x)], axis=1)


def _named(found: Estimate) -> Estimate:
    return replace(found, method=f"logit, {found.method}") if found.method else found
