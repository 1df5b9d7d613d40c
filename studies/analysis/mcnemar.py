"""McNemar's test of people against the model alone, on pairs of right and wrong; one pair per independent unit only.

b counts pairs in which the first (crowd or person) is right and the second (model) wrong, c the reverse; given b + c, b
is binomial with one half under no difference. exact = min(1, 2 P(X ≤ min(b, c))); mid-p = exact - P(X = min(b, c)), and
1 - P(X = b)/2 if b = c, and 1 if both are 0 (Fagerland, Lydersen & Laake 2013, who recommend mid-p). The estimate is
(b - c)/n, the difference of shares right. Pairs with a share in place of right or wrong (a tied vote, a model that was
sampled) are dropped. All people's pairs together are not independent: beside that p stands Durkalski's chi².
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import bdtr, chdtrc

from studies.analysis import cluster
from studies.analysis.estimate import Estimate, Population, undefined
from studies.analysis.persons import Case
from studies.analysis.schema import HUMAN_MODEL, MODEL
from studies.analysis.slices import Slice
from studies.analysis.vote import NO_VOTES, Polls

NO_INTERVAL = "the test has no interval; that of the difference is with the contrasts"
NO_MODEL = "no answers of the model alone on these questions"
NO_PAIRS = "no pair of right or wrong answers"
Outcomes = npt.NDArray[np.float64]


def exact_p(b: int, c: int) -> float:
    """Two-sided exact conditional p. Example: exact_p(1, 7) is .0703."""
    return min(1.0, 2 * float(bdtr(min(b, c), b + c, 0.5)))


def mid_p(b: int, c: int) -> float:
    """Two-sided mid-p. Example: mid_p(1, 7) is .0391."""
    n, fewer = b + c, min(b, c)
    if not n:
        return 1.0
    at = float(bdtr(fewer, n, 0.5)) - (float(bdtr(fewer - 1, n, 0.5)) if fewer else 0.0)
    return 1 - at / 2 if b == c else exact_p(b, c) - at


def durkalski(b: npt.ArrayLike, c: npt.ArrayLike, n: npt.ArrayLike) -> tuple[float, float] | None:
    """chi² = (Σ d_k/n_k)² / Σ (d_k/n_k)², d = b - c, over clusters k of n_k pairs, and its p with 1 degree of freedom.

    None where b = c in every cluster. With one pair in each cluster it is McNemar's chi² without correction.
    Reference: Durkalski, Palesch, Lipsitz & Rust 2003.
    """
    share = (np.asarray(b, dtype=np.float64) - np.asarray(c, dtype=np.float64)) / np.asarray(n, dtype=np.float64)
    if not share.any():
        return None
    statistic = float(share.sum() ** 2 / np.square(share).sum())
    return statistic, float(chdtrc(1, statistic))


def crowd_exact(
    trials: pd.DataFrame, model_correct: pd.Series, *, population: Population = "random", polls: Polls | None = None
) -> Estimate:
    """The majority vote of a condition against the model, a pair per question; exact p."""
    return _crowd(polls or Polls(trials), model_correct, is_mid=False)


def crowd_mid_p(
    trials: pd.DataFrame, model_correct: pd.Series, *, population: Population = "random", polls: Polls | None = None
) -> Estimate:
    """The majority vote of a condition against the model, a pair per question; mid-p."""
    return _crowd(polls or Polls(trials), model_correct, is_mid=True)


def people_mid_p(trials: pd.DataFrame, model_correct: pd.Series, *, population: Population = "random") -> Estimate:
    """One person against the model, a pair per question; mid-p.

    Of several people together the pairs are pooled, and the flag `ignores_clustering` says so.
    """
    pairs = _pairs(trials["correct"].to_numpy(np.float64), model_correct.to_numpy(np.float64))
    found = _tested(*pairs, is_mid=True)
    if found.estimate is None:
        return found
    people = int(np.unique(cluster.codes_of(trials, "participant")).size)
    return replace(found, P=people, flags=("ignores_clustering",) if people > 1 else ())


def by_person(part: Slice, people: int) -> Iterator[Case]:
    """`people_mid_p` of each of `people` persons with the model, against the model's primary protocol."""
    trials = part.people.get((HUMAN_MODEL, ""), part.trials.iloc[:0])
    right, model = (trials[name].to_numpy(np.float64) for name in ("correct", "model_correct"))
    kept = _is_pair(right, model)
    person, gain = trials["participant_code"].to_numpy()[kept], (right - model)[kept]
    counts = (np.bincount(person[rows], minlength=people) for rows in (gain > 0, gain < 0, gain > -2))
    for who, (b, c, n) in enumerate(zip(*(each.tolist() for each in counts), strict=True)):
        found = _tested(b, c, n, is_mid=True)
        yield who, HUMAN_MODEL, MODEL, replace(found, P=1) if n else found


def people_durkalski(trials: pd.DataFrame, model_correct: pd.Series, *, population: Population = "random") -> Estimate:
    """Everybody's pairs against the model, clustered by person: p of Durkalski's chi²; the estimate is mean(d_k/n_k).

    Knows one clustering only: that people answer the same questions is ignored. Undefined below 2 people.
    """
    right, model = trials["correct"].to_numpy(np.float64), model_correct.to_numpy(np.float64)
    kept = _is_pair(right, model)
    if not kept.any():
        return undefined(NO_MODEL if model_correct.isna().all() else NO_PAIRS, n_trials=len(trials))
    person = np.unique(cluster.codes_of(trials, "participant")[kept], return_inverse=True)[1]
    gain, n = np.bincount(person, weights=(right - model)[kept]), np.bincount(person)
    if len(n) < 2:
        return undefined("fewer than 2 participants", n_trials=int(kept.sum()))
    found = Estimate(estimate=float((gain / n).mean()), n_trials=int(kept.sum()), P=len(n), flags=("one_way",))
    tested = durkalski(gain, np.zeros_like(gain), n)
    if tested is None:
        return replace(found, flags=("degenerate", "one_way"), reason="nobody differs from the model: no test")
    return replace(found, p=tested[1], method=f"Durkalski, chi² = {tested[0]:.4f}, 1 df", reason=NO_INTERVAL)


def _crowd(polls: Polls, model_correct: pd.Series, *, is_mid: bool) -> Estimate:
    trials = polls.trials
    if not polls.can_vote:
        return undefined(NO_VOTES, n_trials=len(trials))
    # A majority is held on every question, in the order of its code.
    held = polls.of("majority")
    first = np.unique(cluster.codes_of(trials, "question"), return_index=True)[1]
    pairs = _pairs(held["credit"].to_numpy(np.float64), model_correct.to_numpy(np.float64)[first])
    found = _tested(*pairs, is_mid=is_mid)
    if found.estimate is None:
        return found
    clusters = int(held["item"].nunique())
    return replace(found, Q=clusters, flags=("passages_as_independent",) if clusters < len(held) else ())


def _is_pair(first: Outcomes, second: Outcomes) -> npt.NDArray[np.bool_]:
    """Both are plainly right or wrong."""
    return np.isin(first, (0.0, 1.0)) & np.isin(second, (0.0, 1.0))


def _pairs(first: Outcomes, second: Outcomes) -> tuple[int, int, int]:
    """b, c and the number of pairs."""
    kept = _is_pair(first, second)
    gain = (first - second)[kept]
    return int((gain > 0).sum()), int((gain < 0).sum()), int(kept.sum())


def _tested(b: int, c: int, n: int, *, is_mid: bool) -> Estimate:
    if not n:
        return undefined(NO_PAIRS)
    name, p = ("mid-p", mid_p(b, c)) if is_mid else ("exact", exact_p(b, c))
    return Estimate(
        estimate=(b - c) / n, p=p, method=f"McNemar {name}, b = {b}, c = {c}", n_trials=n, reason=NO_INTERVAL
    )  # fmt: skip
