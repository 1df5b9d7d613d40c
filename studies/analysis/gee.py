"""What the model adds, by generalised estimating equations: participants as clusters, questions as if fixed.

    logit P(right) = b0 + b1 h,   h = 1 with the model, 0 alone;   working independence

With the bias-reduced sandwich of Mancl & DeRouen 2001 (statsmodels' `bias_reduced`, the same as R clubSandwich's CR3)
and t with P - 1 degrees of freedom. It knows one clustering only and says nothing about new questions: a sensitivity
analysis, never the headline. Separation is refused before any fit.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.special import expit, stdtr, stdtrit

from studies.analysis import cluster
from studies.analysis.cluster import FEW, LEVEL, NOTHING_VARIES, ZERO, Array
from studies.analysis.estimate import Estimate, Population, undefined
from studies.analysis.logits import ratio, separated

METHOD = "GEE, participants, independence, Mancl-DeRouen, t"
ONE_WAY = "one_way"
Fitted = tuple[Array, Array, Estimate]


def odds_ratio(treated: pd.DataFrame, baseline: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """exp(b1), the ratio of the conditions' odds of being right; `se` of its logarithm, p against 1.

    Example: .75 right with the model and .5 alone give 3.
    """
    found = _fit(treated, baseline)
    if isinstance(found, Estimate):
        return found
    b, covariance, about = found
    return ratio(_t(about, float(b[1]), _error(covariance[1, 1])))


def risk_difference(treated: pd.DataFrame, baseline: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """expit(b0 + b1) - expit(b0): the difference of condition means, with the standard error of that model.

    By the delta method on b.
    """
    found = _fit(treated, baseline)
    if isinstance(found, Estimate):
        return found
    b, covariance, about = found
    with_model, alone = expit(b[0] + b[1]), expit(b[0])
    steep = with_model * (1 - with_model)
    slope = np.array([steep - alone * (1 - alone), steep])
    return _t(about, float(with_model - alone), _error(slope @ covariance @ slope))


def _fit(treated: pd.DataFrame, baseline: pd.DataFrame) -> Fitted | Estimate:
    """b, its covariance, and what every figure says about the rows; or an undefined figure."""
    y = np.concatenate([frame["correct"].to_numpy(np.float64) for frame in (treated, baseline)])
    h = np.repeat([1.0, 0.0], [len(treated), len(baseline)])
    apart = separated(y, h > 0)
    if apart:
        return undefined(apart, n_trials=len(y))
    side = cluster.sides_of([treated, baseline]).participant
    if side is None or min(len(np.unique(side.codes[h == value])) for value in (0.0, 1.0)) < 2:
        return undefined("a condition has fewer than 2 participants: no contrast", n_trials=len(y))
    # Half a second to import, and a quick report does without.
    from statsmodels.genmod.cov_struct import Independence
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_estimating_equations import GEE

    model = GEE(
        y, np.stack([np.ones_like(h), h], axis=1), side.codes, family=Binomial(), cov_struct=Independence()
    )  # fmt: skip
    fitted = model.fit(cov_type="bias_reduced")
    b, covariance = np.asarray(fitted.params), np.asarray(fitted.cov_params())
    if not fitted.converged or not np.isfinite(covariance).all():
        return undefined("the estimating equations did not converge", n_trials=len(y))
    flags = (ONE_WAY, "few_clusters") if side.count < FEW else (ONE_WAY,)
    return b, covariance, Estimate(method=METHOD, n_trials=len(y), P=side.count, df=float(side.count - 1), flags=flags)


def _error(variance: float) -> float:
    """Where people do not differ the variance is 0 but for rounding, which can leave it below."""
    return float(np.sqrt(max(0.0, variance)))


def _t(about: Estimate, value: float, se: float) -> Estimate:
    """t interval and test against 0."""
    if se < ZERO:
        return replace(about, estimate=value, df=None, flags=("degenerate", *about.flags), reason=NOTHING_VARIES)
    df = about.df or 0.0
    half = float(stdtrit(df, 0.5 + LEVEL / 2)) * se
    p = float(2 * stdtr(df, -abs(value / se)))
    return replace(about, estimate=value, se=se, low=value - half, high=value + half, p=p)
