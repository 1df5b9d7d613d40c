"""How well confidence tells right from wrong: figures of how often each reported value was right.

All of them depend on one small table only, the wrong and right answers at each distinct confidence, so leaving a
participant, a question or a cell out is one subtraction, and their intervals are jackknife intervals (see `resample`)
even on large studies. Rows are those of `calibration.rows`. A sampled model's row counts as right from .5.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from studies.analysis import accuracy, calibration, cluster, resample
from studies.analysis.cluster import Array, Codes, Side
from studies.analysis.estimate import Estimate, Population, undefined

# (..., 2, V) wrong and right answers at each confidence, ascending → (...) values, NaN where undefined
OfTable = Callable[[Array], Array]

ONE_CLASS = "all answers are right, or all wrong"
AT_ONCE = 4_000_000  # numbers in a block of leave-outs
MOST_POINTS = 11


def auroc(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """P(a right answer has more confidence than a wrong one), ties counting half (Hanley & McNeil 1982).

    Undefined, not .5, when all answers are right or all wrong.
    """
    return _jackknifed(trials, _area_under_roc, population, absent=ONE_CLASS)


def selective_half(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Share right among the half that was answered with most confidence; of equal confidences a part counts evenly."""
    return _jackknifed(trials, lambda table: _most_confident(table, 0.5), population)


def selective_fifth(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """The same among the most confident fifth."""
    return _jackknifed(trials, lambda table: _most_confident(table, 0.2), population)


def selective_area(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Mean over all coverages of the share right among the most confident: 1 minus the area under the risk curve.

    Answering only above a confidence keeps a share c of the answers (coverage); the curve of their accuracy is averaged
    over c from 0 to 1, equal confidences counting evenly. It equals accuracy when confidence says nothing.
    Reference: El-Yaniv & Wiener 2010; Geifman, Uziel & El-Yaniv 2019.
    """
    return _jackknifed(trials, _area_under_coverage, population)


def curve(trials: pd.DataFrame, *, population: Population = "random") -> pd.DataFrame:
    """Accuracy and coverage when only answers from a confidence up count; at most 11 thresholds, the highest first.

    Columns: threshold, coverage (share of the answers), accuracy, low, high (interval of `cluster`, the threshold held
    fixed; Wilson where that does not exist or a side has fewer than 10 clusters), n_trials, method.
    """
    kept = calibration.rows(trials)
    values = kept["confidence"].round(9).to_numpy()
    thresholds = np.unique(values)
    if len(thresholds) > MOST_POINTS:
        thresholds = np.unique(np.quantile(values, np.linspace(0, 1, MOST_POINTS), method="inverted_cdf"))
    table = []
    for threshold in thresholds[::-1]:
        part = kept.loc[values >= threshold]
        found = accuracy.micro(part, population=population)
        shown = accuracy.wilson(part) if found.low is None or "few_clusters" in found.flags else found
        table.append(
            {
                "threshold": float(threshold),
                "coverage": len(part) / len(kept),
                "accuracy": found.estimate,
                "low": shown.low,
                "high": shown.high,
                "n_trials": len(part),
                "method": shown.method,
            }
        )
    return pd.DataFrame(table)


def _jackknifed(trials: pd.DataFrame, of: OfTable, population: Population, *, absent: str = "") -> Estimate:
    kept = calibration.rows(trials)
    if kept.empty:
        return undefined(calibration.NOBODY)
    values, place = calibration.distinct(kept["confidence"].to_numpy(np.float64))
    right = kept["correct"].to_numpy() >= 0.5
    key = (place + len(values) * right).astype(np.int64)
    table = np.bincount(key, minlength=2 * len(values)).reshape(2, -1).astype(np.float64)
    estimate = float(of(table))
    if np.isnan(estimate):
        return undefined(absent or "the figure does not exist on these rows", n_trials=len(kept))
    sides = cluster.random_sides(cluster.sides_of([kept]), population)
    leave_out = [
        np.empty(0) if side is None else _without_each(side, key, table, of)
        for side in (sides.participant, sides.question, sides.cell)
    ]
    return resample.infer(estimate, leave_out, sides, n_trials=len(kept))


def _without_each(side: Side, key: Codes, table: Array, of: OfTable) -> Array:
    """The figure without each cluster of a side."""
    size = table.size
    n = np.bincount(side.codes)
    is_single = n[side.codes] == 1
    # Clusters of one row: equal rows leave the same behind.
    counts = np.bincount(key[is_single], minlength=size)
    kinds = np.flatnonzero(counts)
    one = (kinds[:, None] == np.arange(size)).astype(np.float64)
    parts = [np.repeat(of(table - one.reshape(-1, *table.shape)), counts[kinds])]
    codes, keys = (np.cumsum(n > 1) - 1)[side.codes[~is_single]], key[~is_single]
    total, step = int(codes.max(initial=-1)) + 1, max(1, AT_ONCE // size)
    if total > step:
        order = np.argsort(codes, kind="stable")
        codes, keys = codes[order], keys[order]
    for first in range(0, total, step):
        last = min(first + step, total)
        rows = slice(*np.searchsorted(codes, [first, last])) if total > step else slice(None)
        cut = np.bincount((codes[rows] - first) * size + keys[rows], minlength=(last - first) * size)
        parts.append(of(table - cut.reshape(-1, *table.shape)))
    return np.concatenate(parts)


def _area_under_roc(table: Array) -> Array:
    wrong, right = table[..., 0, :], table[..., 1, :]
    below = np.cumsum(wrong, axis=-1) - wrong / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((right * below).sum(axis=-1) / (right.sum(axis=-1) * wrong.sum(axis=-1)))


def _most_confident(table: Array, coverage: float) -> Array:
    """Share right among the most confident `coverage` of the answers."""
    right, n = table[..., 1, ::-1], table.sum(axis=-2)[..., ::-1]
    wanted = coverage * n.sum(axis=-1, keepdims=True)
    taken = np.clip(wanted - (np.cumsum(n, axis=-1) - n), 0, n)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((taken * right / np.maximum(n, 1)).sum(axis=-1) / wanted[..., 0])


def _area_under_coverage(table: Array) -> Array:
    """∫ accuracy(c) dc: between two thresholds the right answers grow evenly, so accuracy is slope + rest/c there."""
    right, n = table[..., 1, ::-1], table.sum(axis=-2)[..., ::-1]
    total = n.sum(axis=-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        after, share = np.cumsum(n, axis=-1) / total, right / np.maximum(n, 1)
        before, right_before = after - n / total, (np.cumsum(right, axis=-1) - right) / total
        has_before = before > 1e-12
        logs = np.where(has_before & (n > 0), np.log(after / np.where(has_before, before, 1.0)), 0.0)
        return np.asarray((share * (after - before) + (right_before - share * before) * logs).sum(axis=-1))
