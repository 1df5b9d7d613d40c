"""Intervals of one share as if its trials were independent: right answers of n, both may be fractions.

They equal statsmodels' `proportion_confint`, whose import is a third of all that a report would have to import.
"""

from math import sqrt

from scipy.special import betainccinv, betaincinv, ndtri

from studies.analysis.cluster import LEVEL

Ends = tuple[float, float]
TAIL = (1 - LEVEL) / 2
Z = float(ndtri(1 - TAIL))


def wilson(right: float, n: float) -> Ends:
    """The shares whose score test does not reject (Wilson 1927)."""
    middle, share = _centre(right, n)[0], right / n
    half = Z * sqrt(share * (1 - share) / n + Z**2 / (4 * n**2)) / (1 + Z**2 / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def agresti_coull(right: float, n: float) -> Ends:
    """The Wald interval after z²/2 more right and as many more wrong answers, cut at 0 and 1 (Agresti & Coull 1998)."""
    middle, half = _centre(right, n)
    return max(0.0, middle - half), min(1.0, middle + half)


def clopper_pearson(right: float, n: float) -> Ends:
    """The shares that neither one-sided binomial test rejects (Clopper & Pearson 1934)."""
    low = float(betaincinv(right, n - right + 1, TAIL)) if right > 0 else 0.0
    high = float(betainccinv(right + 1, n - right, TAIL)) if right < n else 1.0
    return low, high


def jeffreys(right: float, n: float) -> Ends:
    """Equal tails of the posterior beta(right + ½, wrong + ½) (Brown, Cai & DasGupta 2001)."""
    a, b = right + 0.5, n - right + 0.5
    return float(betaincinv(a, b, TAIL)), float(betainccinv(a, b, TAIL))


def _centre(right: float, n: float) -> tuple[float, float]:
    """The share after z²/2 more right and wrong answers, and the half width of its Wald interval."""
    share = (right + Z**2 / 2) / (n + Z**2)
    return share, Z * sqrt(share * (1 - share) / (n + Z**2))
