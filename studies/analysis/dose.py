"""How much was used: seconds, messages and context resets per trial. Descriptive; hard questions take longer."""

import pandas as pd

from studies.analysis import cluster
from studies.analysis.estimate import Estimate, Population, undefined


def seconds(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Mean seconds from opening a trial to its submission or end."""
    return _mean(trials, "seconds", population)


def messages(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Mean number of messages that the person sent in a trial."""
    return _mean(trials, "n_messages", population)


def resets(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Mean number of context resets in a trial."""
    return _mean(trials, "n_resets", population)


def _mean(trials: pd.DataFrame, column: str, population: Population) -> Estimate:
    found = cluster.mean(trials, trials[column], population=population)
    return found if found.estimate is not None else undefined(f"no {column} are recorded", n_trials=len(trials))
