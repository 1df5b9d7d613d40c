"""How far advice moves people: the weight of advice on their confidence in the advised option.

p is the probability that a person gives the advised option, their confidence where it is their own answer, else
(1 - confidence)/(K - 1); i before the advice, f after it, m the model's own. Weight of advice:

    WOA = (p_f - p_i)/(p_m - p_i)      0: not moved, 1: moved all the way, below 0: away from it

It exists where the advice is the answer of the model alone, whose probability is known, all three confidences are
there, and |p_m - p_i| >= .05: below that the ratio is noise. Reference: Yaniv 2004; Harvey & Fischer 1997.
"""

import numpy as np
import pandas as pd

from studies.analysis import calibration, cluster
from studies.analysis.estimate import Estimate, Population, undefined

OPTIONS = 4  # where no option_count is recorded
SMALLEST = 0.05
NO_WEIGHT = "no trials with a first answer, confidence before and after, and the model's own confidence in its advice"
NO_MEDIAN_INTERVAL = "no interval: neither jackknife nor clustered variance holds for a median"


def weights(trials: pd.DataFrame) -> pd.Series:
    """WOA of each completed trial (see `derive.with_advice`); NaN where it does not exist."""
    options = trials["option_count"].fillna(OPTIONS).clip(lower=2)

    def on_advice(answer: str, confidence: str) -> pd.Series:
        own = trials[answer] == trials["advice"]
        given = trials[confidence].where((trials[answer] != "") & (trials["advice"] != ""))
        return given.where(own, (1 - given) / (options - 1))

    before, after = on_advice("initial_answer", "initial_confidence"), on_advice("answer", "confidence")
    of_model = trials["model_confidence"].where(trials["advice"] == trials["model_answer"])
    room = of_model - before
    # Rounded, so that a difference of .05 does not hang on float noise.
    is_enough = room.abs().round(9) >= SMALLEST
    return ((after - before) / room.where(is_enough)).where(trials["timed_out"] != 1).astype("float64")


def median(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Median weight of advice; n_trials are the trials that have one."""
    kept = trials.loc[trials["woa"].notna()] if "woa" in trials else trials.iloc[:0]
    if kept.empty:
        return undefined(NO_WEIGHT)
    return calibration.point(kept, float(kept["woa"].median()), method="median", reason=NO_MEDIAN_INTERVAL)


def mean_clipped(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Mean weight of advice, each clipped to [0, 1]."""
    kept = trials.loc[trials["woa"].notna()] if "woa" in trials else trials.iloc[:0]
    if kept.empty:
        return undefined(NO_WEIGHT)
    return cluster.mean(kept, np.clip(kept["woa"].to_numpy(), 0, 1), population=population)
