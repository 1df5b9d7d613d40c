"""The randomisation test: the contrast as it is, against what the same answers would give under other draws.

The logged assignment is drawn again as it was drawn (see `drawn`): under the sharp null hypothesis that the condition
changes nobody's answer to anything, each draw was as likely as the one that happened. It asks for no distribution and
no independence, so it is the check on the t test of `cluster`; it says nothing about other people or other questions.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from studies.analysis.drawn import NEEDS_SYMMETRY, Drawn, redraws
from studies.analysis.estimate import Estimate, undefined

Array = npt.NDArray[np.float64]
Counts = npt.NDArray[np.float32]

REDRAWS = 9_999  # with the logged draw 10,000
SEED = 0
TIE = 1e-9  # draws as extreme as the logged one differ from it by rounding only
NO_BOUND = "a test of the sharp null hypothesis has no interval"
FLIPS = "participant sign-flip: needs symmetry, since the order of the conditions was not drawn"


def micro(
    treated: pd.DataFrame, baseline: pd.DataFrame, drawn: Drawn, *, count: int = REDRAWS, seed: int = SEED
) -> Estimate:
    """Difference of condition means over trials, with the randomisation test's p.

    treated, baseline: trials with participant_code, question_code and correct. drawn: from `draw_of` on the whole
    study. p = (1 + number of draws with |difference| at least the observed)/(count + 1), two-sided (Phipson & Smyth
    2010: the logged draw is one of them, so p is never 0). A draw that leaves a condition without trials counts as
    extreme. Undefined when a condition has no trials or the draw cannot be done again.

    Example: two people, one of each condition, give p = 1: both draws are equally far from 0.
    """
    return _test(treated, baseline, drawn, count, seed, is_within_question=False)


def question_weighted(
    treated: pd.DataFrame, baseline: pd.DataFrame, drawn: Drawn, *, count: int = REDRAWS, seed: int = SEED
) -> Estimate:
    """Mean over the questions met in both conditions of the difference within the question, with the same test.

    Which questions are met in both changes from draw to draw; a draw with none counts as extreme.
    """
    return _test(treated, baseline, drawn, count, seed, is_within_question=True)


def _test(
    treated: pd.DataFrame, baseline: pd.DataFrame, drawn: Drawn, count: int, seed: int, *, is_within_question: bool
) -> Estimate:
    n = len(treated) + len(baseline)
    if not len(treated) or not len(baseline):
        return undefined("only one condition has trials", n_trials=n)
    if drawn.reason:
        return undefined(drawn.reason, n_trials=n)
    cells = _Cells.of(treated, baseline, drawn)
    if not is_within_question:
        cells = cells.over_questions()
    logged = cells.difference(drawn.label[None, :])[0]
    if np.isnan(logged):
        return undefined("no question is seen in both conditions", n_trials=n)
    extreme = 0
    for labels in redraws(drawn, count=count, rng=np.random.default_rng(seed)):
        found = cells.difference(labels)
        extreme += int(np.count_nonzero(np.isnan(found) | (np.abs(found) >= abs(logged) - TIE)))
    strata = len(np.unique(drawn.stratum))
    possible = f"{drawn.possible:,} possible" if drawn.possible < 10**6 else "over a million possible"
    how = FLIPS if NEEDS_SYMMETRY in drawn.flags else f"the logged assignment re-drawn within {strata} strata"
    both = pd.concat([treated, baseline])
    return Estimate(
        estimate=float(logged),
        p=(1 + extreme) / (count + 1),
        method=f"{how}, {count + 1:,} draws of {possible}, seed {seed}, two-sided, sharp null",
        n_trials=n,
        P=both["participant_code"].nunique(),
        Q=both["item_code" if "item_code" in both else "question_code"].nunique(),
        flags=drawn.flags,
        reason=NO_BOUND,
    )


class _Cells:
    """Trials and right answers of each slot (rows) on each question (columns): all, and with the model by label."""

    def __init__(self, trials: Counts, right: Counts, with_model: list[tuple[Counts, Counts]]) -> None:
        self.trials, self.right = trials.sum(axis=0, dtype=np.float64), right.sum(axis=0, dtype=np.float64)
        self.with_model = with_model

    @classmethod
    def of(cls, treated: pd.DataFrame, baseline: pd.DataFrame, drawn: Drawn) -> "_Cells":
        questions = int(max(treated["question_code"].max(), baseline["question_code"].max())) + 1
        shape = (len(drawn.label), questions)
        (n1, s1), (n0, s0) = (_count(frame, drawn, shape) for frame in (treated, baseline))
        if drawn.is_flip:
            return cls(n1 + n0, s1 + s0, [(n1, s1), (n0, s0)])
        n, s = n1 + n0, s1 + s0
        masks = (drawn.treated[drawn.stratum, label, :questions] for label in range(drawn.treated.shape[1]))
        return cls(n, s, [(n * mask, s * mask) for mask in masks])

    def over_questions(self) -> "_Cells":
        """All questions as one: the difference is then over trials."""
        whole = _Cells.__new__(_Cells)
        whole.trials, whole.right = self.trials.sum(keepdims=True), self.right.sum(keepdims=True)
        whole.with_model = [(n.sum(1, keepdims=True), s.sum(1, keepdims=True)) for n, s in self.with_model]
        return whole

    def difference(self, labels: npt.NDArray[np.int64]) -> Array:
        """Mean over questions of right with minus right without the model, for each draw; NaN where none has both.

        Matrix products of whole numbers below 2^24: exact in single precision.
        """
        n, s = self._with_model(labels)
        rest_n, rest_s = self.trials - n, self.right - s
        has_both = (n > 0) & (rest_n > 0)
        each = np.where(has_both, s / np.maximum(n, 1) - rest_s / np.maximum(rest_n, 1), 0.0)
        shared = has_both.sum(axis=1)
        return np.where(shared > 0, each.sum(axis=1) / np.maximum(shared, 1), np.nan)

    def _with_model(self, labels: npt.NDArray[np.int64]) -> Iterator[Array]:
        """Trials and right answers with the model (draws × questions): all as label 0, and then what differs."""
        for which in (0, 1):
            base = self.with_model[0][which]
            total = np.broadcast_to(base.sum(axis=0, dtype=np.float64), (len(labels), base.shape[1])).copy()
            for label in range(1, len(self.with_model)):
                total += (labels == label).astype(np.float32) @ (self.with_model[label][which] - base)
            yield total


def _count(frame: pd.DataFrame, drawn: Drawn, shape: tuple[int, int]) -> tuple[Counts, Counts]:
    places = drawn.slot_of[frame["participant_code"]] * shape[1] + frame["question_code"].to_numpy()
    counted = np.bincount(places, minlength=shape[0] * shape[1])
    right = np.bincount(places, weights=frame["correct"].to_numpy(), minlength=shape[0] * shape[1])
    return counted.reshape(shape).astype(np.float32), right.reshape(shape).astype(np.float32)
