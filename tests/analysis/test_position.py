"""Preference for a place against statsmodels' Hotelling test, and by hand."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multivariate import test_mvmean as hotelling

from studies.analysis import position

QUESTIONS = 40


def rotations(places: np.ndarray, passages: int = 1) -> pd.DataFrame:
    """`places`: questions × 4, the place chosen in each rotation."""
    question = np.repeat(np.arange(len(places)), places.shape[1])
    return pd.DataFrame(
        {
            "question_code": question,
            "item_code": question // passages,
            "place_code": places.ravel().astype(float),
            "weight": 1 / places.shape[1],
        }
    )


@pytest.fixture
def biased() -> np.ndarray:
    """A model that looks at the place half of the time, and then likes the first."""
    rng = np.random.default_rng(4)
    by_content = (rng.integers(0, 4, QUESTIONS)[:, None] - np.arange(4)) % 4
    return np.where(rng.random((QUESTIONS, 4)) < 0.5, rng.choice(4, (QUESTIONS, 4), p=[0.6, 0.2, 0.1, 0.1]), by_content)


def test_shares_and_the_largest_deviation(biased: np.ndarray) -> None:
    rows = rotations(biased)
    shares = [position.share_at[letter](rows).estimate for letter in "ABCD"]
    assert shares == pytest.approx([(biased == place).mean() for place in range(4)])
    assert position.max_deviation(rows).estimate == pytest.approx(max(abs(share - 0.25) for share in shares))
    found = position.share_at["A"](rows)
    assert found.low < found.estimate < found.high
    assert found.Q == QUESTIONS


@pytest.mark.parametrize("passages", [1, 2])
def test_the_test_is_hotellings_over_clusters(biased: np.ndarray, passages: int) -> None:
    found = position.max_deviation(rotations(biased, passages))
    shares = np.stack([(biased == place).mean(axis=1) for place in range(4)], axis=1)
    shares = shares.reshape(-1, passages, 4).mean(axis=1)
    assert found.p == pytest.approx(hotelling(shares[:, :3], np.full(3, 0.25)).pvalue)
    assert found.Q * passages == QUESTIONS
    assert found.p < 0.01


def test_a_model_that_looks_only_at_what_options_say_has_no_preference() -> None:
    """Each place once for every question: nothing varies, so there is no test, and the deviation is 0."""
    rows = rotations((np.arange(QUESTIONS)[:, None] - np.arange(4)) % 4)
    found = position.max_deviation(rows)
    assert (found.estimate, found.p) == (0, None)
    assert "do not vary" in found.reason
    assert position.share_at["B"](rows).estimate == 0.25


def test_chance_alone_is_rarely_a_preference() -> None:
    rng = np.random.default_rng(8)
    p_values = [position.max_deviation(rotations(rng.integers(0, 4, (QUESTIONS, 4)))).p for _ in range(200)]
    assert 0.01 < np.mean([p is not None and p < 0.05 for p in p_values]) < 0.10


def test_a_question_with_an_open_rotation_is_left_out_whole(biased: np.ndarray) -> None:
    rows = rotations(biased)
    rows.loc[2, "place_code"] = np.nan
    assert position.share_at["A"](rows).estimate == pytest.approx((biased[1:] == 0).mean())
    assert position.max_deviation(rows).n_trials == 4 * (QUESTIONS - 1)


def test_what_has_no_rotations_is_undefined_with_a_reason(biased: np.ndarray) -> None:
    rows = rotations(biased)
    some = rows.assign(place_code=rows["place_code"].where(rows.index % 4 > 0))
    for frame, reason in (
        (rows.assign(place_code=np.nan), position.NOT_ROTATED),
        (some, position.INCOMPLETE),
        (rows.iloc[1:], position.UNEVEN),
        (rows.assign(place_code=7.0), position.UNEVEN),
    ):
        for function in (position.share_at["A"], position.max_deviation):
            found = function(frame)
            assert (found.estimate, found.reason) == (None, reason)
    few = position.max_deviation(rotations(biased[:4]))
    assert few.p is None
    assert "4 question-side clusters for 4 places" in few.reason
