"""What stated confidence would have earned under proper scoring rules.

`log_loss` is about the event "my answer is right"; log and quadratic score are about the whole distribution over the K
options, the confidence f (clipped to [.01, .99]) on the answer and (1 - f)/(K - 1) on each other option. All are means,
so they have the intervals of `cluster`. The Brier score is in `calibration`. Rows are those of `calibration.rows`.
Reference: Good 1952 (logarithmic); Brier 1950 and Selten 1998 (quadratic).
"""

import numpy as np
import pandas as pd

from studies.analysis import calibration, cluster
from studies.analysis.cluster import Array
from studies.analysis.estimate import Estimate, Population, undefined
from studies.analysis.vote import CLIP, OPTIONS

ROUNDING = 0.005  # half a percent


def log_loss(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Mean of -[y log f + (1 - y) log(1 - f)] in nats: 0 is perfect, log 2 is what saying 50 % always earns."""
    kept = calibration.rows(trials)
    f, y = np.clip(kept["confidence"].to_numpy(), *CLIP), kept["correct"].to_numpy()
    return _mean(kept, -(y * np.log(f) + (1 - y) * np.log(1 - f)), population)


def log_score(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Mean log probability of the right option, in nats: 0 is perfect, -log K is what knowing nothing earns."""
    kept = calibration.rows(trials)
    own, other = _distribution(kept)
    return _mean(kept, np.where(kept["correct"].to_numpy() == 1, np.log(own), np.log(other)), population)


def quadratic_score(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Mean of 2 p(right option) - Σ p²: 1 is perfect, 1/K is what knowing nothing earns, -1 is the worst."""
    kept = calibration.rows(trials)
    own, other = _distribution(kept)
    squares = own**2 + (_options(kept) - 1) * other**2
    return _mean(kept, 2 * np.where(kept["correct"].to_numpy() == 1, own, other) - squares, population)


def below_chance(trials: pd.DataFrame) -> int:
    """How many answers have a confidence below 1/K, what a blind choice earns; K is 4 where it is not recorded.

    Confidences are on scales of whole percents: 33 % among three options is not below.
    """
    kept = calibration.rows(trials)
    return int((kept["confidence"].to_numpy(np.float64) < 1 / _options(kept) - ROUNDING).sum())


def _distribution(kept: pd.DataFrame) -> tuple[Array, Array]:
    """Probability of the person's own option, and of each other one."""
    own = np.clip(kept["confidence"].to_numpy(np.float64), *CLIP)
    return own, (1 - own) / (_options(kept) - 1)


def _options(kept: pd.DataFrame) -> Array:
    return np.asarray(np.maximum(kept["option_count"].fillna(OPTIONS).to_numpy(np.float64), 2))


def _mean(kept: pd.DataFrame, values: Array, population: Population) -> Estimate:
    return cluster.mean(kept, values, population=population) if len(kept) else undefined(calibration.NOBODY)
