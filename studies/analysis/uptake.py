"""Whoever may use the assistant need not: how many did not, and what it does to those who do.

`diff.hm_minus_human` is an intention-to-treat effect, of having the assistant at hand. If it acts only through use
(exposure: at least one message), and nobody alone has it, the effect on those who use it when they can (compliers) is

    CACE = [mean correct (human+model) - mean correct (human)] / share of human+model trials with a message

Its interval is Anderson & Rubin's: every β for which correct - β·used does not differ between the conditions, by the t
test of `cluster` at .05. It holds however few use the assistant, and is unbounded when too few do: then there is none.
Timeouts count as wrong. Reference: Imbens & Angrist 1994; Anderson & Rubin 1949.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from studies.analysis import cluster
from studies.analysis.cluster import LEVEL, Array, Variance
from studies.analysis.estimate import Estimate, Population, undefined

METHOD = "Anderson-Rubin interval; p of the intention-to-treat contrast; {}"
UNRECORDED = "no messages are recorded"
UNUSED = "nobody used the assistant"
UNBOUNDED = "unbounded: so few trials use the assistant that no finite effect of use can be excluded"


def non_use(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Share of assisted trials without a single message."""
    kept = trials.loc[trials["n_messages"].notna()]
    if kept.empty:
        return undefined(UNRECORDED, n_trials=len(trials))
    return cluster.mean(kept, (kept["n_messages"] == 0).astype(float), population=population)


def complier_effect(treated: pd.DataFrame, baseline: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """The effect of use on those who use the assistant when they may. se stays empty: the interval is no ± t·se."""
    kept = treated.loc[treated["n_messages"].notna()]
    if kept.empty:
        return undefined(UNRECORDED, n_trials=len(treated) + len(baseline))
    used = np.asarray(kept["n_messages"] > 0, dtype=np.float64)
    if not used.any():
        return undefined(UNUSED, n_trials=len(kept) + len(baseline))
    whole = cluster.difference(kept, baseline, population=population)
    if whole.estimate is None:
        return whole
    share = float(used.mean())
    found = replace(whole, estimate=whole.estimate / share, se=None, low=None, high=None)
    if whole.df is None:
        return found
    found = replace(found, method=METHOD.format(whole.method))
    sides = cluster.random_sides(cluster.sides_of([kept, baseline]), population)
    psi_correct = _influences(kept["correct"].to_numpy(np.float64), baseline["correct"].to_numpy(np.float64))
    psi_used = _influences(used, np.zeros(len(baseline)))
    ends = _anderson_rubin(whole.estimate, share, psi_correct, psi_used, sides, float(whole.df))
    return replace(found, reason=UNBOUNDED) if ends is None else replace(found, low=ends[0], high=ends[1])


def _influences(one: Array, zero: Array) -> Array:
    return np.asarray(np.concatenate([(one - one.mean()) / len(one), -(zero - zero.mean()) / len(zero)]))


def _anderson_rubin(
    effect: float, share: float, psi_correct: Array, psi_used: Array, sides: cluster.Sides, df: float
) -> tuple[float, float] | None:
    """Ends of {β: (effect - β share)² <= t² max V(β)}; None when it is unbounded.

    Each of the three variances is a quadratic in β, so the set is a union of three quadratic sets, each around CACE.
    """
    squared = float(stdtrit(df, 0.5 + LEVEL / 2)) ** 2
    plain, mixed, other = (
        _three(cluster.variance(psi, sides, k=2)) for psi in (psi_correct, psi_correct + psi_used, psi_used)
    )
    ends: list[float] = []
    for v_correct, v_sum, v_used in zip(plain, mixed, other, strict=True):
        covariance = (v_sum - v_correct - v_used) / 2
        a = share**2 - squared * v_used
        b = -2 * (effect * share - squared * covariance)
        c = effect**2 - squared * v_correct
        discriminant = b**2 - 4 * a * c
        if a <= 0:
            return None
        if discriminant >= 0:
            ends += [(-b + sign * float(np.sqrt(discriminant))) / (2 * a) for sign in (-1, 1)]
    return min(ends), max(ends)


def _three(found: Variance) -> list[float]:
    return [each for each in (found.participant, found.question, found.two_way) if each is not None]
