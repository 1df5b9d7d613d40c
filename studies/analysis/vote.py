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
from typing import Literal

import numpy as np
import pandas as pd

from studies.analysis import calibration, cluster
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

    Columns: question, item (question-side cluster), n_people, credit (1/T, or 0), tied (T), probability (of the winner,
    capped; NaN except for `pool`), draw (1 or 0 after a seeded draw between the tied). A question that nobody answered
    has credit 0; one that was answered without any confidence is absent from the weighted votes.
    """
    names, asked = np.unique(trials["question"].to_numpy(dtype=object), return_inverse=True)
    first = np.unique(asked, return_index=True)[1]
    about = trials.iloc[first]
    has_answer = (trials["answer"] != "").to_numpy()
    votes = has_answer if rule == "majority" else has_answer & trials["confidence"].notna().to_numpy()
    absent = np.bincount(asked, weights=has_answer & ~votes) > 0
    absent &= np.bincount(asked, weights=votes) == 0

    choice, gold, width = _option_numbers(asked, trials["answer"].to_numpy(), about["gold"].to_numpy(), has_answer)
    size = np.maximum(about["option_count"].fillna(OPTIONS).to_numpy().astype(np.int64), np.maximum(width, 2))
    is_option = np.arange(size.max())[None, :] < size[:, None]
    scores = _scores(rule, asked[votes], choice[votes], trials["confidence"].to_numpy()[votes], size, is_option)

    top = scores.max(axis=1, keepdims=True)
    best = (scores >= top - TIE) & is_option
    tied = best.sum(axis=1)
    people = np.bincount(asked[votes], minlength=len(names))
    credit = np.where((people > 0) & best[np.arange(len(names)), gold], 1.0 / tied, 0.0)
    draw = _draw(best, gold, credit)
    item = cluster.sides_of([about]).question
    table = pd.DataFrame(
        {
            "question": names,
            "item": item,
            "n_people": people,
            "credit": credit,
            "tied": tied,
            "probability": np.where((people > 0) & (rule == "pool"), np.minimum(top[:, 0], CAP), np.nan),
            "draw": draw,
        }
    )
    return table.loc[~absent].reset_index(drop=True)


def majority(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Accuracy of the majority vote, fractional credit for ties."""
    return _accuracy(trials, "majority", "credit")


def majority_draw(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Accuracy of the majority vote, ties broken by a seeded draw."""
    return _accuracy(trials, "majority", "draw")


def weighted_sum(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Accuracy of the option with the largest sum of confidences, fractional credit for ties."""
    return _accuracy(trials, "weighted_sum", "credit")


def pool_accuracy(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Accuracy of the paper's weighted vote, fractional credit for ties."""
    return _accuracy(trials, "pool", "credit")


def pool_draw(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Accuracy of the paper's weighted vote, ties broken by a seeded draw."""
    return _accuracy(trials, "pool", "draw")


def pool_five_bin_unweighted(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """The paper's calibration error of the weighted vote, every bin weighing the same."""
    return _calibration_error(trials, is_count_weighted=False)


def pool_five_bin_weighted(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """The paper's calibration error of the weighted vote, bins weighed by their number of questions."""
    return _calibration_error(trials, is_count_weighted=True)


def pool_at_cap(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Accuracy on the questions whose weighted vote reaches the 99 % cap; n_trials counts those questions."""
    if not _can_vote(trials):
        return undefined(NO_VOTES, n_trials=len(trials))
    table = poll(trials, "pool")
    capped = table.loc[table["probability"] >= CAP - TIE]
    return _mean(capped, "credit") if len(capped) else undefined("no vote reaches the cap")


def _accuracy(trials: pd.DataFrame, rule: Rule, column: str) -> Estimate:
    return _mean(poll(trials, rule), column) if _can_vote(trials) else undefined(NO_VOTES, n_trials=len(trials))


def _mean(table: pd.DataFrame, column: str) -> Estimate:
    if table.empty:
        return undefined("no question has a vote with a confidence")
    low, high = table["n_people"].min(), table["n_people"].max()
    crowd = f"crowd of {low}" if low == high else f"crowd of {low} to {high}"
    return cluster.jackknife(
        table[column].to_numpy(np.float64), table["item"].to_numpy(np.int64), note=f"{crowd}, fixed"
    )


def _calibration_error(trials: pd.DataFrame, *, is_count_weighted: bool) -> Estimate:
    if not _can_vote(trials):
        return undefined(NO_VOTES, n_trials=len(trials))
    table = poll(trials, "pool").dropna(subset=["probability"])
    if table.empty:
        return undefined(calibration.NOBODY)
    value = calibration.five_bin_error(
        table["probability"].to_numpy(), table["credit"].to_numpy(), is_count_weighted=is_count_weighted
    )
    return Estimate(
        estimate=value, method="five bins of the paper, left-closed", n_trials=len(table),
        Q=int(table["item"].nunique()), reason=calibration.NO_INTERVAL,
    )  # fmt: skip


def _can_vote(trials: pd.DataFrame) -> bool:
    return bool(len(trials)) and bool((trials["gold"] != "").all()) and bool((trials["answer"] != "").any())


def _option_numbers(
    asked: cluster.Codes, answers: np.ndarray, gold: np.ndarray, has_answer: np.ndarray
) -> tuple[cluster.Codes, cluster.Codes, cluster.Codes]:
    """Number the options of each question in sorted order: of every answer, of gold, and how many were seen."""
    everything = pd.DataFrame(
        {
            "question": np.concatenate([asked, np.arange(len(gold))]),
            "option": np.concatenate([np.where(has_answer, answers, gold[asked]), gold]),
        }
    )
    seen = everything.drop_duplicates().sort_values(["question", "option"])
    seen = seen.assign(number=seen.groupby("question").cumcount())
    number = everything.merge(seen, on=["question", "option"], how="left")["number"].to_numpy(np.int64)
    width: cluster.Codes = np.bincount(seen["question"]).astype(np.int64)
    return number[: len(asked)], number[len(asked) :], width


def _scores(
    rule: Rule, asked: cluster.Codes, choice: cluster.Codes, confidences: cluster.Array,
    size: cluster.Codes, is_option: np.ndarray,
) -> cluster.Array:  # fmt: skip
    """Score of every option (column) of every question (row); -inf where the question has no such option."""
    scores = np.zeros(is_option.shape)
    if rule == "majority":
        np.add.at(scores, (asked, choice), 1.0)
    elif rule == "weighted_sum":
        np.add.at(scores, (asked, choice), confidences)
    else:
        own = np.clip(confidences, *CLIP)
        other = np.log((1 - own) / (size[asked] - 1))
        scores += np.bincount(asked, weights=other, minlength=len(size))[:, None]
        np.add.at(scores, (asked, choice), np.log(own) - other)
        scores = np.where(is_option, np.exp(scores - scores.max(axis=1, keepdims=True)), 0.0)
        scores /= scores.sum(axis=1, keepdims=True)
    return np.where(is_option, scores, -np.inf)


def _draw(best: np.ndarray, gold: cluster.Codes, credit: cluster.Array) -> cluster.Array:
    """Break ties by a seeded draw, question by question in sorted order."""
    drawn = credit.copy()
    rng = random.Random(SEED)  # noqa: S311 (a tie-break, not a secret)
    for row in np.flatnonzero((credit > 0) & (credit < 1)):
        drawn[row] = float(rng.choice(np.flatnonzero(best[row]).tolist()) == gold[row])
    return drawn
