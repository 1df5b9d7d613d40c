"""Crowds of a fixed size against enumeration of all crowds, and the oracle bound by hand."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from studies.analysis import crowd, vote
from studies.analysis.vote import Rule

SCALE = [0.25, 0.42, 0.6, 0.8, 1.0]


@pytest.fixture
def trials() -> pd.DataFrame:
    """Eighty questions, six people each; half of the answers right."""
    rng = np.random.default_rng(9)
    rows = [(f"p{p}", f"q{q:02d}") for q in range(80) for p in range(6)]
    frame = pd.DataFrame(rows, columns=["participant", "question"])
    right = rng.random(len(frame)) < 0.5
    return frame.assign(
        gold="A",
        answer=np.where(right, "A", rng.choice(list("BCD"), len(frame))),
        confidence=rng.choice(SCALE, len(frame)),
        option_count=4.0,
        model_correct=(frame["question"].str[1:].astype(int) % 3 > 0).astype(float),
        correct=right.astype(float),
        timed_out=0.0,
    )


@pytest.mark.parametrize("rule", ["majority", "weighted_sum", "pool"])
@pytest.mark.parametrize("size", [1, 3, 5])
def test_a_crowd_is_the_mean_over_all_crowds_of_its_size(trials: pd.DataFrame, rule: Rule, size: int) -> None:
    people = sorted(set(trials["participant"]))
    shares = [
        vote.poll(trials[trials["participant"].isin(some)], rule)["credit"].mean()
        for some in combinations(people, size)
    ]
    found = crowd.accuracy_of(trials, size, rule)
    assert found.estimate == pytest.approx(np.mean(shares), abs=0.015)  # 40 draws on each of 80 questions
    assert f"crowds of {size}, fixed" in found.method
    assert found.low < found.estimate < found.high


@pytest.mark.parametrize("rule", ["majority", "weighted_sum", "pool"])
def test_the_crowd_of_everybody_is_the_vote(trials: pd.DataFrame, rule: Rule) -> None:
    found = crowd.accuracy_of(trials, 6, rule)
    assert found.estimate == pytest.approx(vote.poll(trials, rule)["credit"].mean())


def test_larger_crowds_are_right_more_often(trials: pd.DataFrame) -> None:
    curve = crowd.curve(trials)
    assert [size for size, _ in curve] == [1, 2, 3, 5]
    assert curve[-1][1].estimate > curve[0][1].estimate + 0.05
    assert {found.Q for _, found in curve} == {80}


def test_questions_with_too_few_votes_are_left_out_and_it_is_said(trials: pd.DataFrame) -> None:
    fewer = trials[~((trials["question"] < "q10") & (trials["participant"] > "p1"))]
    found = crowd.accuracy_of(fewer, 3, "pool")
    assert (found.Q, "not_every_question" in found.flags) == (70, True)
    assert crowd.accuracy_of(trials, 7, "pool").reason == "no question was answered by 7 people"
    assert crowd.accuracy_of(trials.assign(answer="", confidence=np.nan), 3, "pool").reason == vote.NO_VOTES
    assert crowd.curve(trials.assign(confidence=np.nan)) == []


def test_oracle_takes_whoever_is_right(trials: pd.DataFrame) -> None:
    found = crowd.oracle(trials)
    assert found.estimate == pytest.approx(((trials["correct"] + trials["model_correct"]) > 0).mean())
    of_vote = crowd.oracle_of_vote(trials)
    credit = vote.poll(trials, "majority")["credit"].to_numpy()
    model = trials.groupby("question")["model_correct"].first().to_numpy()
    assert of_vote.estimate == pytest.approx(np.where(model == 1, 1, credit).mean())
    unasked = trials.assign(model_correct=np.nan)
    assert crowd.oracle(unasked).reason == "no answers of the model alone"
    assert crowd.oracle_of_vote(unasked).reason == "the model alone was not asked every question"
