"""What every figure on the odds scale shares: the guard against separation, and the way back from logarithms."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from studies.analysis.cluster import Array
from studies.analysis.estimate import Estimate

OF_RATIOS = "se of the logarithm, p against 1"


def separated(y: Array, is_treated: npt.NDArray[np.bool_], model_right: Array | None = None) -> str:
    """Say why no logit model has a maximum on these rows; empty when it has one.

    y: 0 or 1. With every answer of a condition right (or wrong) its log-odds are infinite; software then stops
    somewhere and calls the result significant (statsmodels' GEE on 40 rows: coefficient 25.6, se .32, p 0.000, no
    warning). model_right: a second factor, cut at one half.
    """
    if not is_treated.any() or is_treated.all():
        return "only one condition has trials"
    parts = [("", np.ones(len(y), dtype=bool))]
    if model_right is not None:
        is_right = model_right >= 0.5
        parts = [(" where the model is right", is_right), (" where it is wrong", ~is_right)]
    for where, rows in parts:
        for condition, these in (("with the model", is_treated & rows), ("alone", ~is_treated & rows)):
            if not these.any():
                return f"no trials {condition}{where}"
            if y[these].min() == y[these].max():
                word = "right" if y[these][0] else "wrong"
                return f"every answer {condition} is {word}{where}: not estimable (separation)"
    return ""


def ratio(logarithm: Estimate) -> Estimate:
    """exp of an estimate and of its interval; `se` stays that of the logarithm, and p is now against 1."""
    if logarithm.estimate is None:
        return logarithm
    low, high = (None if end is None else float(np.exp(end)) for end in (logarithm.low, logarithm.high))
    method = f"{logarithm.method}; {OF_RATIOS}"
    return replace(logarithm, estimate=float(np.exp(logarithm.estimate)), low=low, high=high, method=method)
