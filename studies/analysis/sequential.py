"""How far a result must be from 0 at each look, so that looking several times does not raise the error rate.

Lan & DeMets 1983 alpha spending with the O'Brien-Fleming-type function, alpha/2 in each tail (a = alpha/2):

    f(t) = 2 - 2 Phi(z_{a/2} / sqrt t)        information fraction t = I / I_max, at most 1; information I = 1/SE^2

The boundaries b_1, b_2, … solve, with |Z_j| < b_j at all looks before, P(Z_k >= b_k) = f(t_k) - f(t_{k-1}); the joint
density of the Z (a Brownian motion looked at) is integrated from look to look (Armitage, McPherson & Rowe 1969). The
last look spends what is left. With looks at thirds and alpha .05: 3.710, 2.511, 1.993.

Z is the normal quantile of the t test's p, so that a look with few people gets its own t distribution; that the looks
move like a Brownian motion is approximate there.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import inf

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from studies.analysis.estimate import Estimate

Array = npt.NDArray[np.float64]

NODES, WEIGHTS = np.polynomial.legendre.leggauss(400)
WIDEST = 12.0  # P(Z > 12) is 0 for every purpose: such a boundary is never reached
SAME = 1e-9  # information that did not grow


def spent(fraction: float, *, alpha: float = 0.05) -> float:
    """Share of alpha, both tails together, that is spent at an information fraction. All of it from 1 on."""
    if fraction <= 0:
        return 0.0
    tail = alpha / 2
    return float(2 * (2 - 2 * ndtr(ndtri(1 - tail / 2) / np.sqrt(min(1.0, fraction)))))


def boundaries(fractions: Sequence[float], *, alpha: float = 0.05, is_last: bool = True) -> list[float]:
    """b for each look: reject where |Z| >= b. `is_last`: the last of them is the last look, and spends what is left.

    fractions: information fractions in order, above 0; above 1 they count as 1. A look without new information, and one
    after all is spent, has an infinite boundary. Raises ValueError where they fall.
    """
    times = [min(1.0, fraction) for fraction in fractions]
    if any(time <= 0 for time in times) or any(later < earlier - SAME for earlier, later in pairwise(times)):
        raise ValueError(f"information fractions {list(fractions)}: use numbers above 0 that do not fall")
    found: list[float] = []
    path = _Path()
    used = 0.0
    for number, time in enumerate(times, start=1):
        until = alpha if is_last and number == len(times) else spent(time, alpha=alpha)
        increment = max(0.0, until - used) / 2
        bound = path.bound(time, increment)
        found.append(bound)
        if bound < inf:
            used = until
        path.go(time, bound)
    return found


def z_of(found: Estimate) -> float | None:
    """The normal quantile of a two-sided p, with the estimate's sign; None without a test."""
    if found.estimate is None or found.p is None:
        return None
    return float(np.sign(found.estimate) * -ndtri(max(found.p, 1e-300) / 2))


def information(found: Estimate) -> float | None:
    """1/SE²; None without a standard error."""
    return None if not found.se else 1 / found.se**2


class _Path:
    """The density of B(t) = Z sqrt t where no boundary was crossed, on nodes between the last boundaries."""

    def __init__(self) -> None:
        self.time = 0.0
        self.at: Array = np.zeros(1)
        self.mass: Array = np.ones(1)

    def bound(self, time: float, increment: float) -> float:
        """b with P(Z >= b, nothing crossed before) = increment."""
        step = time - self.time
        if increment <= 0 or step <= SAME:
            return inf

        def above(bound: float) -> float:
            return float(self.mass @ ndtr((self.at - bound * np.sqrt(time)) / np.sqrt(step))) - increment

        if above(WIDEST) >= 0 or above(0.0) <= 0:
            return inf if above(WIDEST) >= 0 else 0.0
        return float(brentq(above, 0.0, WIDEST, xtol=1e-10))

    def go(self, time: float, bound: float) -> None:
        """Move on to `time`, keeping what stayed within the boundary."""
        step = time - self.time
        if step <= SAME:
            return
        reach = min(bound, WIDEST) * np.sqrt(time)
        at = reach * NODES
        steps = (at[:, None] - self.at[None, :]) / np.sqrt(step)
        density = (np.exp(-np.square(steps) / 2) @ self.mass) / np.sqrt(2 * np.pi * step)
        self.at, self.mass, self.time = at, reach * WEIGHTS * density, time
