"""How big a study must be: simulated studies of a plan, each analysed as the real one will be.

    logit P(right) = b + u_person + v_question + hm (d + s_person + s_question)         hm = 1 with the model, else 0

u, v and the two s are independent and normal; the question's parts belong to its question-side cluster (passage, else
question). Each simulated study gets the two-way cluster-robust t test of `cluster` (largest of three variances,
t with min(P, Q) - 1): power is the share of studies in which it rejects. All replications are computed together.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.special import ndtri, stdtr, stdtrit

from studies.analysis import logit_normal
from studies.analysis.layout import Layout

Array = npt.NDArray[np.float64]
Answers = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Form = Literal["micro", "question_weighted"]

AT_ONCE = 1_000_000  # simulated answers: what fits the processor's cache goes through several times as fast
BISECTIONS = 12
BINDS = 0.5  # more than this share of the variance would stay with any number of people


@dataclass(frozen=True, kw_only=True)
class Effects:
    """What is assumed: all on the logit scale."""

    base: float
    effect: float
    sd_person: float
    sd_question: float
    sd_person_effect: float
    sd_question_effect: float

    @classmethod
    def of_shares(cls, *, accuracy: float, target: float, person: float, question: float, person_effect: float,
                  question_effect: float) -> "Effects":  # fmt: skip
        """From shares right: `accuracy` of people alone, `target` the gain with the model (0.05 is five points)."""
        alone = cls(base=logit_normal.logit_of(accuracy, float(np.hypot(person, question))), effect=0.0,
                    sd_person=person, sd_question=question, sd_person_effect=person_effect,
                    sd_question_effect=question_effect)  # fmt: skip
        return alone.with_gain(target)

    @property
    def alone(self) -> float:
        """Share right of people alone, over people and questions."""
        return logit_normal.share(self.base, self._sd)

    @property
    def gain(self) -> float:
        """Share right with the model minus alone: the risk difference, over people and questions."""
        return logit_normal.share(self.base + self.effect, self._sd_assisted) - self.alone

    def with_gain(self, gain: float) -> "Effects":
        """The same people and questions with another gain. Raises ValueError where the sum is no share."""
        return replace(self, effect=logit_normal.logit_of(self.alone + gain, self._sd_assisted) - self.base)

    @property
    def _sd(self) -> float:
        return float(np.hypot(self.sd_person, self.sd_question))

    @property
    def _sd_assisted(self) -> float:
        return float(np.hypot(self._sd, np.hypot(self.sd_person_effect, self.sd_question_effect)))


@dataclass(frozen=True)
class Replications:
    """One entry per simulated study: the contrast, and its variances by person, question-side cluster and cell."""

    estimate: Array
    person: Array
    question: Array
    cell: Array
    df: int

    @cached_property
    def se(self) -> Array:
        """The largest of the three, as `cluster` has it."""
        two_way = self.person + self.question - self.cell
        return np.sqrt(np.maximum(np.maximum(self.person, self.question), two_way))

    def rejects(self, alpha: float, *, against: float = 0.0) -> Flags:
        """Two-sided t test that the contrast is `against`. Where nothing varies nothing is rejected."""
        return np.asarray(np.abs(self.estimate - against) > stdtrit(self.df, 1 - alpha / 2) * self._known_se)

    def exceeds(self, bound: float, alpha: float) -> Flags:
        """One-sided t test that the contrast is at most `bound`."""
        return np.asarray(self.estimate - bound > stdtrit(self.df, 1 - alpha) * self._known_se)

    def stays_below(self, bound: float, alpha: float) -> Flags:
        """One-sided t test that the contrast is at least `bound`."""
        return np.asarray(bound - self.estimate > stdtrit(self.df, 1 - alpha) * self._known_se)

    @property
    def z(self) -> Array:
        """The normal quantile of the t test's p, with the contrast's sign: what sequential boundaries look at."""
        with np.errstate(divide="ignore", invalid="ignore"):
            t = np.where(self.se > 0, self.estimate / self.se, 0.0)
        return np.asarray(np.sign(t) * -ndtri(np.maximum(stdtr(self.df, -np.abs(t)), 1e-300)))

    @property
    def _known_se(self) -> Array:
        return np.where(self.se > 0, self.se, np.inf)


@dataclass(frozen=True, kw_only=True)
class Power:
    """What a plan can show. Shares of `replications`, with the Monte-Carlo standard error of `power`.

    half_width: mean half-width of the 1 - alpha interval, in shares. noninferior, equivalent: shares in which
    one-sided tests at alpha show the contrast above -margin, and within ± margin; None without a margin.
    question_share: the part of the variance that would stay with any number of people.
    """

    power: float
    mc_error: float
    half_width: float
    gain: float
    noninferior: float | None
    equivalent: float | None
    question_share: float
    people: int
    items: int
    n_trials: int
    replications: int

    @property
    def questions_bind(self) -> bool:
        """Whether more questions would help more than any number of people."""
        return self.question_share > BINDS


def power(
    layout: Layout, effects: Effects, *, form: Form, alpha: float = 0.05, margin: float | None = None,
    replications: int = 1_000, seed: int = 0,
) -> Power:  # fmt: skip
    """The power of a plan under these effects. Raises ValueError for a plan that has no contrast."""
    (found,) = simulate([layout], effects, form=form, replications=replications, seed=seed)
    share = float(found.rejects(alpha).mean())
    is_above = found.exceeds(-margin, alpha) if margin is not None else None
    is_below = found.stays_below(margin, alpha) if margin is not None else None
    two_way = float((found.person + found.question - found.cell).mean())
    stays = float((found.question - found.cell).mean()) / two_way if two_way > 0 else 0.0
    return Power(
        power=share,
        mc_error=float(np.sqrt(share * (1 - share) / replications)),
        half_width=float(stdtrit(found.df, 1 - alpha / 2) * found.se.mean()),
        gain=effects.gain,
        noninferior=None if is_above is None else float(is_above.mean()),
        equivalent=None if is_above is None or is_below is None else float((is_above & is_below).mean()),
        question_share=min(1.0, max(0.0, stays)),
        people=layout.people,
        items=layout.items,
        n_trials=len(layout.person),
        replications=replications,
    )


def detectable(
    layout: Layout, effects: Effects, *, form: Form, goal: float = 0.8, alpha: float = 0.05,
    replications: int = 1_000, seed: int = 0,
) -> float | None:  # fmt: skip
    """The smallest gain (share) that is found with power `goal`, by bisection; None where no gain is.

    Every step uses the same random numbers, so that power rises with the gain and the bisection is exact for them.
    """

    def reaches(gain: float) -> bool:
        (found,) = simulate([layout], effects.with_gain(gain), form=form, replications=replications, seed=seed)
        return bool(found.rejects(alpha).mean() >= goal)

    low, high = 0.0, 0.98 * (1 - effects.alone)
    if not reaches(high):
        return None
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (low, middle) if reaches(middle) else (middle, high)
    return high


def simulate(
    layouts: Sequence[Layout], effects: Effects, *, form: Form, replications: int, seed: int
) -> list[Replications]:
    """Simulated studies of the last layout; the others are its first people, analysed on the same answers (looks)."""
    whole = layouts[-1]
    analyses = [Analysis(layout, form) for layout in layouts]
    rng = np.random.Generator(np.random.SFC64(seed))
    at_once = max(1, min(replications, AT_ONCE // len(whole.person)))
    parts: list[list[tuple[Array, ...]]] = [[] for _ in layouts]
    for start in range(0, replications, at_once):
        answers = simulated_answers(whole, effects, min(at_once, replications - start), rng)
        for part, layout, analysis in zip(parts, layouts, analyses, strict=True):
            part.append(analysis.of(answers[: len(layout.person)]))
    return [
        Replications(
            estimate=np.concatenate([each[0] for each in part]),
            person=np.concatenate([each[1] for each in part]),
            question=np.concatenate([each[2] for each in part]),
            cell=np.concatenate([each[3] for each in part]),
            df=analysis.df,
        )
        for part, analysis in zip(parts, analyses, strict=True)
    ]


def simulated_answers(layout: Layout, effects: Effects, replications: int, rng: np.random.Generator) -> Answers:
    """1 where right: trials × replications. Each person and item has a row of logits alone and one with the model."""

    def logits(count: int, sd: float, sd_effect: float, base: float, effect: float) -> Answers:
        alone = sd * rng.standard_normal((count, replications), dtype=np.float32) + np.float32(base)
        gained = sd_effect * rng.standard_normal((count, replications), dtype=np.float32) + np.float32(effect)
        return np.concatenate([alone, alone + gained]).astype(np.float32, copy=False)

    people, items = int(layout.person.max()) + 1, int(layout.item.max()) + 1
    of_person = logits(people, effects.sd_person, effects.sd_person_effect, effects.base, effects.effect)
    of_item = logits(items, effects.sd_question, effects.sd_question_effect, 0.0, 0.0)
    out = of_person[layout.person + people * layout.treated]
    out += of_item[layout.item + items * layout.treated]
    np.negative(out, out=out)
    np.exp(out, out=out)
    out += 1
    out *= rng.random(out.shape, dtype=np.float32)
    return (out < 1).astype(np.float32)


class Analysis:
    """The contrast and its three variances on one layout, for many columns of answers at once."""

    def __init__(self, layout: Layout, form: Form) -> None:
        weight, self.n = _weights(layout, form)
        used = weight > 0
        if not (used & layout.treated).any() or not (used & ~layout.treated).any():
            raise ValueError("the plan has no question in both conditions" if form != "micro" else "one condition only")
        self.treated = weight * layout.treated
        self.alone = weight * ~layout.treated
        cell = layout.person * (int(layout.item.max()) + 1) + layout.item
        sides = [np.unique(each[used], return_inverse=True)[1] for each in (layout.person, layout.item, cell)]
        rows = np.flatnonzero(used)
        signed = self.treated - self.alone
        self.sides = [_Side(side, rows, signed, self.treated, self.alone) for side in sides]
        counts = [side.count for side in self.sides]
        if min(counts) < 2:
            raise ValueError(f"{counts[0]} people and {counts[1]} questions: there must be at least 2 of each")
        self.df = min(counts[:2]) - 1

    def of(self, answers: Answers) -> tuple[Array, ...]:
        """Contrast, and variance by person, question-side cluster and cell; answers: trials × replications."""
        means = np.stack([self.treated, self.alone]).astype(np.float32) @ answers
        right = means.astype(np.float64)
        scale = (self.n - 1) / (self.n - 2)
        variances = (scale * side.count / (side.count - 1) * side.squares(answers, right) for side in self.sides)
        return right[0] - right[1], *variances


class _Side:
    """Sums of influences within the clusters of one side."""

    def __init__(self, codes: npt.NDArray[np.int64], rows: npt.NDArray[np.int64], signed: Array, treated: Array,
                 alone: Array) -> None:  # fmt: skip
        self.count = int(codes.max()) + 1
        self.weights = signed[rows].astype(np.float32)
        self.treated = np.bincount(codes, weights=treated[rows])[:, None]
        self.alone = np.bincount(codes, weights=alone[rows])[:, None]
        self.is_each = self.count == len(codes)
        self.signed_all = signed
        shape = (self.count, len(signed))
        self.sum = csr_array((self.weights, (codes, rows)), shape=shape)

    def squares(self, answers: Answers, right: Array) -> Array:
        """Sum over clusters of (sum of influences)², for each replication."""
        if self.is_each:  # single trials: answers are 0 or 1, so their squares need no table of influences
            square = np.square(self.signed_all)
            kinds = np.stack([square * (self.signed_all > 0), square * (self.signed_all < 0)])
            wins = (kinds.astype(np.float32) @ answers).astype(np.float64)
            return np.asarray((wins * (1 - 2 * right) + kinds.sum(axis=1)[:, None] * np.square(right)).sum(axis=0))
        sums = self.sum @ answers - self.treated * right[0] + self.alone * right[1]
        return np.asarray(np.square(sums).sum(axis=0), dtype=np.float64)


def _weights(layout: Layout, form: Form) -> tuple[Array, int]:
    """The weight of each trial in the mean of its condition (they sum to 1), and how many trials count."""
    if form == "micro":
        per_trial = np.ones(len(layout.person))
    else:
        count = int(layout.question.max()) + 1
        of = [np.bincount(layout.question[layout.treated == flag], minlength=count) for flag in (False, True)]
        own = np.where(layout.treated, of[1][layout.question], of[0][layout.question])
        is_shared = (of[0] > 0) & (of[1] > 0)
        per_trial = np.where(is_shared[layout.question], 1 / np.maximum(own, 1), 0.0)
    totals = [per_trial[layout.treated == flag].sum() for flag in (False, True)]
    out = per_trial / np.where(layout.treated, totals[1] or 1.0, totals[0] or 1.0)
    return out, int(np.count_nonzero(per_trial))
