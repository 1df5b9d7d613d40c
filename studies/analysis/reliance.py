"""Do people take the model's advice when it is right, and refuse it when it is wrong?

Advice is what this participant's assistant argued for on this trial, else the answer of the model alone. Timed-out
trials are left out, first answers too; every figure is a mean over a stated subset, whose size is `n_trials`. Tables
need the columns of `derive.with_advice`.
Reference for RAIR and RSR: Schemmer, Kuehl, Benz, Bartos & Satzger 2023.
"""

import pandas as pd

from studies.analysis import cluster
from studies.analysis.estimate import Estimate, Population, undefined

NO_ADVICE = "no answered trials with advice of this kind"
NO_FIRST = "no trials with a first answer and advice of this kind"


def agreement(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """P(answer = advice). On unassisted trials the baseline: how often people agree with a model they did not see."""
    rows = _advised(trials)
    return _mean(rows, rows["agrees"], NO_ADVICE, population)


def agreement_when_wrong(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """P(answer = advice | advice wrong): over-reliance where no first answer was asked."""
    rows = _advised(trials, right=0)
    return _mean(rows, rows["agrees"], NO_ADVICE, population)


def disagreement_when_right(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """P(answer ≠ advice | advice right): under-reliance where no first answer was asked."""
    rows = _advised(trials, right=1)
    return _mean(rows, 1 - rows["agrees"], NO_ADVICE, population)


def accuracy_when_right(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Accuracy on trials whose advice is right."""
    rows = _advised(trials, right=1)
    return _mean(rows, rows["correct"], NO_ADVICE, population)


def accuracy_when_wrong(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Accuracy on trials whose advice is wrong."""
    rows = _advised(trials, right=0)
    return _mean(rows, rows["correct"], NO_ADVICE, population)


def rair(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Relative AI reliance: P(final right | first wrong, advice right). Under-reliance is 1 - RAIR."""
    rows = _after_first(trials, first=0, right=1)
    return _mean(rows, rows["correct"], NO_FIRST, population)


def rsr(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Relative self-reliance: P(final right | first right, advice wrong). Over-reliance is 1 - RSR."""
    rows = _after_first(trials, first=1, right=0)
    return _mean(rows, rows["correct"], NO_FIRST, population)


def switch(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """P(final = advice | first ≠ advice)."""
    rows = _after_first(trials)
    rows = rows.loc[rows["first_agrees"] == 0]
    return _mean(rows, rows["agrees"], NO_FIRST, population)


def change(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """P(final ≠ first)."""
    rows = _after_first(trials)
    return _mean(rows, rows["changed"], NO_FIRST, population)


def beneficial(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """P(first wrong, final right): the share of trials that advice mended."""
    rows = _after_first(trials)
    return _mean(rows, (1 - rows["initial_correct"]) * rows["correct"], NO_FIRST, population)


def harmful(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """P(first right, final wrong): the share of trials that advice spoilt."""
    rows = _after_first(trials)
    return _mean(rows, rows["initial_correct"] * (1 - rows["correct"]), NO_FIRST, population)


def deference(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """The accuracy these trials would have had if everyone had simply taken the model's own answer."""
    found = cluster.mean(trials, trials["model_correct"], population=population)
    return found if found.estimate is not None else undefined("no answers of the model alone", n_trials=len(trials))


def _advised(trials: pd.DataFrame, *, right: int | None = None) -> pd.DataFrame:
    """Answered trials whose advice is known, and right or wrong if asked."""
    keep = (trials["timed_out"] != 1) & trials["agrees"].notna()
    return trials.loc[keep if right is None else keep & (trials["advice_correct"] == right)]


def _after_first(trials: pd.DataFrame, *, first: int | None = None, right: int | None = None) -> pd.DataFrame:
    """Advised trials with a first answer, which was right or wrong if asked."""
    rows = _advised(trials, right=right)
    keep = rows["changed"].notna() & rows["initial_correct"].notna()
    return rows.loc[keep if first is None else keep & (rows["initial_correct"] == first)]


def _mean(rows: pd.DataFrame, values: pd.Series, absent: str, population: Population) -> Estimate:
    """Share of `rows` on which something holds."""
    return cluster.mean(rows, values, population=population) if len(rows) else undefined(absent)
