"""What the model adds, by a mixed logistic model with people and questions as crossed random effects: a secondary test.

    logit P(right) = b0 + b1 h + (a_p + s_p h) + (c_q + t_q h),   h = +1/2 with the model, -1/2 alone

Intercepts and slopes of participants p and question-side clusters q (passage, else question) are normal and
uncorrelated; maximum likelihood by Laplace approximation (`mixed`, equal to glmmTMB's). The slopes are never left out:
with intercepts alone the test of b1 rejected a true null .18 of the time at 20 people × 40 questions. With them it is
still liberal in small designs (.10 there, .065 at 60 × 120), so the primary test stays that of `compare`.

Ratios have their `se` on the scale of the natural logarithm, their interval back on the ratio's, and p against 1. Tests
and intervals are Wald's with the normal distribution. A model is fitted once for all the figures made of it.
References: Breslow & Clayton 1993; Baayen, Davidson & Bates 2008.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy.special import expit, ndtr, ndtri

from studies.analysis import cluster
from studies.analysis.cluster import FEW, LEVEL, Array, Codes
from studies.analysis.estimate import Estimate, Population, undefined
from studies.analysis.laplace import Crossed
from studies.analysis.logit_normal import NODES, WEIGHTS
from studies.analysis.logits import ratio, separated
from studies.analysis.mixed import COMPONENTS, Fit, NotFitted, fit
from studies.analysis.persons import Case
from studies.analysis.schema import HUMAN, HUMAN_MODEL
from studies.analysis.slices import Slice

METHOD = "mixed logistic model, Laplace, Wald z"
SHRUNKEN = "mixed logistic model, Laplace: conditional mode, b and sds held"
OF_SDS = "mixed logistic model, Laplace; se of the logarithm"
Z = float(ndtri(0.5 + LEVEL / 2))
NO_MODEL = "no answers of the model alone on these questions"


@dataclass(frozen=True)
class Fitted:
    """A fit with what every figure says about its rows."""

    fit: Fit
    about: Estimate
    participants: Codes


def odds_ratio(treated: pd.DataFrame, baseline: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """exp(b1): odds of being right with the model over those alone, for one person on one question.

    Larger than the ratio of the conditions' own odds (es.odds_ratio), as conditional odds ratios are. Undefined under
    separation and without convergence.
    """
    return _ratio(_main(treated, baseline), np.array([0.0, 1.0]))


def risk_difference(treated: pd.DataFrame, baseline: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Share right with the model minus share right alone, for new people on new questions: comparable with `compare`.

    The random effects are integrated out by Gauss-Hermite quadrature: E expit(b0 + b1/2 + s Z) - E expit(b0 - b1/2 +
    s Z), Z standard normal, s² the sum of the intercepts' variances and a quarter of the slopes'. The standard error is
    by the delta method over b, the variances held at their estimates.
    """
    found = _main(treated, baseline)
    if isinstance(found, Estimate):
        return found
    of = found.fit
    s = np.sqrt(np.square(of.sds) @ np.array([1.0, 0.25, 1.0, 0.25]))
    with_model, alone = (expit(of.beta[0] + sign * of.beta[1] / 2 + s * NODES) for sign in (1.0, -1.0))
    value = float(WEIGHTS @ (with_model - alone))
    steep = [float(WEIGHTS @ (p * (1 - p))) for p in (with_model, alone)]
    slope = np.array([steep[0] - steep[1], (steep[0] + steep[1]) / 2])
    return _wald(found.about, value, float(np.sqrt(slope @ of.covariance @ slope)))


def sd_participant(treated: pd.DataFrame, baseline: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """How much people differ: standard deviation of their log-odds of being right."""
    return _sd(treated, baseline, "participant")


def sd_participant_slope(
    treated: pd.DataFrame, baseline: pd.DataFrame, *, population: Population = "random"
) -> Estimate:
    """How much people differ in what the model adds: standard deviation of their log odds ratios."""
    return _sd(treated, baseline, "participant_slope")


def sd_question(treated: pd.DataFrame, baseline: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """How much questions differ: standard deviation of their log-odds of being answered right."""
    return _sd(treated, baseline, "question")


def sd_question_slope(treated: pd.DataFrame, baseline: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """How much questions differ in what the model adds: standard deviation of their log odds ratios."""
    return _sd(treated, baseline, "question_slope")


def interaction(treated: pd.DataFrame, baseline: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Odds ratio of the model's help where it is right, over that where it is wrong: do people follow it either way?

    Adds m and h·m to the fixed effects, m = model_correct - 1/2 (a share where the model was sampled); this is exp of
    the coefficient of h·m. 1: being right makes no difference. Above 1 with glmm.odds_ratio.model_wrong below 1:
    over-reliance, people are talked out of what they knew.
    """
    return _ratio(_with_interaction(treated, baseline), np.array([0.0, 0.0, 0.0, 1.0]))


def odds_ratio_model_right(
    treated: pd.DataFrame, baseline: pd.DataFrame, *, population: Population = "random"
) -> Estimate:
    """Odds ratio with the model over alone, on questions that the model gets right: 1 is not to use it at all."""
    return _ratio(_with_interaction(treated, baseline), np.array([0.0, 1.0, 0.0, 0.5]))


def odds_ratio_model_wrong(
    treated: pd.DataFrame, baseline: pd.DataFrame, *, population: Population = "random"
) -> Estimate:
    """The same on questions that the model gets wrong: 1 is not to be misled."""
    return _ratio(_with_interaction(treated, baseline), np.array([0.0, 1.0, 0.0, -0.5]))


def people(treated: pd.DataFrame, baseline: pd.DataFrame) -> pd.DataFrame | str:
    """Each person's accuracy alone and with the model, shrunken towards everybody's: or why there is none.

    One row per participant_code, in order: alone, with_model, gain (shares, on new questions: the question's effects
    are integrated out) and se of the gain (delta method over the person's effects given the data, b and the variances
    held). A person with few trials is drawn to the mean, so that luck is not mistaken for skill.
    """
    found = _main(treated, baseline)
    if isinstance(found, Estimate):
        return found.reason
    of = found.fit
    s = np.sqrt(np.square(of.sds[2:]) @ np.array([1.0, 0.25]))
    centre, lift = of.beta[0] + of.effects[0], of.beta[1] + of.effects[1]
    p1, p0 = (expit((centre + sign * lift / 2)[:, None] + s * NODES) for sign in (1.0, -1.0))
    with_model, alone = p1 @ WEIGHTS, p0 @ WEIGHTS
    steep1, steep0 = (p1 * (1 - p1)) @ WEIGHTS, (p0 * (1 - p0)) @ WEIGHTS
    slope = np.stack([steep1 - steep0, (steep1 + steep0) / 2])
    se = np.sqrt(np.einsum("in,ijn,jn->n", slope, of.spread, slope))
    return pd.DataFrame(
        {
            "participant_code": found.participants,
            "alone": alone,
            "with_model": with_model,
            "gain": with_model - alone,
            "se": se,
        }
    )


def by_person(part: Slice, count: int) -> Iterator[Case]:
    """`people` as figures, one for each of `count` persons: the gain, with a normal interval that holds b and the sds.

    No p: the interval of a shrunken effect is not a test of that person.
    """
    treated, baseline = (part.people.get((name, ""), part.trials.iloc[:0]) for name in (HUMAN_MODEL, HUMAN))
    table = people(treated, baseline)
    if isinstance(table, str):
        yield from ((person, HUMAN_MODEL, HUMAN, undefined(table)) for person in range(count))
        return
    n = np.bincount(np.concatenate([f["participant_code"].to_numpy() for f in (treated, baseline)]), minlength=count)
    columns = (table[name].tolist() for name in ("participant_code", "gain", "se"))
    known = {person: (gain, se) for person, gain, se in zip(*columns, strict=True)}
    for person in range(count):
        if person not in known:
            yield person, HUMAN_MODEL, HUMAN, undefined("no trials")
            continue
        gain, se = known[person]
        yield person, HUMAN_MODEL, HUMAN, Estimate(
            estimate=gain, se=se, low=gain - Z * se, high=gain + Z * se, method=SHRUNKEN, n_trials=int(n[person]), P=1
        )  # fmt: skip


def _main(treated: pd.DataFrame, baseline: pd.DataFrame) -> Fitted | Estimate:
    return _fitted(treated, baseline, None)


def _with_interaction(treated: pd.DataFrame, baseline: pd.DataFrame) -> Fitted | Estimate:
    known = [frame.loc[frame["model_correct"].notna()] for frame in (treated, baseline)]
    right = np.concatenate([frame["model_correct"].to_numpy(np.float64) for frame in known])
    if not len(right):
        return undefined(NO_MODEL, n_trials=len(treated) + len(baseline))
    if np.ptp(right) == 0:
        word = "wrong" if right[0] > 0.5 else "right"
        return undefined(f"the model is never {word} on these questions", n_trials=len(right))
    return _fitted(known[0], known[1], right)


def _fitted(treated: pd.DataFrame, baseline: pd.DataFrame, model_right: Array | None) -> Fitted | Estimate:
    """The fit to the rows of both conditions, or an undefined figure."""
    y = np.concatenate([frame["correct"].to_numpy(np.float64) for frame in (treated, baseline)])
    h = np.repeat([0.5, -0.5], [len(treated), len(baseline)])
    apart = separated(y, h > 0, model_right)
    if apart:
        return undefined(apart, n_trials=len(y))
    sides = cluster.sides_of([treated, baseline])
    short = cluster.too_few(sides, "random")
    if short or sides.participant is None or sides.question is None:
        return undefined(short or "people and questions are both needed", n_trials=len(y))
    names, person = np.unique(sides.participant.codes, return_inverse=True)
    item = np.unique(sides.question.codes, return_inverse=True)[1]
    centred = b"" if model_right is None else (model_right - 0.5).tobytes()
    outcome = _once(y.astype(np.bool_).tobytes(), (h > 0).tobytes(), centred, person.tobytes(), item.tobytes())
    if isinstance(outcome, str):
        return undefined(outcome, n_trials=len(y))
    counts = (sides.participant.count, sides.question.count)
    flags = (("singular",) if outcome.is_singular else ()) + (("few_clusters",) if min(counts) < FEW else ())
    about = Estimate(method=METHOD, n_trials=len(y), P=counts[0], Q=counts[1], flags=flags)
    return Fitted(outcome, about, names)


@lru_cache(maxsize=8)
def _once(y: bytes, treated: bytes, model_right: bytes, person: bytes, item: bytes) -> Fit | str:
    """The fit, or why there is none; several figures are made of one fit, so the last few are kept."""
    h = np.frombuffer(treated, np.bool_).astype(np.float64) - 0.5
    columns = [np.ones_like(h), h]
    if model_right:
        m = np.frombuffer(model_right, np.float64)
        columns += [m, h * m]
    codes = (np.frombuffer(side, np.int64) for side in (person, item))
    try:
        return fit(Crossed(np.frombuffer(y, np.bool_).astype(np.float64), np.stack(columns, axis=1), h, *codes))
    except NotFitted as error:
        return str(error)


def _ratio(found: Fitted | Estimate, contrast: Array) -> Estimate:
    """exp(contrast'b)."""
    if isinstance(found, Estimate):
        return found
    log, se = float(contrast @ found.fit.beta), float(np.sqrt(contrast @ found.fit.covariance @ contrast))
    return ratio(_wald(found.about, log, se))


def _sd(treated: pd.DataFrame, baseline: pd.DataFrame, component: str) -> Estimate:
    found = _main(treated, baseline)
    if isinstance(found, Estimate):
        return found
    place = COMPONENTS.index(component)
    value, se = found.fit.sds[place], found.fit.log_sd_se[place]
    about = replace(found.about, method=OF_SDS)
    if se is None:
        return replace(about, estimate=0.0, reason="estimated as 0 (singular fit): no interval")
    low, high = (float(value * np.exp(sign * Z * se)) for sign in (-1.0, 1.0))
    return replace(about, estimate=value, se=se, low=low, high=high)


def _wald(about: Estimate, value: float, se: float) -> Estimate:
    p = float(2 * ndtr(-abs(value / se)))
    return replace(about, estimate=value, se=se, low=value - Z * se, high=value + Z * se, p=p)
