"""One temperature for a model's letter probabilities, fitted on other questions than those it is applied to.

p' = p^(1/T), normalised: T above 1 makes a model less sure, T below 1 surer, and its answers stay what they are. T has
the largest likelihood of the right options (Guo, Pleiss, Sun & Weinberger 2017). Held out: question-side clusters (a
passage's questions together) are dealt to five folds by a seeded shuffle, and a fold's T is fitted on the other four.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import logsumexp

from studies.analysis.cluster import Array, Codes

FOLDS = 5
SEED = 0
FEWEST_CLUSTERS = 2 * FOLDS
LEAST, MOST = 0.05, 20.0


@dataclass(frozen=True)
class Tempered:
    """For each row the temperature of its fold, the tempered probabilities (n × options), and whether T is a bound."""

    temperature: Array
    probabilities: Array
    is_at_bound: npt.NDArray[np.bool_]


def fit(log_probabilities: Array, gold: Codes, weights: Array) -> float:
    """The T, from 0.05 to 20, at which the right options (`gold`, a column number each row) are likeliest.

    log_probabilities: n × options, finite. The likelihood is concave in 1/T, so its slope has one zero; where that lies
    beyond a bound (a model that is always right, or knows nothing), the bound.
    """
    own = log_probabilities[np.arange(len(gold)), gold]

    def slope(inverse: float) -> float:
        expected = (softmax(inverse * log_probabilities) * log_probabilities).sum(axis=1)
        return float(weights @ (own - expected))

    least, most = 1 / MOST, 1 / LEAST
    if slope(least) <= 0:
        return MOST
    if slope(most) >= 0:
        return LEAST
    return 1 / float(brentq(slope, least, most, xtol=1e-10))


def held_out(probabilities: Array, gold: Codes, clusters: Codes, weights: Array) -> Tempered | str:
    """Temper every row by the T of the folds that it is not in; the reason in words where that cannot be done.

    probabilities: n × options, rows sum to 1. Frequencies of samples have zeros, which no temperature changes.
    """
    names = np.unique(clusters)
    if len(names) < FEWEST_CLUSTERS:
        return f"fewer than {FEWEST_CLUSTERS} question-side clusters: none can be held out"
    if (probabilities <= 0).any():
        return "an option has probability 0, which no temperature changes"
    fold_of = np.random.default_rng(SEED).permutation(len(names)) % FOLDS
    folds = fold_of[np.searchsorted(names, clusters)]
    logs = np.log(probabilities)
    found = np.empty(len(logs))
    for fold in range(FOLDS):
        is_out = folds == fold
        found[is_out] = fit(logs[~is_out], gold[~is_out], weights[~is_out])
    return Tempered(found, softmax(logs / found[:, None]), (found == LEAST) | (found == MOST))


def softmax(logs: Array) -> Array:
    """exp(logs), each row normalised."""
    return np.asarray(np.exp(logs - logsumexp(logs, axis=1, keepdims=True)))
