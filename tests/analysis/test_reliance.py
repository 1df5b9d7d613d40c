"""Reliance by hand: eight trials of each kind that advice can have."""

import pandas as pd
import pytest

from studies.analysis import reliance
from studies.analysis.derive import with_advice

# first answer, advice, final answer; gold is A
CASES = [
    ("B", "A", "A"),  # mended
    ("B", "A", "A"),  # mended
    ("B", "A", "B"),  # under-reliance
    ("A", "B", "A"),  # kept
    ("A", "B", "B"),  # spoilt
    ("A", "A", "A"),
    ("C", "B", "C"),
    ("C", "B", "B"),
]


@pytest.fixture
def trials() -> pd.DataFrame:
    frame = pd.DataFrame(CASES, columns=["initial_answer", "assistant_answer", "answer"])
    right = (frame["assistant_answer"] == "A").astype(float)
    frame = frame.assign(
        participant=list("aabbccdd"),
        question=[f"q{i}" for i in range(8)],
        correct=(frame["answer"] == "A").astype(float),
        initial_correct=(frame["initial_answer"] == "A").astype(float),
        gold="A",
        model_answer="",
        model_correct=right,
        timed_out=0.0,
    )
    return with_advice(frame)


@pytest.mark.parametrize(
    ("name", "value", "n"),
    [
        ("agreement", 5 / 8, 8),
        ("agreement_when_wrong", 2 / 4, 4),
        ("disagreement_when_right", 1 / 4, 4),
        ("accuracy_when_right", 3 / 4, 4),
        ("accuracy_when_wrong", 1 / 4, 4),
        ("rair", 2 / 3, 3),
        ("rsr", 1 / 2, 2),
        ("switch", 4 / 7, 7),
        ("change", 4 / 8, 8),
        ("beneficial", 2 / 8, 8),
        ("harmful", 1 / 8, 8),
        ("deference", 4 / 8, 8),
    ],
)
def test_each_share_and_its_denominator(trials: pd.DataFrame, name: str, value: float, n: int) -> None:
    found = getattr(reliance, name)(trials)
    assert (found.estimate, found.n_trials) == (pytest.approx(value), n)


def test_timeouts_are_left_out(trials: pd.DataFrame) -> None:
    late = with_advice(trials.assign(timed_out=[1.0] + [0.0] * 7, answer=["", *trials["answer"][1:]]))
    assert reliance.rair(late).n_trials == 2
    assert reliance.agreement(late).n_trials == 7
    assert reliance.agreement(trials.assign(timed_out=[1.0] + [0.0] * 7)).n_trials == 7


def test_without_first_answers_there_is_no_rair_and_it_says_so(trials: pd.DataFrame) -> None:
    found = reliance.rair(with_advice(trials.assign(initial_answer="")))
    assert (found.estimate, found.reason) == (None, "no trials with a first answer and advice of this kind")


def test_without_advice_there_is_no_agreement(trials: pd.DataFrame) -> None:
    assert (
        reliance.agreement(with_advice(trials.assign(assistant_answer="", model_answer=""))).reason
        == "no answered trials with advice of this kind"
    )
