"""Are people more often right on the trials on which they took longer, or wrote more? NOT causal: hard questions take
longer, and people who are lost write more.

x and correct are centred within participant × condition, so that neither fast people nor a slow condition make the
slope; then a linear probability model, slope = Σ x·correct / Σ x², with the two-way variance of `cluster` from the
influences x·(correct - slope·x)/Σ x². Trials that timed out are left out. Reference: within estimator of panel data.
"""

import numpy as np
import pandas as pd

from studies.analysis import cluster
from studies.analysis.cluster import Array
from studies.analysis.estimate import Estimate, Population, undefined

FLAT = "nobody's trials of a condition differ in it"


def on_seconds(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Change in the share right per doubling of the seconds taken; trials of 0 seconds do not count."""
    kept = trials.loc[(trials["timed_out"] != 1) & (trials["seconds"] > 0)]
    if kept.empty:
        return undefined("no seconds are recorded", n_trials=len(trials))
    return _slope(kept, np.log2(kept["seconds"].to_numpy(np.float64)), population)


def on_messages(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Change in the share right per message of the person."""
    kept = trials.loc[(trials["timed_out"] != 1) & trials["n_messages"].notna()]
    if kept.empty:
        return undefined("no messages are recorded", n_trials=len(trials))
    return _slope(kept, kept["n_messages"].to_numpy(np.float64), population)


def _slope(kept: pd.DataFrame, amount: Array, population: Population) -> Estimate:
    who = cluster.codes_of(kept, "participant")
    x, y = (_centred(each, who) for each in (amount, kept["correct"].to_numpy(np.float64)))
    total = float((x**2).sum())
    if total < cluster.ZERO:
        return undefined(FLAT, n_trials=len(kept))
    slope = float((x * y).sum() / total)
    psi = x * (y - slope * x) / total
    return cluster.infer(slope, psi, cluster.sides_of([kept]), k=1, population=population, is_tested=True)


def _centred(values: Array, who: cluster.Codes) -> Array:
    return np.asarray(values - (np.bincount(who, weights=values) / np.maximum(np.bincount(who), 1))[who])
