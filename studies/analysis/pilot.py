"""What a pilot says about how much people, questions and their gains differ: method of moments on pairs of answers.

Two answers of one person to different questions, or of two people to one question, are right together more often than
chance where people or questions differ. For each side and each pair of conditions c, c' the mean product of residuals
over such pairs estimates a covariance of shares:

    C_person(c, c') = (sum over people S_c S_c' - sum over cells S_c S_c') / (the same with counts in place of S)

(S sums right - mean of the condition; a cell is a person on a question-side cluster.) Each is turned into a covariance
of logits by solving for it under normal differences (`logit_normal`). Then Var(effect) = V_11 + V_00 - 2 C_10 and
Var(person) = the mean of V_00 and C_10, both cut at 0, and the same for questions. Rough in small pilots: with few
people or questions a standard deviation is off by a third or more, so try the plan with larger ones too.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from studies.analysis import cluster, logit_normal
from studies.analysis.power import Effects
from studies.analysis.schema import HUMAN, HUMAN_MODEL

ROUNDS = 12  # variances and means depend on each other; they settle in a few rounds
MOST = 9.0  # a variance on the logit scale beyond which shares say nothing
CONDITIONS = (HUMAN, HUMAN_MODEL)
PAIRS = ((0, 0), (1, 0), (1, 1))
Pair = tuple[int, int]


@dataclass(frozen=True)
class Pilot:
    """What was found, and from how much."""

    effects: Effects
    people: int
    items: int
    n_trials: int


class TooSmall(ValueError):
    """A pilot that says nothing about variances; the text says what it lacks."""


def estimate(trials: pd.DataFrame) -> Pilot:
    """Effects of a pilot's trials: participant, question (or item_group), condition, correct.

    Raises TooSmall without both conditions, without two answers of a person, or where all answers are right or wrong.
    """
    masks = [(trials["condition"] == name).to_numpy() for name in CONDITIONS]
    if not all(mask.any() for mask in masks):
        raise TooSmall("the pilot has no trials in one of the conditions human and human+model")
    right = trials["correct"].to_numpy(np.float64)
    means = [float(right[mask].mean()) for mask in masks]
    if not all(0 < mean < 1 for mean in means):
        raise TooSmall("all answers of a condition are right, or all wrong: nothing varies")
    sides = cluster.sides_of([trials])
    if sides.participant is None or sides.question is None or sides.cell is None:
        raise TooSmall("the pilot's trials need the columns participant and question")
    people, items = (
        {pair: _covariance(side.codes, sides.cell.codes, right, masks, means, pair) for pair in PAIRS}
        for side in (sides.participant, sides.question)
    )
    logits, of_people, of_items = _solve(means, people, items)
    person, person_effect = _sds(of_people)
    question, question_effect = _sds(of_items)
    effects = Effects(base=logits[0], effect=logits[1] - logits[0], sd_person=person, sd_question=question,
                      sd_person_effect=person_effect, sd_question_effect=question_effect)  # fmt: skip
    return Pilot(effects, sides.participant.count, sides.question.count, len(trials))


def _covariance(
    codes: cluster.Codes, cells: cluster.Codes, right: cluster.Array, masks: list[np.ndarray], means: list[float],
    pair: Pair,
) -> float | None:  # fmt: skip
    """Mean product of residuals over pairs of trials in one cluster but not in one cell; None without such pairs."""

    def sums(of: cluster.Codes, condition: int) -> tuple[cluster.Array, cluster.Codes]:
        rows, size = masks[condition], int(of.max()) + 1
        residuals = np.bincount(of[rows], weights=right[rows] - means[condition], minlength=size).astype(np.float64)
        return residuals, np.bincount(of[rows], minlength=size).astype(np.int64)

    (s1, n1), (s0, n0) = sums(codes, pair[0]), sums(codes, pair[1])
    (t1, m1), (t0, m0) = sums(cells, pair[0]), sums(cells, pair[1])
    pairs = float(n1 @ n0 - m1 @ m0)
    return float(s1 @ s0 - t1 @ t0) / pairs if pairs > 0 else None


def _solve(
    means: list[float], people: dict[Pair, float | None], items: dict[Pair, float | None]
) -> tuple[list[float], dict[Pair, float], dict[Pair, float]]:
    """Logits and covariances of logits that give these shares and covariances of shares."""
    found: list[dict[Pair, float]] = [dict.fromkeys(PAIRS, 0.0), dict.fromkeys(PAIRS, 0.0)]
    logits = [0.0, 0.0]
    for _ in range(ROUNDS):
        totals = [min(MOST, sum(max(0.0, each[c, c]) for each in found)) for c in (0, 1)]
        logits = [logit_normal.logit_of(means[c], float(np.sqrt(totals[c]))) for c in (0, 1)]
        for side, seen in zip(found, (people, items), strict=True):
            for pair in PAIRS:
                if (value := seen[pair]) is not None:
                    side[pair] = _of_logits(value, means, logits, totals, pair)
                elif pair == (1, 0):  # people or questions of one condition only: their gains are not seen
                    side[pair] = (side[0, 0] + side[1, 1]) / 2
    return logits, found[0], found[1]


def _of_logits(value: float, means: list[float], logits: list[float], totals: list[float], pair: Pair) -> float:
    """The covariance of logits behind a covariance of shares; by first order until variances are known."""
    slopes = [max(1e-6, _slope(logits[c], totals[c])) for c in pair]
    if min(totals[c] for c in pair) <= 1e-9:
        return value / (slopes[0] * slopes[1])
    most = 0.999 * float(np.sqrt(totals[pair[0]] * totals[pair[1]]))

    def over(covariance: float) -> float:
        joint = logit_normal.both((logits[pair[0]], logits[pair[1]]), (totals[pair[0]], totals[pair[1]]), covariance)
        return joint - means[pair[0]] * means[pair[1]] - value

    if over(most) <= 0:  # more than the totals so far can hold: let them grow
        return value / (slopes[0] * slopes[1])
    return -most if over(-most) >= 0 else float(brentq(over, -most, most, xtol=1e-6))


def _slope(logit: float, variance: float) -> float:
    shares = 1 / (1 + np.exp(-(logit + np.sqrt(variance) * logit_normal.NODES)))
    return float(logit_normal.WEIGHTS @ (shares * (1 - shares)))


def _sds(covariances: dict[Pair, float]) -> tuple[float, float]:
    """Of the level and of the effect."""
    level = (covariances[0, 0] + covariances[1, 0]) / 2
    effect = covariances[1, 1] + covariances[0, 0] - 2 * covariances[1, 0]
    return float(np.sqrt(max(0.0, level))), float(np.sqrt(max(0.0, effect)))
