"""The contrast of two conditions on other scales than the difference of shares, for readers used to those.

Risk ratio, odds ratio and Cohen's h are functions of the conditions' means m1 (with the model) and m0 (alone): their
intervals are `cluster`'s, by the delta method on each trial's influence. Hedges' g_av is a function of the people's own
means and has the delete-one-cluster jackknife with the same largest-of-three rule. The primary effect size is the
difference itself (diff.…).
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from studies.analysis import cluster
from studies.analysis.cluster import FEW, LEVEL, ZERO, Array, Codes, Variance
from studies.analysis.estimate import Estimate, Population, undefined
from studies.analysis.logits import ratio

JACKKNIFE = "jackknife (participant, question), largest of three, t"
MOST_CELLS = 10_000_000  # participants × question-side clusters: beyond it the jackknife takes gigabytes
SAME = 1e-7  # standard deviations of people below this are rounding


def risk_ratio(treated: pd.DataFrame, baseline: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """m1/m0; `se` of the logarithm, interval exp(log ± t se), p against 1.

    Not estimable where a condition is never right. Example: .75 against .50 is 1.5.
    """
    return ratio(_of_means(treated, baseline, population, np.log, lambda m: 1 / m, ends=(0.0,)))


def odds_ratio(treated: pd.DataFrame, baseline: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """m1/(1 - m1) over m0/(1 - m0), the conditions' own odds; `se` of the logarithm, p against 1.

    Not estimable where a condition is never or always right. Example: .75 against .50 is 3.
    """
    ends = (0.0, 1.0)
    return ratio(_of_means(treated, baseline, population, lambda m: np.log(m / (1 - m)), _inverse_variance, ends=ends))


def cohens_h(treated: pd.DataFrame, baseline: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """2 asin √m1 - 2 asin √m0 (Cohen 1988): .2 small, .5 medium, .8 large. Example: .75 against .50 is .524.

    Defined with everything right or wrong too, but without an interval there.
    """

    def arc(m: float) -> float:
        return float(2 * np.arcsin(np.sqrt(m)))

    return _of_means(treated, baseline, population, arc, lambda m: np.sqrt(_inverse_variance(m)), ends=())


def hedges_g(treated: pd.DataFrame, baseline: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """g_av = J · mean(m1_p - m0_p) / √((s1² + s0²)/2) over the n people p seen in both conditions, J = 1 - 3/(4n - 5).

    m1_p and m0_p are a person's shares of right answers, s1 and s0 their standard deviations over people. Undefined
    below 3 people and where people do not differ. It grows with the number of trials of each person, whose noise is in
    s: compare it only between studies with as many. Variance: V_g = (G-1)/G · Σ (g without the cluster - g)² for
    participants, question-side clusters and cells; reference: Lakens 2013 (g_av), Hedges 1981 (J).
    """
    n = len(treated) + len(baseline)
    if not len(treated) or not len(baseline):
        return undefined("only one condition has trials", n_trials=n)
    sides = cluster.sides_of([treated, baseline])
    if sides.participant is None or sides.question is None:
        return undefined("people and questions are both needed", n_trials=n)
    is_treated = np.arange(n) < len(treated)
    person = sides.participant.codes
    both = np.intersect1d(person[is_treated], person[~is_treated])
    if len(both) < 3:
        return undefined("fewer than 3 participants are seen in both conditions", n_trials=n)
    kept = np.isin(person, both)
    person, item = (
        np.unique(side.codes[kept], return_inverse=True)[1] for side in (sides.participant, sides.question)
    )  # fmt: skip
    y = np.concatenate([frame["correct"].to_numpy(np.float64) for frame in (treated, baseline)])[kept]
    if len(both) * (int(item.max()) + 1) > MOST_CELLS:
        return undefined("too many participants times questions for this figure", n_trials=n)
    right, asked = _by_cell(y, is_treated[kept], person, item)
    value = float(_g(*_moments(right.sum(axis=2) / asked.sum(axis=2))))
    found = Estimate(method=JACKKNIFE, n_trials=int(kept.sum()), P=len(both), Q=right.shape[2])
    if not np.isfinite(value):
        return undefined("people do not differ: no standard deviation to divide by", n_trials=found.n_trials)
    found = replace(found, estimate=value)
    if right.shape[2] < 2 or len(both) < 4:
        return replace(found, reason="no standard error: fewer than 4 participants or 2 question-side clusters")
    return _interval(found, _jackknife(right, asked, value).largest)


def _of_means(
    treated: pd.DataFrame, baseline: pd.DataFrame, population: Population, function: Callable[[float], float],
    slope: Callable[[float], float], *, ends: tuple[float, ...],
) -> Estimate:  # fmt: skip
    """function(m1) - function(m0); not estimable when a mean is one of `ends`, without interval where slope is not."""
    y1, y0 = (frame["correct"].to_numpy(np.float64) for frame in (treated, baseline))
    n = len(y1) + len(y0)
    if not len(y1) or not len(y0):
        return undefined("only one condition has trials", n_trials=n)
    sides = cluster.sides_of([treated, baseline])
    is_treated = np.arange(n) < len(y1)
    for half in (sides.at(is_treated), sides.at(~is_treated)):
        short = cluster.too_few(half, population)
        if short:
            return undefined(f"a condition has {short}: no contrast", n_trials=n)
    m1, m0 = float(y1.mean()), float(y0.mean())
    if m1 in ends or m0 in ends:
        return undefined("not estimable: every answer of a condition is right, or every one wrong", n_trials=n)
    value = float(function(m1) - function(m0))
    if {m1, m0} & {0.0, 1.0}:
        reason = "no interval: every answer of a condition is right, or every one wrong"
        return Estimate(estimate=value, n_trials=n, flags=("degenerate",), reason=reason)
    psi = np.concatenate([slope(m1) * (y1 - m1) / len(y1), -slope(m0) * (y0 - m0) / len(y0)])
    return cluster.infer(value, psi, sides, k=2, population=population, is_tested=True)


def _inverse_variance(m: float) -> float:
    return 1 / (m * (1 - m))


def _by_cell(y: Array, is_treated: np.ndarray, person: Codes, item: Codes) -> tuple[Array, Array]:
    """Right answers and trials, as condition (with the model first) × participant × question-side cluster."""
    shape = (2, int(person.max()) + 1, int(item.max()) + 1)
    place = np.ravel_multi_index((np.where(is_treated, 0, 1), person, item), shape)
    size = int(np.prod(shape))
    right, asked = np.bincount(place, y, size), np.bincount(place, minlength=size)
    return right.astype(np.float64).reshape(shape), asked.astype(np.float64).reshape(shape)


def _g(n: Array, sums: Array, squares: Array) -> Array:
    """g_av from the people's means: how many people, their sums and sums of squares (condition × …)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = (squares - sums**2 / n) / (n - 1)
        between = np.sqrt(spread.mean(axis=0))
        gain = (sums[0] - sums[1]) / n
        return np.asarray((1 - 3 / (4 * n - 5)) * gain / np.where(between > SAME, between, np.nan))


def _moments(means: Array) -> tuple[Array, Array, Array]:
    """The arguments of `_g` from means: condition × participant × …; who has none in a condition is left out."""
    known = np.isfinite(means).all(axis=0)
    held = np.where(known, means, 0.0)
    return known.sum(axis=0).astype(np.float64), held.sum(axis=1), (held**2).sum(axis=1)


def _jackknife(right: Array, asked: Array, value: float) -> Variance:
    """Variances over participants, question-side clusters and cells that have trials."""
    means = right.sum(axis=2) / asked.sum(axis=2)
    n, sums, squares = _moments(means)
    without_person = _g(n - 1, sums[:, None] - means, squares[:, None] - means**2)
    with np.errstate(invalid="ignore", divide="ignore"):
        rest = (right.sum(axis=2)[:, :, None] - right) / (asked.sum(axis=2)[:, :, None] - asked)
    without_question = _g(*_moments(rest))
    # A cell's absence changes the mean of its own participant alone, who is left out when nothing remains.
    person, item = np.nonzero(asked.sum(axis=0))
    old, new = means[:, person], rest[:, person, item]
    stays = np.isfinite(new).all(axis=0)
    new = np.where(stays, new, 0.0)
    without_cell = _g(n - 1 + stays, sums[:, None] - old + new, squares[:, None] - old**2 + new**2)
    return Variance(*(_spread(each, value) for each in (without_person, without_question, without_cell)))


def _spread(without: Array, value: float) -> float:
    count = len(without)
    return float((count - 1) / count * ((without - value) ** 2).sum())


def _interval(found: Estimate, largest: float | None) -> Estimate:
    clusters = min(found.P or 0, found.Q or 0)
    flags = ("few_clusters",) if clusters < FEW else ()
    if largest is None or not np.isfinite(largest):
        return replace(found, reason="no standard error: without some cluster there is no figure", flags=flags)
    se, df = float(np.sqrt(largest)), float(clusters - 1)
    if se < ZERO:
        return replace(found, flags=("degenerate", *flags), reason=cluster.NOTHING_VARIES)
    value = found.estimate or 0.0
    half = float(stdtrit(df, 0.5 + LEVEL / 2)) * se
    p = float(2 * stdtr(df, -abs(value / se)))
    return replace(found, se=se, df=df, low=value - half, high=value + half, p=p, flags=flags)
