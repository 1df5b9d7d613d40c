"""Weight of advice by hand."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from studies.analysis import weight_of_advice
from studies.analysis.data import read
from studies.analysis.derive import with_advice

# first answer and confidence, model's answer and confidence, final answer and confidence, weight; four options
CASES = [
    ("A", 0.6, "A", 0.9, "A", 0.75, 0.5),
    ("B", 0.7, "A", 0.9, "A", 0.9, 1.0),  # .1 on A before
    ("B", 0.7, "A", 0.9, "B", 0.7, 0.0),
    ("B", 0.4, "A", 0.8, "B", 0.7, -1 / 6),  # .2 on A before, .1 after: away from it
    ("A", 0.6, "A", 0.64, "A", 0.9, None),  # less than .05 apart
    ("A", 0.6, "A", 0.65, "A", 0.65, 1.0),  # .05 apart counts
    ("", None, "A", 0.9, "A", 0.9, None),
    ("A", 0.6, "", None, "A", 0.9, None),
]


@pytest.fixture
def trials() -> pd.DataFrame:
    names = [
        "initial_answer",
        "initial_confidence",
        "model_answer",
        "model_confidence",
        "answer",
        "confidence",
        "expected",
    ]
    frame = pd.DataFrame(CASES, columns=names).assign(
        participant=list("aabbccdd"), question=[f"q{i}" for i in range(8)], gold="A", assistant_answer="",
        model_correct=1.0, option_count=4.0, timed_out=0.0,
    )  # fmt: skip
    return with_advice(frame)


def test_each_weight(trials: pd.DataFrame) -> None:
    found = weight_of_advice.weights(trials)
    assert found.tolist() == pytest.approx(trials["expected"].tolist(), nan_ok=True)


def test_median_and_clipped_mean_with_their_denominator(trials: pd.DataFrame) -> None:
    weighed = trials.assign(woa=weight_of_advice.weights(trials))
    median, mean = weight_of_advice.median(weighed), weight_of_advice.mean_clipped(weighed)
    assert (median.estimate, median.n_trials, median.low) == (pytest.approx(0.5), 5, None)
    assert mean.estimate == pytest.approx((0.5 + 1 + 0 + 0 + 1) / 5)
    assert mean.low is not None
    assert "median" in median.reason


def test_an_assistant_that_argued_for_something_else_has_no_known_probability(trials: pd.DataFrame) -> None:
    other = with_advice(trials.assign(assistant_answer="C"))
    assert weight_of_advice.weights(other).isna().all()
    same = with_advice(trials.assign(assistant_answer=trials["model_answer"]))
    assert weight_of_advice.weights(same).tolist() == pytest.approx(trials["expected"].tolist(), nan_ok=True)


def test_without_first_answers_there_is_no_weight(trials: pd.DataFrame) -> None:
    assert weight_of_advice.median(trials.assign(woa=float("nan"))).reason == weight_of_advice.NO_WEIGHT
    assert weight_of_advice.mean_clipped(trials).reason == weight_of_advice.NO_WEIGHT


def test_reading_a_table_weighs_the_advice(write: Callable[..., Path]) -> None:
    head = "participant,question,condition,answer,gold,confidence,initial_answer,initial_confidence,model_answer"
    table = read(write(f"{head},model_confidence", "p,q,human+model,A,A,.75,A,.6,A,.9")).trials
    assert table.loc[table["condition"] == "human+model", "woa"].tolist() == pytest.approx([0.5])
