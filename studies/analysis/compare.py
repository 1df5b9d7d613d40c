"""What the model adds to the people, and what the people add to the model: differences on the risk scale.

Augmentation is human+model minus human; synergy is a gain over the better of human and model (Vaccaro, Almaatouq &
Malone 2024). All differences are in shares (0.10 is ten points), with the interval and the t test of `cluster`.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.special import stdtr

from studies.analysis import cluster
from studies.analysis.estimate import Estimate, Population, undefined

IUT = "intersection-union: larger of the two one-sided p (> 0)"
NO_BOUND = "a minimum of two contrasts has no interval here; its plug-in estimate is biased downwards"


def micro(treated: pd.DataFrame, baseline: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Accuracy over all trials of `treated` minus accuracy over all trials of `baseline`."""
    return cluster.difference(treated, baseline, population=population)


def question_weighted(treated: pd.DataFrame, baseline: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Mean, over the questions seen in both conditions, of the difference within the question.

    Weights 1/n of question and condition, so that a question's difficulty cancels. Undefined when no question is seen
    in both. The primary form in crossed and Latin-square designs.
    """
    n = len(treated) + len(baseline)
    if not len(treated) or not len(baseline):
        return undefined("only one condition has trials", n_trials=n)
    codes = cluster.codes_together([treated, baseline], "question")
    one, zero = codes[: len(treated)], codes[len(treated) :]
    n_one, n_zero = (np.bincount(part, minlength=int(codes.max()) + 1) for part in (one, zero))
    is_shared = (n_one > 0) & (n_zero > 0)
    if not is_shared.any():
        return undefined("no question is seen in both conditions", n_trials=n)
    keep_one, keep_zero = is_shared[one], is_shared[zero]
    weights = (1.0 / n_one[one[keep_one]], 1.0 / n_zero[zero[keep_zero]])
    return cluster.difference(treated.loc[keep_one], baseline.loc[keep_zero], weights=weights, population=population)


def minus_model(trials: pd.DataFrame, model_correct: pd.Series, *, population: Population = "random") -> Estimate:
    """Mean over one condition's trials of `correct` minus the model's own correctness on that question.

    model_correct: aligned with `trials`, a share where the model was sampled, missing where it was not asked: such
    trials do not count and the flag `model_not_asked_everywhere` says so.
    """
    known = model_correct.notna()
    if not known.any():
        return undefined("no answers of the model alone on these questions", n_trials=len(trials))
    kept = trials if known.all() else trials.loc[known]
    short = cluster.too_few(cluster.sides_of([kept]), population)
    if short:
        return undefined(f"{short}: no contrast", n_trials=len(kept))
    gain = kept["correct"] - model_correct[known]
    found = cluster.mean(kept, gain, population=population, is_tested=True)
    return found if known.all() else replace(found, flags=(*found.flags, "model_not_asked_everywhere"))


def synergy_micro(treated: pd.DataFrame, baseline: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """The smaller of human+model minus human (micro) and human+model minus model."""
    over_human = micro(treated, baseline, population=population)
    return synergy(over_human, minus_model(treated, treated["model_correct"], population=population))


def synergy_question_weighted(
    treated: pd.DataFrame, baseline: pd.DataFrame, *, population: Population = "random"
) -> Estimate:
    """The smaller of human+model minus human (question-weighted) and human+model minus model."""
    over_human = question_weighted(treated, baseline, population=population)
    return synergy(over_human, minus_model(treated, treated["model_correct"], population=population))


def synergy(over_human: Estimate, over_model: Estimate) -> Estimate:
    """min(gain over human, gain over model); p is the larger of the two one-sided p (Berger 1982), without a penalty.

    The plug-in max(human, model) is biased upwards, so the estimate is biased downwards.
    """
    for part, name in ((over_human, "human"), (over_model, "model")):
        if part.estimate is None:
            return undefined(f"the contrast with the {name} is undefined: {part.reason}", n_trials=part.n_trials)
    smaller = min(over_human, over_model, key=lambda part: part.estimate or 0.0)
    p_values = [one_sided(over_human), one_sided(over_model)]
    known = [p for p in p_values if p is not None]
    return Estimate(
        estimate=smaller.estimate,
        p=max(known) if len(known) == len(p_values) else None,
        method=IUT,
        n_trials=over_human.n_trials,
        P=over_human.P,
        Q=over_human.Q,
        flags=tuple(sorted({*over_human.flags, *over_model.flags})),
        reason=NO_BOUND if len(known) == len(p_values) else "a contrast has no standard error: no test",
    )


def one_sided(contrast: Estimate) -> float | None:
    """p of the t test that the contrast is not above 0."""
    if contrast.estimate is None or contrast.se is None or contrast.df is None:
        return None
    return float(stdtr(contrast.df, -contrast.estimate / contrast.se))
