"""Is nothing lost, or is there no difference that matters: tests against a margin that was fixed before the data.

For a contrast d with the standard error and degrees of freedom of `compare`, and a margin m > 0 (a share: .05 is five
points), one-sided t tests at 5 %:

    non-inferiority   H0: d ≤ -m        p = P(T > (d + m)/SE)
    equivalence       H0: |d| ≥ m       p = the larger of P(T > (d + m)/SE) and P(T < (d - m)/SE)

The interval is that at 1 - 2α = 90 %: equivalence is shown where it lies within ± m, non-inferiority where it lies
above -m. Reference of the two one-sided tests (TOST): Schuirmann 1987. The margin comes from study.json;
there is no default, since a margin chosen with the data shows nothing.
"""

from dataclasses import replace

import pandas as pd
from scipy.special import stdtr, stdtrit

from studies.analysis import compare
from studies.analysis.estimate import Estimate, Population, undefined

ALPHA = 0.05
NO_MARGIN = "no margin was fixed"


def noninferior(contrast: Estimate, margin: float | None) -> Estimate:
    """The contrast with the p that more than `margin` is lost, and its 90 % interval.

    Example: d = .02, SE = .03, df = 39, m = .05 gives t = 2.33 and p = .0125.
    """
    return _against(contrast, margin, is_two_sided=False)


def equivalent(contrast: Estimate, margin: float | None) -> Estimate:
    """The contrast with the p that it is beyond ± `margin`, and its 90 % interval.

    Example: d = .02, SE = .03, df = 39, m = .05 gives the larger p, that of t = -1: .162.
    """
    return _against(contrast, margin, is_two_sided=True)


def noninferior_micro(
    treated: pd.DataFrame, baseline: pd.DataFrame, *, margin: float | None, population: Population = "random"
) -> Estimate:
    """human+model is not worse than human by the margin or more, over trials."""
    return noninferior(compare.micro(treated, baseline, population=population), margin)


def noninferior_question_weighted(
    treated: pd.DataFrame, baseline: pd.DataFrame, *, margin: float | None, population: Population = "random"
) -> Estimate:
    """The same within questions."""
    return noninferior(compare.question_weighted(treated, baseline, population=population), margin)


def noninferior_to_model(
    trials: pd.DataFrame, model_correct: pd.Series, *, margin: float | None, population: Population = "random"
) -> Estimate:
    """human+model is not worse than the model alone by the margin or more."""
    return noninferior(compare.minus_model(trials, model_correct, population=population), margin)


def equivalent_micro(
    treated: pd.DataFrame, baseline: pd.DataFrame, *, margin: float | None, population: Population = "random"
) -> Estimate:
    """human+model and human differ by less than the margin, over trials."""
    return equivalent(compare.micro(treated, baseline, population=population), margin)


def equivalent_question_weighted(
    treated: pd.DataFrame, baseline: pd.DataFrame, *, margin: float | None, population: Population = "random"
) -> Estimate:
    """The same within questions."""
    return equivalent(compare.question_weighted(treated, baseline, population=population), margin)


def equivalent_to_model(
    trials: pd.DataFrame, model_correct: pd.Series, *, margin: float | None, population: Population = "random"
) -> Estimate:
    """human+model and the model alone differ by less than the margin."""
    return equivalent(compare.minus_model(trials, model_correct, population=population), margin)


def _against(contrast: Estimate, margin: float | None, *, is_two_sided: bool) -> Estimate:
    if margin is None:
        return undefined(NO_MARGIN, n_trials=contrast.n_trials)
    if margin <= 0:
        raise ValueError(f"a margin of {margin:g}: it must be above 0")
    if contrast.estimate is None or contrast.se is None or contrast.df is None:
        return replace(contrast, p=None, low=None, high=None)
    above = float(stdtr(contrast.df, -(contrast.estimate + margin) / contrast.se))
    below = float(stdtr(contrast.df, (contrast.estimate - margin) / contrast.se))
    half = float(stdtrit(contrast.df, 1 - ALPHA)) * contrast.se
    test = f"TOST within ± {margin:g}" if is_two_sided else f"one-sided t above -{margin:g}"
    return replace(
        contrast, p=max(above, below) if is_two_sided else above, low=contrast.estimate - half,
        high=contrast.estimate + half, method=f"{contrast.method}; {test}; 90 % interval",
    )  # fmt: skip
