"""Where the Brier score comes from, and how large an ECE chance alone makes.

Murphy's decomposition over groups g of answers, on the rows of `calibration.rows`, with right = 0 or 1:

    Brier = reliability - resolution + uncertainty (+ WBV - WBC over bins)
    reliability = Σ n_g/N (conf_g - acc_g)²   resolution = Σ n_g/N (acc_g - acc)²   uncertainty = acc (1 - acc)
    WBV = Σ (conf - conf_g)²/N                WBC = 2 Σ (conf - conf_g)(right - acc_g)/N

Over the distinct confidences WBV and WBC are 0 and the identity is exact; over bins they make it so. Both terms are
biased upwards by small groups, so there are no intervals.
Reference: Murphy 1973; Stephenson, Coelho & Jolliffe 2008 (the terms within bins).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from studies.analysis import calibration
from studies.analysis.cluster import Array, Codes
from studies.analysis.estimate import Estimate, Population, undefined

DRAWS, SEED = 500, 0
TERM_ONLY = "no interval: a term of a sum, biased upwards by small groups"
REFERENCE = "no interval: a reference value, what chance alone makes of perfect calibration"
SHARES = "right is a share here: the decomposition is for 0 and 1"
IID = "{:,} draws of right answers with the stated confidences as chances, iid: ignores clustering; seed {}"


@dataclass(frozen=True)
class Murphy:
    """The terms: brier = reliability - resolution + uncertainty + wbv - wbc."""

    brier: float
    reliability: float
    resolution: float
    uncertainty: float
    wbv: float
    wbc: float


def murphy(confidence: Array, right: Array, groups: Codes) -> Murphy:
    """The terms over `groups`, whole numbers; confidence and right one a row."""
    n, total, base = np.bincount(groups), len(right), right.mean()
    sure, share = (np.bincount(groups, weights=each) / np.maximum(n, 1) for each in (confidence, right))
    inside, outcome = confidence - sure[groups], right - share[groups]
    return Murphy(
        brier=float(((confidence - right) ** 2).mean()),
        reliability=float((n * (sure - share) ** 2).sum() / total),
        resolution=float((n * (share - base) ** 2).sum() / total),
        uncertainty=float(base * (1 - base)),
        wbv=float((inside**2).mean()),
        wbc=float(2 * (inside * outcome).mean()),
    )


def term(
    trials: pd.DataFrame, *, name: str, bins: Callable[[Array], Codes], population: Population = "random"
) -> Estimate:
    """One term of the decomposition; undefined where `correct` is a share."""
    kept = calibration.rows(trials)
    if kept.empty:
        return undefined(calibration.NOBODY)
    right = kept["correct"].to_numpy(np.float64)
    if not np.isin(right, (0.0, 1.0)).all():
        return undefined(SHARES, n_trials=len(kept))
    # Rounded as the groups are, so that equal confidences do not vary by float noise.
    confidence = kept["confidence"].to_numpy(np.float64).round(9)
    groups = bins(confidence)
    used = np.count_nonzero(np.bincount(groups))
    words = "distinct confidences" if bins is calibration.own_values else "bins in use"
    found = getattr(murphy(confidence, right, groups), name)
    return calibration.point(kept, found, method=f"{used} {words}", reason=TERM_ONLY)


def null_mean(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Mean of cal.ece.width10 over simulated perfectly calibrated answers with the same confidences."""
    return _null(trials, np.mean)


def null_q95(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """95 % quantile of the same: a larger ECE is more than chance makes, if answers were independent."""
    return _null(trials, partial(np.quantile, q=0.95))


def _null(trials: pd.DataFrame, summary: Callable[[Array], float]) -> Estimate:
    kept = calibration.rows(trials)
    if kept.empty:
        return undefined(calibration.NOBODY)
    values, place = calibration.distinct(kept["confidence"].to_numpy(np.float64))
    n = np.bincount(place)
    codes = calibration.width10(values)
    right = np.random.default_rng(SEED).binomial(n, values, size=(DRAWS, len(values)))
    in_bin = np.arange(10) == codes[:, None]
    gaps = np.abs((right - n * values) @ in_bin).sum(axis=1) / n.sum()
    return calibration.point(kept, float(summary(gaps)), method=IID.format(DRAWS, SEED), reason=REFERENCE)


reliability = partial(term, name="reliability", bins=calibration.own_values)
resolution = partial(term, name="resolution", bins=calibration.own_values)
uncertainty = partial(term, name="uncertainty", bins=calibration.own_values)
reliability_width10 = partial(term, name="reliability", bins=calibration.width10)
resolution_width10 = partial(term, name="resolution", bins=calibration.width10)
wbv_width10 = partial(term, name="wbv", bins=calibration.width10)
wbc_width10 = partial(term, name="wbc", bins=calibration.width10)
