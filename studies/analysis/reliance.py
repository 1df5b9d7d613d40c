"""Do people take the model's advice when it is right, and refuse it when it is wrong?

Advice is what this participant's assistant argued for on this trial, else the answer of the model alone. Timed-out
trials are left out, first answers too; every figure is a mean over a stated subset, whose size is `n_trials`. Tables
need the columns of `derive.with_advice`.
Reference for RAIR and RSR: Schemmer, Kuehl, Benz, Bartos & Satzger 2023.
"""

from dataclasses import replace

import pandas as pd

from studies.analysis import cluster
from studies.analysis.estimate import Estimate, Population, undefined

NO_ADVICE = "no answered trials with advice of this kind"
NO_FIRST = "no trials with a first answer and advice of this kind"


def agreement(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """P(answer = advice). On unassisted trials the baseline: how often people agree with a model they did not see."""
    kept = _advised(trials)
    return _mean(kept, kept["agrees"], NO_ADVICE, population)


def agreement_when_wrong(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """P(answer = advice | advice wrong): over-reliance where no first answer was asked."""
    kept = _advised(trials, right=0)
    return _mean(kept, kept["agrees"], NO_ADVICE, population)


def disagreement_when_right(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """P(answer ≠ advice | advice right): under-reliance where no first answer was asked."""
    kept = _advised(trials, right=1)
    return _mean(kept, 1 - kept["agrees"], NO_ADVICE, population)


def accuracy_when_right(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Accuracy on trials whose advice is right."""
    kept = _advised(trials, right=1)
    return _mean(kept, kept["correct"], NO_ADVICE, population)


def accuracy_when_wrong(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Accuracy on trials whose advice is wrong."""
    kept = _advised(trials, right=0)
    return _mean(kept, kept["correct"], NO_ADVICE, population)


def rair(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Relative AI reliance: P(final right | first wrong, advice right). Under-reliance is 1 - RAIR."""
    kept = _after_first(trials, first=0, right=1)
    return _mean(kept, kept["correct"], NO_FIRST, population)


def rsr(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Relative self-reliance: P(final right | first right, advice wrong). Over-reliance is 1 - RSR."""
    kept = _after_first(trials, first=1, right=0)
    return _mean(kept, kept["correct"], NO_FIRST, population)


def under_reliance(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """1 - RAIR: P(final wrong | first wrong, advice right)."""
    return _rest(rair(trials, population=population))


def over_reliance(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """1 - RSR: P(final wrong | first right, advice wrong)."""
    return _rest(rsr(trials, population=population))


def switch(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """P(final = advice | first ≠ advice)."""
    kept = _after_first(trials)
    kept = kept.loc[kept["first_agrees"] == 0]
    return _mean(kept, kept["agrees"], NO_FIRST, population)


def change(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """P(final ≠ first)."""
    kept = _after_first(trials)
    return _mean(kept, kept["changed"], NO_FIRST, population)


def beneficial(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """P(first wrong, final right): the share of trials that advice mended."""
    kept = _after_first(trials)
    return _mean(kept, (1 - kept["initial_correct"]) * kept["correct"], NO_FIRST, population)


def harmful(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """P(first right, final wrong): the share of trials that advice spoilt."""
    kept = _after_first(trials)
    return _mean(kept, kept["initial_correct"] * (1 - kept["correct"]), NO_FIRST, population)


def deference(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """The accuracy these trials would have had if everyone had simply taken the model's own answer."""
    found = cluster.mean(trials, trials["model_correct"], population=population)
    return found if found.estimate is not None else undefined("no answers of the model alone", n_trials=len(trials))


def rows(trials: pd.DataFrame) -> pd.DataFrame:
    """The rows that reliance is about: answered, and with known advice."""
    keep = (trials["timed_out"].to_numpy() != 1) & trials["agrees"].notna().to_numpy()
    return trials if keep.all() else trials.loc[keep]


def _advised(trials: pd.DataFrame, *, right: int | None = None) -> pd.DataFrame:
    """Those rows, and of them the ones whose advice is right or wrong if asked."""
    kept = rows(trials)
    return kept if right is None else kept.loc[kept["advice_correct"] == right]


def _after_first(trials: pd.DataFrame, *, first: int | None = None, right: int | None = None) -> pd.DataFrame:
    """Advised trials with a first answer, which was right or wrong if asked."""
    kept = _advised(trials, right=right)
    keep = kept["changed"].notna() & kept["initial_correct"].notna()
    return kept.loc[keep if first is None else keep & (kept["initial_correct"] == first)]


def _mean(rows: pd.DataFrame, values: pd.Series, absent: str, population: Population) -> Estimate:
    """Share of `rows` on which something holds."""
    return cluster.mean(rows, values, population=population) if len(rows) else undefined(absent)


def _rest(share: Estimate) -> Estimate:
    """1 minus a share, its interval turned round."""
    low, high = (None if end is None else 1 - end for end in (share.high, share.low))
    return replace(share, estimate=None if share.estimate is None else 1 - share.estimate, low=low, high=high)
