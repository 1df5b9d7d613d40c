"""What a crowd would answer: per question, the people of one condition vote, and the vote is scored.

Three rules. `majority`: one person, one vote. `weighted_sum`: the sum of the confidences on an option. `pool`: the
paper's vote: each answer becomes a distribution, the confidence f (clipped to [.01, .99]) on the option and
(1 - f)/(K - 1) on each other; the product over people is normalised, the largest wins, its probability capped at .99.
People without a confidence count in the majority only. T options tied for best (within 1e-9) earn 1/T if the correct
one is among them; a seeded draw between them is reported beside. Accuracy rises with the size of the crowd, so the
interval holds the crowd fixed: a jackknife over question-side clusters. Reference: Bowman et al. 2022.
"""

import random
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from studies.analysis import calibration, cluster
from studies.analysis.derive import option_codes
from studies.analysis.estimate import Estimate, Population, undefined

Rule = Literal["majority", "weighted_sum", "pool"]

CLIP = (0.01, 0.99)
CAP = 0.99
TIE = 1e-9
OPTIONS = 4  # where no option_count is recorded
SEED = 0
NO_VOTES = "votes need answers and gold"


def pool(answers: Sequence[str], confidences: Sequence[float], options: Sequence[str] = "ABCD") -> Mapping[str, float]:
    """The paper's vote on one question: the normalised product of the people's distributions, before the cap.

    Example: pool(["A", "B", "B", "A"], [.60, .80, .25, .42]) gives B .5047 and A .4112.
    """
    log = dict.fromkeys(options, 0.0)
    for answer, value in zip(answers, np.clip(confidences, *CLIP), strict=True):
        for option in options:
            log[option] += float(np.log(value if option == answer else (1 - value) / (len(options) - 1)))
    top = max(log.values())
    total = sum(np.exp(value - top) for value in log.values())
    return {option: float(np.exp(value - top) / total) for option, value in log.items()}


def poll(trials: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """Hold the vote on every question of `trials`; one row per question, sorted by question.

    Columns: item (question-side cluster), n_people, credit (1/T, or 0), tied (T), probability (of the winner,
    capped; NaN except for `pool`), draw (1 or 0 after a seeded draw between the tied). A question that nobody answered
    has credit 0; one that was answered without any confidence is absent from the weighted votes.
    """
    asked = cluster.codes_of(trials, "question")
    first, asked = cluster.first_rows(asked)
    about = trials.iloc[first]
    choice, every_gold = options_of(trials)
    gold, n = every_gold[first], len(first)
    has_confidence = trials["confidence"].notna().to_numpy()
    votes = (choice >= 0) if rule == "majority" else (choice >= 0) & has_confidence
    people = np.bincount(asked[votes], minlength=n)
    absent = (people == 0) & (np.bincount(asked[choice >= 0], minlength=n) > 0)

    named = np.zeros(n, dtype=np.int64)
    np.maximum.at(named, asked, np.maximum(choice, every_gold) + 1)
    size = np.maximum(about["option_count"].fillna(OPTIONS).to_numpy().astype(np.int64), np.maximum(named, 2))
    is_option = np.arange(size.max())[None, :] < size[:, None]
    scores = _scores(rule, asked[votes], choice[votes], trials["confidence"].to_numpy()[votes], size, is_option)

    top = scores.max(axis=1, keepdims=True)
    best = (scores >= top - TIE) & is_option
    tied = best.sum(axis=1)
    credit = np.where((people > 0) & best[np.arange(n), gold], 1.0 / tied, 0.0)
    table = pd.DataFrame(
        {
            "item": cluster.question_codes(about),
            "n_people": people,
            "credit": credit,
            "tied": tied,
            "probability": np.where((people > 0) & (rule == "pool"), np.minimum(top[:, 0], CAP), np.nan),
            "draw": _draw(best, gold, credit),
        }
    )
    return table.iloc[np.flatnonzero(~absent)].reset_index(drop=True)


class Polls:
    """The votes on one table of trials, each rule counted once: several figures come from the same count."""

    def __init__(self, trials: pd.DataFrame) -> None:
        self.trials = trials
        self._held: dict[Rule, pd.DataFrame] = {}

    @cached_property
    def can_vote(self) -> bool:
        """Whether there are answers, and gold for all of them."""
        if self.trials.empty:
            return False
        answer, gold = options_of(self.trials)
        return bool((gold >= 0).all()) and bool((answer >= 0).any())

    def of(self, rule: Rule) -> pd.DataFrame:
        """`poll` of the trials by this rule."""
        if rule not in self._held:
            self._held[rule] = poll(self.trials, rule)
        return self._held[rule]


def majority(trials: pd.DataFrame, *, population: Population = "random", polls: Polls | None = None) -> Estimate:
    """Accuracy of the majority vote, fractional credit for ties."""
    return _accuracy(polls or Polls(trials), "majority", "credit")


def majority_draw(trials: pd.DataFrame, *, population: Population = "random", polls: Polls | None = None) -> Estimate:
    """Accuracy of the majority vote, ties broken by a seeded draw."""
    return _accuracy(polls or Polls(trials), "majority", "draw")


def weighted_sum(trials: pd.DataFrame, *, population: Population = "random", polls: Polls | None = None) -> Estimate:
    """Accuracy of the option with the largest sum of confidences, fractional credit for ties."""
    return _accuracy(polls or Polls(trials), "weighted_sum", "credit")


def pool_accuracy(trials: pd.DataFrame, *, population: Population = "random", polls: Polls | None = None) -> Estimate:
    """Accuracy of the paper's weighted vote, fractional credit for ties."""
    return _accuracy(polls or Polls(trials), "pool", "credit")


def pool_draw(trials: pd.DataFrame, *, population: Population = "random", polls: Polls | None = None) -> Estimate:
    """Accuracy of the paper's weighted vote, ties broken by a seeded draw."""
    return _accuracy(polls or Polls(trials), "pool", "draw")


def pool_five_bin_unweighted(
    trials: pd.DataFrame, *, population: Population = "random", polls: Polls | None = None
) -> Estimate:
    """The paper's calibration error of the weighted vote, every bin weighing the same."""
    return _calibration_error(polls or Polls(trials), is_count_weighted=False)


def pool_five_bin_weighted(
    trials: pd.DataFrame, *, population: Population = "random", polls: Polls | None = None
) -> Estimate:
    """The paper's calibration error of the weighted vote, bins weighed by their number of questions."""
    return _calibration_error(polls or Polls(trials), is_count_weighted=True)


def pool_at_cap(trials: pd.DataFrame, *, population: Population = "random", polls: Polls | None = None) -> Estimate:
    """Accuracy on the questions whose weighted vote reaches the 99 % cap; n_trials counts those questions."""
    polls = polls or Polls(trials)
    if not polls.can_vote:
        return undefined(NO_VOTES, n_trials=len(trials))
    table = polls.of("pool")
    capped = table.loc[table["probability"] >= CAP - TIE]
    return _mean(capped, "credit") if len(capped) else undefined("no vote reaches the cap")


def _accuracy(polls: Polls, rule: Rule, column: str) -> Estimate:
    return _mean(polls.of(rule), column) if polls.can_vote else undefined(NO_VOTES, n_trials=len(polls.trials))


def _mean(table: pd.DataFrame, column: str) -> Estimate:
    if table.empty:
        return undefined("no question has a vote with a confidence")
    low, high = table["n_people"].min(), table["n_people"].max()
    crowd = f"crowd of {low}" if low == high else f"crowd of {low} to {high}"
    return cluster.jackknife(
        table[column].to_numpy(np.float64), table["item"].to_numpy(np.int64), note=f"{crowd}, fixed"
    )


def _calibration_error(polls: Polls, *, is_count_weighted: bool) -> Estimate:
    if not polls.can_vote:
        return undefined(NO_VOTES, n_trials=len(polls.trials))
    table = polls.of("pool").dropna(subset=["probability"])
    if table.empty:
        return undefined(calibration.NOBODY)
    value = calibration.five_bin_error(
        table["probability"].to_numpy(), table["credit"].to_numpy(), is_count_weighted=is_count_weighted
    )
    return Estimate(
        estimate=value, method="five bins of the paper, left-closed", n_trials=len(table),
        Q=int(table["item"].nunique()), reason=calibration.NO_INTERVAL,
    )  # fmt: skip


def options_of(trials: pd.DataFrame) -> tuple[cluster.Codes, cluster.Codes]:
    """Numbers of the answer and of the correct option within the question."""
    if "answer_code" in trials and "gold_code" in trials:
        return trials["answer_code"].to_numpy(), trials["gold_code"].to_numpy()
    return option_codes(trials)


def _scores(
    rule: Rule, asked: cluster.Codes, choice: cluster.Codes, confidences: cluster.Array,
    size: cluster.Codes, is_option: np.ndarray,
) -> cluster.Array:  # fmt: skip
    """Score of every option (column) of every question (row); -inf where the question has no such option."""
    rows, columns = is_option.shape
    place = asked * columns + choice
    if rule == "majority":
        scores = np.bincount(place, weights=np.ones(len(place)), minlength=rows * columns).reshape(rows, columns)
    elif rule == "weighted_sum":
        scores = np.bincount(place, weights=confidences, minlength=rows * columns).reshape(rows, columns)
    else:
        own = np.clip(confidences, *CLIP)
        other = np.log((1 - own) / (size[asked] - 1))
        gain = np.bincount(place, weights=np.log(own) - other, minlength=rows * columns).reshape(rows, columns)
        scores = gain + np.bincount(asked, weights=other, minlength=rows)[:, None]
        scores = np.where(is_option, np.exp(scores - scores.max(axis=1, keepdims=True)), 0.0)
        scores = scores / scores.sum(axis=1, keepdims=True)
    return np.where(is_option, scores, -np.inf)


def _draw(best: np.ndarray, gold: cluster.Codes, credit: cluster.Array) -> cluster.Array:
    """Break ties by a seeded draw, question by question in sorted order."""
    drawn = credit.copy()
    rng = random.Random(SEED)  # noqa: S311 (a tie-break, not a secret)
    for row in np.flatnonzero((credit > 0) & (credit < 1)):
        drawn[row] = float(rng.choice(np.flatnonzero(best[row]).tolist()) == gold[row])
    return drawn
