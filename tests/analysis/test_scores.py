"""Proper scores of stated confidence against scikit-learn's log loss and by hand over the whole distribution."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss

from studies.analysis import calibration, scores


@pytest.fixture
def trials() -> pd.DataFrame:
    rng = np.random.default_rng(6)
    confidence = rng.choice([0.25, 0.42, 0.6, 0.8, 1.0], 120)
    return pd.DataFrame(
        {
            "participant": [f"p{i % 12}" for i in range(120)],
            "question": [f"q{i // 12}" for i in range(120)],
            "confidence": confidence,
            "correct": (rng.random(120) < confidence).astype(float),
            "option_count": 4.0,
            "timed_out": 0.0,
        }
    )


def test_log_loss_is_scikit_learns_on_clipped_confidence(trials: pd.DataFrame) -> None:
    found = scores.log_loss(trials)
    clipped = trials["confidence"].clip(0.01, 0.99)
    assert found.estimate == pytest.approx(log_loss(trials["correct"], clipped))
    assert found.low < found.estimate < found.high


def test_scores_of_the_whole_distribution(trials: pd.DataFrame) -> None:
    logs, squares = [], []
    for _, each in trials.iterrows():
        own = min(max(each["confidence"], 0.01), 0.99)
        stated = np.array([own, *[(1 - own) / 3] * 3])
        right = stated[0] if each["correct"] else stated[1]
        logs.append(np.log(right))
        squares.append(2 * right - (stated**2).sum())
    assert scores.log_score(trials).estimate == pytest.approx(np.mean(logs))
    assert scores.quadratic_score(trials).estimate == pytest.approx(np.mean(squares))


def test_knowing_nothing_earns_what_the_definition_says(trials: pd.DataFrame) -> None:
    even = trials.assign(confidence=0.2, option_count=5.0)
    assert scores.log_score(even).estimate == pytest.approx(-np.log(5))
    assert scores.quadratic_score(even).estimate == pytest.approx(0.2)
    assert scores.log_loss(trials.assign(confidence=0.5)).estimate == pytest.approx(np.log(2))


def test_no_option_count_means_four(trials: pd.DataFrame) -> None:
    assert scores.log_score(trials.assign(option_count=np.nan)) == scores.log_score(trials)


def test_without_confidence_there_is_no_score(trials: pd.DataFrame) -> None:
    nobody = trials.assign(confidence=np.nan)
    for function in (scores.log_loss, scores.log_score, scores.quadratic_score):
        assert (function(nobody).estimate, function(nobody).reason) == (None, calibration.NOBODY)


def test_confidences_below_chance_are_counted_by_the_questions_own_number_of_options(trials: pd.DataFrame) -> None:
    assert scores.below_chance(trials) == 0
    some = trials.assign(confidence=[0.24, 0.25, 0.33, 0.49, *trials["confidence"][4:]])
    assert scores.below_chance(some) == 1
    assert scores.below_chance(some.assign(option_count=np.nan)) == 1
    assert scores.below_chance(some[:4].assign(option_count=3.0)) == 2
    assert scores.below_chance(some[:4].assign(option_count=2.0)) == 4
    assert scores.below_chance(some[:4].assign(timed_out=1.0)) == 0
    assert scores.below_chance(trials.assign(confidence=np.nan)) == 0
