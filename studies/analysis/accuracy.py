"""How often answers are right: one condition at a time, with the interval that people and questions deserve.

Each function answers one question about a table of trials (or of the model's answers) and returns one Estimate.
`trials` needs `correct` (0 or 1, a share for a sampled model) and who answered what: `participant` (absent for the
model alone) and `question` or `item_group`. Unanswered trials are rows with `correct` 0; whoever calls decides whether
they are in the table. Unless a function says otherwise, interval and standard error are those of `cluster`.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from studies.analysis import cluster, proportion
from studies.analysis.estimate import Estimate, Population, undefined

IID = "{}, iid: ignores clustering"


def micro(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Share of trials that are right: the mean of `correct`, every trial weighing the same.

    Example: three right answers in four trials give 0.75.
    """
    return cluster.mean(trials, trials["correct"], population=population)


def question_weighted(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Unweighted mean over questions of the share that is right: questions asked more often do not weigh more."""
    return _mean_of_groups(trials, "question", population)


def participant_weighted(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Unweighted mean over participants of the share that is right: the paper's mean individual accuracy."""
    return _mean_of_groups(trials, "participant", population)


def macro_subject(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Unweighted mean over subjects of the share that is right. Undefined when no question has a subject.

    Trials without a subject do not count.
    """
    has_subject = trials["subject_code"] >= 0 if "subject_code" in trials else trials["subject"] != ""
    return _mean_of_groups(trials.loc[has_subject], "subject", population, absent="no question has a subject")


def wilson(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Share that is right with the Wilson interval (Wilson 1927): descriptive, as if trials were independent."""
    return _binomial(trials, proportion.wilson, "Wilson")


def clopper_pearson(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Share that is right with the exact interval (Clopper & Pearson 1934): descriptive; the fall-back at 0 and 1."""
    return _binomial(trials, proportion.clopper_pearson, "Clopper-Pearson")


def agresti_coull(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Share that is right with the interval of Agresti & Coull 1998, cut at 0 and 1: descriptive."""
    return _binomial(trials, proportion.agresti_coull, "Agresti-Coull")


def jeffreys(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Share that is right with the interval of Jeffreys' prior (Brown, Cai & DasGupta 2001): descriptive."""
    return _binomial(trials, proportion.jeffreys, "Jeffreys")


def timeout_rate(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Share of trials that ended without an answer. A difference between conditions biases figures without timeouts."""
    return cluster.mean(trials, trials["timed_out"], population=population)


def second_minus_first_half(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Accuracy in the second half of each person's trials of this condition minus the first half: does practice help?

    Halves are by `position` within participant; with an odd number the middle trial belongs to neither. Undefined
    without positions. Reference: Bowman et al. 2022 report a gain of .7 points.
    """
    placed = trials.loc[trials["position"].notna()]
    if placed.empty:
        return undefined("no positions are recorded", n_trials=len(trials))
    who = cluster.codes_of(placed, "participant")
    place = placed["position"].to_numpy().astype(np.int64)
    # One number for person, place and row: sorting it is several times as fast as np.lexsort.
    order = np.argsort((who * (place.max() + 1) + place) * len(who) + np.arange(len(who)))
    n = np.bincount(who)
    rank, size = np.empty(len(who), dtype=np.int64), n[who]
    rank[order] = np.arange(len(who)) - (np.cumsum(n) - n)[who[order]] + 1
    return cluster.difference(placed.loc[rank > size - size // 2], placed.loc[rank <= size // 2], population=population)


def _mean_of_groups(
    trials: pd.DataFrame, column: str, population: Population, *, absent: str = "no trials"
) -> Estimate:
    """Mean of group means, as a weighted mean with weights 1/n of the row's group."""
    if trials.empty:
        return undefined(absent)
    own = trials["weight"].to_numpy() if "weight" in trials else np.ones(len(trials))
    codes = cluster.codes_of(trials, column)
    total = np.bincount(codes, weights=own)
    return cluster.mean(trials, trials["correct"], weights=own / total[codes], population=population)


def _binomial(trials: pd.DataFrame, interval: Callable[[float, float], proportion.Ends], name: str) -> Estimate:
    if trials.empty:
        return undefined("no trials")
    weights = trials["weight"].to_numpy() if "weight" in trials else np.ones(len(trials))
    right, n = float((weights * trials["correct"].to_numpy()).sum()), float(weights.sum())
    low, high = interval(right, n)
    return Estimate(estimate=right / n, low=low, high=high, method=IID.format(name), n_trials=len(trials))
