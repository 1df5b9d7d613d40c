"""Do two protocols give the same answers? Over the questions that both were asked once and answered.

Intervals are over questions (passages): an influence for each question, summed as in `cluster`.
"""

import numpy as np
import pandas as pd

from studies.analysis import cluster
from studies.analysis.cluster import Codes
from studies.analysis.estimate import Estimate, Population, undefined

SAMPLED = "a protocol has several samples of a question: compare what is combined from them"
NOTHING_SHARED = "no question was answered by both"


def same(one: pd.DataFrame, other: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Share of questions with the same answer."""
    found = _pairs(one, other)
    if isinstance(found, str):
        return undefined(found)
    rows, a, b = found
    return cluster.mean(rows, (a == b).astype(np.float64), population=population)


def kappa(one: pd.DataFrame, other: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Cohen's kappa: (o - e)/(1 - e), o the share of same answers, e what the two distributions give by chance.

    Each question's influence is the derivative of kappa by its weight: the delta method, as in Fleiss, Cohen & Everitt
    1969, but with question-side clusters. Undefined where both always give one and the same option (e = 1).
    """
    found = _pairs(one, other)
    if isinstance(found, str):
        return undefined(found)
    rows, a, b = found
    n, options = len(a), int(max(a.max(), b.max())) + 1
    share_a, share_b = (np.bincount(codes, minlength=options) / n for codes in (a, b))
    observed, expected = float((a == b).mean()), float(share_a @ share_b)
    if expected > 1 - cluster.ZERO:
        return undefined("both protocols always give one and the same option", n_trials=n)
    change_of_expected = share_b[a] + share_a[b] - 2 * expected
    change = ((a == b) - observed) / (1 - expected)
    change = change - (1 - observed) / (1 - expected) ** 2 * change_of_expected
    value = (observed - expected) / (1 - expected)
    sides = cluster.sides_of([rows])
    return cluster.infer(value, change / n, sides, k=1, population=population, is_tested=False)


def _pairs(one: pd.DataFrame, other: pd.DataFrame) -> tuple[pd.DataFrame, Codes, Codes] | str:
    """The questions of both, with the two answers; a reason in words where there are none."""
    if one["question_code"].duplicated().any() or other["question_code"].duplicated().any():
        return SAMPLED
    left = one.loc[one["answer_code"].notna()]
    right = other.loc[other["answer_code"].notna()]
    _, places, matching = np.intersect1d(left["question_code"], right["question_code"], return_indices=True)
    if not len(places):
        return NOTHING_SHARED
    rows = left.iloc[places]
    codes = (rows["answer_code"], right["answer_code"].iloc[matching])
    first, second = (each.to_numpy().astype(np.int64) for each in codes)
    return rows, first, second
