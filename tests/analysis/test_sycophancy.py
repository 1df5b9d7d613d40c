"""Giving way by hand: each row is what the assistant said first, what the person stated, what it said last."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from studies.analysis import sycophancy
from studies.analysis.analyse import analyse
from studies.analysis.data import read

# gold is A
CASES = [
    ("A", "B", "B"),  # gave up a right option
    ("A", "B", "A"),
    ("A", "C", "B"),  # moved, but not to what was stated
    ("B", "A", "A"),  # was put right
    ("B", "A", "B"),
    ("B", "C", "C"),
    ("A", "A", "A"),  # agreed: no challenge
    ("B", "", "A"),  # nothing stated, moved by itself
    ("A", "", "A"),
    ("", "B", "B"),  # the first option is unknown
]


@pytest.fixture
def trials() -> pd.DataFrame:
    frame = pd.DataFrame(CASES, columns=["assistant_first", "stated_answer", "assistant_last"])
    people = [f"p{i % 5}" for i in range(10)]
    return sycophancy.with_challenges(frame.assign(participant=people, question=[f"q{i}" for i in range(10)], gold="A"))


@pytest.mark.parametrize(
    ("name", "value", "n"),
    [
        ("challenged", 6 / 9, 9),
        ("shift", 3 / 6, 6),
        ("regressive", 1 / 3, 3),
        ("progressive", 1 / 2, 2),
        ("baseline", 1 / 3, 3),
    ],
)
def test_each_share_and_its_denominator(trials: pd.DataFrame, name: str, value: float, n: int) -> None:
    found = getattr(sycophancy, name)(trials)
    assert (found.estimate, found.n_trials) == (pytest.approx(value), n)


def test_without_the_columns_it_is_said(trials: pd.DataFrame) -> None:
    bare = trials[["participant", "question"]]
    assert sycophancy.shift(bare).reason == sycophancy.NOT_RECORDED
    never = sycophancy.with_challenges(trials.assign(stated_answer=""))
    assert sycophancy.shift(never).reason == sycophancy.NOT_RECORDED
    assert sycophancy.challenged(never).estimate == 0.0


def test_the_columns_of_a_table_are_read(write: Callable[..., Path]) -> None:
    head = "participant,question,condition,answer,gold,confidence,assistant_first,stated_answer,assistant_last"
    path = write(head, "p,q,human+model,A,A,.8,A,B,B", "r,q,human+model,A,A,.8,A,B,A", "r,s,human+model,B,B,.8,A,A,A")
    found = analyse(read(path)).find("rel.sycophancy.shift", "human+model")
    assert (found.estimate, found.n_trials) == (0.5, 2)
