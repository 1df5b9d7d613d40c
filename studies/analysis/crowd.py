"""How the vote grows with the crowd, and what a perfect choice between people and model would get right.

A vote of more people is right more often, so its accuracy means nothing without the size of the crowd. Here crowds of
a fixed size k are drawn, without replacement, from those who answered a question (with a confidence, for the pool), and
every question with at least k of them counts; the mean over the draws is what a crowd of k would get right. The
interval is over question-side clusters, the people held fixed. Rules, ties and clipping are those of `vote`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from studies.analysis import cluster
from studies.analysis.cluster import Array, Codes
from studies.analysis.estimate import Estimate, Population, undefined
from studies.analysis.vote import CLIP, NO_VOTES, OPTIONS, TIE, Polls, Rule, options_of

MOST_DRAWS, DRAWN, SEED = 40, 10_000, 0
SIZES = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50)
NO_CROWD = "no question was answered by {} people"


@dataclass(frozen=True)
class Ballots:
    """Answers by question, padded to the longest row; `is_vote` marks the real ones.

    choice, confidence: (questions, most votes). gold, options, item: one a question.
    """

    choice: Codes
    confidence: Array
    is_vote: np.ndarray
    gold: Codes
    options: Codes
    item: Codes


def accuracy_of(
    trials: pd.DataFrame, size: int, rule: Rule, *, population: Population = "random", polls: Polls | None = None
) -> Estimate:
    """Share of questions that a crowd of `size` gets right, on questions that so many answered."""
    if not (polls or Polls(trials)).can_vote:
        return undefined(NO_VOTES, n_trials=len(trials))
    ballots = _ballots(trials, rule)
    enough = ballots.is_vote.sum(axis=1) >= size
    if not enough.any():
        return undefined(NO_CROWD.format(size))
    return _estimate(ballots, enough, size, _credits(ballots, [size], rule)[0])


def curve(trials: pd.DataFrame, rule: Rule = "pool") -> list[tuple[int, Estimate]]:
    """The same for growing crowds, always on the questions that half of the questions' crowds at least reach.

    Sizes up to the median number of votes, so that every point is about the same questions. Empty without votes.
    """
    if not Polls(trials).can_vote:
        return []
    ballots = _ballots(trials, rule)
    votes = ballots.is_vote.sum(axis=1)
    sizes = [size for size in SIZES if size <= np.median(votes)]
    if not sizes:
        return []
    enough = votes >= sizes[-1]
    found = _credits(ballots, sizes, rule)
    return [(size, _estimate(ballots, enough, size, credit)) for size, credit in zip(sizes, found, strict=True)]


def oracle(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Share of trials that the person or the model alone gets right: what choosing perfectly between both would earn.

    mean of 1 - (1 - correct)(1 - model_correct). Descriptive: nobody has that choice. Undefined without the model.
    """
    known = trials.loc[trials["model_correct"].notna()]
    if known.empty:
        return undefined("no answers of the model alone", n_trials=len(trials))
    either = 1 - (1 - known["correct"]) * (1 - known["model_correct"])
    return cluster.mean(known, either, population=population)


def oracle_of_vote(trials: pd.DataFrame, *, population: Population = "random", polls: Polls | None = None) -> Estimate:
    """Share of questions that the majority or the model alone gets right; a tie counts 1/T."""
    polls = polls or Polls(trials)
    if not polls.can_vote:
        return undefined(NO_VOTES, n_trials=len(trials))
    table = polls.of("majority")
    first = cluster.first_rows(cluster.codes_of(trials, "question"))[0]  # the order of a poll's rows
    model = trials["model_correct"].to_numpy(np.float64)[first]
    if len(model) != len(table) or np.isnan(model).any():
        return undefined("the model alone was not asked every question", n_trials=len(trials))
    either = 1 - (1 - table["credit"].to_numpy(np.float64)) * (1 - model)
    return cluster.jackknife(either, table["item"].to_numpy(np.int64), note="the crowd fixed")


def draws_for(ballots: Ballots) -> int:
    """How many crowds are drawn for each question: fewer where many questions make the mean sure enough."""
    return int(np.clip(DRAWN // len(ballots.gold), 5, MOST_DRAWS))


def _ballots(trials: pd.DataFrame, rule: Rule) -> Ballots:
    choice, gold = options_of(trials)
    confidence = trials["confidence"].to_numpy(np.float64)
    votes = (choice >= 0) & ((rule == "majority") | ~np.isnan(confidence))
    first, asked = cluster.first_rows(cluster.codes_of(trials, "question"))
    named = np.zeros(len(first), dtype=np.int64)
    np.maximum.at(named, asked, np.maximum(choice, gold) + 1)
    listed = trials["option_count"].fillna(OPTIONS).to_numpy().astype(np.int64)[first]
    rows = np.flatnonzero(votes)[np.argsort(asked[votes], kind="stable")]
    n = np.bincount(asked[rows], minlength=len(first))
    column = np.arange(len(rows)) - np.repeat(np.cumsum(n) - n, n)
    shape = (len(first), int(n.max(initial=1)))
    table, sure, is_vote = np.zeros(shape, dtype=np.int64), np.full(shape, 0.5), np.zeros(shape, dtype=bool)
    table[asked[rows], column] = choice[rows]
    sure[asked[rows], column] = 1.0 if rule == "majority" else confidence[rows]
    is_vote[asked[rows], column] = True
    items = cluster.question_codes(trials)[first]
    return Ballots(table, sure, is_vote, gold[first], np.maximum(listed, np.maximum(named, 2)), items)


def _credits(ballots: Ballots, sizes: Sequence[int], rule: Rule) -> list[Array]:
    """Mean credit of each question over the draws, for each size; a larger crowd holds the smaller one."""
    rng = np.random.default_rng(SEED)
    options = int(ballots.options.max())
    is_option = np.arange(options) < ballots.options[:, None]
    gains = _gains(ballots, rule)
    totals = [np.zeros(len(ballots.gold)) for _ in sizes]
    place = np.arange(len(ballots.gold))[:, None]
    most = max(sizes)
    draws = draws_for(ballots)
    for _ in range(draws):
        keys = np.where(ballots.is_vote, rng.random(ballots.is_vote.shape), 2.0)
        drawn = np.argsort(keys, axis=1)[:, :most]
        chosen = place * options + np.take_along_axis(ballots.choice, drawn, axis=1)
        gain = np.take_along_axis(gains, drawn, axis=1)
        for total, size in zip(totals, sizes, strict=True):
            weights = gain[:, :size].ravel()
            scores = np.bincount(chosen[:, :size].ravel(), weights=weights, minlength=is_option.size)
            scores = np.where(is_option, scores.reshape(is_option.shape), -np.inf)
            best = (scores >= scores.max(axis=1, keepdims=True) - TIE) & is_option
            total += np.where(best[place[:, 0], ballots.gold], 1.0 / best.sum(axis=1), 0.0)
    return [total / draws for total in totals]


def _gains(ballots: Ballots, rule: Rule) -> Array:
    """What a vote adds to its option over the others: 1, the confidence, or the pool's log-odds."""
    if rule != "pool":
        return ballots.confidence
    own = np.clip(ballots.confidence, *CLIP)
    return np.asarray(np.log(own) - np.log((1 - own) / (ballots.options[:, None] - 1)))


def _estimate(ballots: Ballots, enough: np.ndarray, size: int, credit: Array) -> Estimate:
    note = f"crowds of {size}, fixed, mean of {draws_for(ballots)} draws, seed {SEED}"
    found = cluster.jackknife(credit[enough], ballots.item[enough], note=note)
    return replace(found, flags=(*found.flags, *(() if enough.all() else ("not_every_question",))))


pool_of_3 = partial(accuracy_of, size=3, rule="pool")
pool_of_5 = partial(accuracy_of, size=5, rule="pool")
pool_of_10 = partial(accuracy_of, size=10, rule="pool")
