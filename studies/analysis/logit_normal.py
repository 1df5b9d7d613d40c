"""Shares right of people and questions that vary: the logistic function averaged over normal differences.

Integrals by Gauss-Hermite quadrature with 61 nodes; their inverses by bisection (Brent).
"""

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(61)
WEIGHTS = WEIGHTS / WEIGHTS.sum()
REACH = 30.0  # logits: beyond them every share is 0 or 1


def share(logit: float, sd: float) -> float:
    """Mean of the logistic function of a normal variable. Example: share(0, 1) is 0.5."""
    return float(WEIGHTS @ expit(logit + sd * NODES))


def both(logits: tuple[float, float], variances: tuple[float, float], covariance: float) -> float:
    """P(two answers are right) where their logits are normal with these variances and this covariance."""
    first = np.sqrt(variances[0]) * NODES
    slope = covariance / variances[0] if variances[0] > 0 else 0.0
    rest = np.sqrt(max(0.0, variances[1] - slope * covariance))
    other = expit(logits[1] + slope * first[:, None] + rest * NODES[None, :]) @ WEIGHTS
    return float(WEIGHTS @ (expit(logits[0] + first) * other))


def logit_of(accuracy: float, sd: float) -> float:
    """The logit at which the share is `accuracy`. Raises ValueError outside 0 to 1, both excluded."""
    if not 0 < accuracy < 1:
        raise ValueError(f"a share of {accuracy:g} has no logit; it must lie between 0 and 1")
    return float(brentq(lambda logit: share(logit, sd) - accuracy, -REACH, REACH))
