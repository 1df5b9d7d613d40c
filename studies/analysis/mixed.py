"""Fitting the mixed logistic model of `laplace`: maximum likelihood, its standard errors, and when there is no fit.

Quasi-Newton (BFGS) on (beta, log sd) in units of approximate standard errors, with the exact gradient; then Newton
steps with the Hessian, which is made of differences of that gradient and whose inverse gives the variances, as
glmmTMB's does. A standard deviation that gains less than .001 of log-likelihood over 0 is set to 0, and the
fit is called singular.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.optimize import minimize
from threadpoolctl import ThreadpoolController

from studies.analysis.cluster import Array
from studies.analysis.laplace import Crossed, Diverged, Laplace, Point

COMPONENTS = ("participant", "participant_slope", "question", "question_slope")
STARTS = (0.5, 0.2, 1.0)  # standard deviation of every component; the next where the search fails
SMALL = 0.15  # below this a component is tried at 0
SAME = 1e-3  # log-likelihoods this near are the same
STEP = 1e-5  # of the differences, in approximate standard errors
TOLERANCE = 1e-3  # of the search, likewise; Newton steps after it square what is left
CLOSE, LAST_STEPS = 1e-4, 10  # ... until they are shorter than this in standard errors
MOST_LEVELS, MOST_CELLS = 1500, 8_000_000  # of the smaller side, and both multiplied: beyond it a fit takes gigabytes


class NotFitted(ValueError):
    """The model has no maximum likelihood fit on these rows; the sentence says why."""


@dataclass(frozen=True)
class Fit:
    """beta and its covariance; sds and the standard errors of their logarithms (None where set to 0), by COMPONENTS.

    effects: expected random effects on the log-odds scale (intercept, slope) by participant; spread: their 2 × 2
    covariances given the data, parameters held.
    """

    beta: Array
    covariance: Array
    sds: tuple[float, ...]
    log_sd_se: tuple[float | None, ...]
    log_likelihood: float
    is_singular: bool
    effects: Array
    spread: Array


def fit(rows: Crossed) -> Fit:
    """Fit by maximum likelihood, BLAS held to one thread: more make it slower here. Raises NotFitted."""
    participants, items = rows.levels
    if min(rows.levels) > MOST_LEVELS or participants * items > MOST_CELLS:
        raise NotFitted(f"{participants} participants and {items} questions are too many for this fit")
    failures = []
    with _blas().limit(limits=1, user_api="blas"):
        for start in STARTS:
            try:
                return _fit(rows, start)
            except (Diverged, np.linalg.LinAlgError) as error:
                failures.append(error)
    raise NotFitted(f"the mixed model did not converge: {failures[0]}") from failures[0]


def _fit(rows: Crossed, sd: float) -> Fit:
    likelihood, fixed = Laplace(rows), rows.x.shape[1]
    free = np.ones(len(COMPONENTS), dtype=bool)
    start = np.concatenate([_without_effects(rows), np.full(len(COMPONENTS), np.log(sd))])
    found = _climb(likelihood, start, free, fixed)
    for component in np.argsort(found[fixed:]):
        if found[fixed + component] > np.log(SMALL):
            break
        without = free & (np.arange(len(COMPONENTS)) != component)
        here, there = (_at(likelihood, found, mask, fixed) for mask in (free, without))
        if there.value > here.value - SAME:
            free = without
            found = _climb(likelihood, found, free, fixed)
    return _finish(likelihood, found, free, fixed)


def _at(likelihood: Laplace, parameters: Array, free: np.ndarray, fixed: int) -> Point:
    sds = np.where(free, np.exp(np.minimum(parameters[fixed:], 4.0)), 0.0)
    return likelihood.at(parameters[:fixed], sds)


def _climb(likelihood: Laplace, start: Array, free: np.ndarray, fixed: int) -> Array:
    """Maximise from `start`; components that are not free stay at 0."""
    scale = _scaled(likelihood, start, free, fixed)[1]
    moving = np.concatenate([np.ones(fixed, dtype=bool), free])

    def downhill(z: Array) -> tuple[float, Array]:
        point = _at(likelihood, start + scale @ z, free, fixed)
        return -point.value, np.where(moving, -(scale.T @ point.gradient), 0.0)

    found = minimize(downhill, np.zeros(len(start)), jac=True, method="BFGS", options={"gtol": TOLERANCE})
    return np.asarray(start + scale @ found.x, dtype=np.float64)


def _scaled(likelihood: Laplace, parameters: Array, free: np.ndarray, fixed: int) -> tuple[Point, Array]:
    """The point, and the square root of the parameters' approximate covariance: sizes of the units to search in."""
    point = _at(likelihood, parameters, free, fixed)
    levels = np.repeat(likelihood.rows.levels, 2)
    reliable = np.clip(point.kept / levels, 0.05, 1.0)
    scale = np.diag(np.concatenate([np.ones(fixed), 1 / (np.sqrt(2 * levels) * reliable)]))
    scale[:fixed, :fixed] = np.linalg.cholesky(likelihood.covariance())
    return point, scale


def _finish(likelihood: Laplace, found: Array, free: np.ndarray, fixed: int) -> Fit:
    """Hessian, Newton steps with it, variances."""
    point, scale = _scaled(likelihood, found, free, fixed)
    moving = np.flatnonzero(np.concatenate([np.ones(fixed, dtype=bool), free]))
    slopes = [
        _at(likelihood, found + STEP * scale[:, place], free, fixed).gradient - point.gradient for place in moving
    ]
    information = -np.array([(scale.T @ slope)[moving] / STEP for slope in slopes])
    information = (information + information.T) / 2
    try:
        root = np.linalg.inv(np.linalg.cholesky(information))
    except np.linalg.LinAlgError as error:
        raise Diverged("the likelihood has no maximum here (its Hessian is not negative definite)") from error
    inverse = root.T @ root
    for _ in range(LAST_STEPS):
        slope = (scale.T @ point.gradient)[moving]
        step = inverse @ slope
        if slope @ step < CLOSE**2:
            break
        found = found + scale[:, moving] @ step
        point = _at(likelihood, found, free, fixed)
    else:
        raise Diverged("the likelihood is flat here: no step ended at its maximum")
    covariance = scale[:, moving] @ inverse @ scale[:, moving].T
    sds = np.where(free, np.exp(found[fixed:]), 0.0)
    errors = [float(np.sqrt(covariance[fixed + k, fixed + k])) if free[k] else None for k in range(len(COMPONENTS))]
    people = np.diag(sds[:2])
    return Fit(
        beta=found[:fixed], covariance=covariance[:fixed, :fixed], sds=tuple(map(float, sds)),
        log_sd_se=tuple(errors), log_likelihood=point.value, is_singular=not free.all(),
        effects=people @ point.modes[0], spread=np.einsum("ij,jkn,kl->iln", people, point.spread[0], people),
    )  # fmt: skip


def _without_effects(rows: Crossed) -> Array:
    """Logistic regression without random effects, by Newton: where the search starts."""
    beta = np.zeros(rows.x.shape[1])
    for _ in range(25):
        mu = 1 / (1 + np.exp(-(rows.x @ beta)))
        step = np.linalg.solve(rows.x.T @ ((mu * (1 - mu))[:, None] * rows.x), rows.x.T @ (rows.y - mu))
        beta = beta + step
        if np.abs(step).max() < 1e-8:
            return beta
    raise Diverged("the logistic regression without random effects has no maximum")


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController()
