"""Agreement of two protocols against scikit-learn and statsmodels."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa

from studies.analysis import agreement

N = 120


def answers(codes: np.ndarray, questions: np.ndarray | None = None, passages: int = 1) -> pd.DataFrame:
    number = np.arange(len(codes)) if questions is None else questions
    return pd.DataFrame({"question_code": number, "item_code": number // passages, "answer_code": codes.astype(float)})


@pytest.fixture
def two() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(11)
    one = rng.choice(4, N, p=[0.4, 0.3, 0.2, 0.1])
    return one, np.where(rng.random(N) < 0.6, one, rng.integers(0, 4, N))


def test_kappa_equals_scikit_learn(two: tuple[np.ndarray, np.ndarray]) -> None:
    found = agreement.kappa(answers(two[0]), answers(two[1]))
    assert found.estimate == pytest.approx(cohen_kappa_score(*two))
    assert (found.n_trials, found.Q) == (N, N)
    assert agreement.same(answers(two[0]), answers(two[1])).estimate == pytest.approx((two[0] == two[1]).mean())


def test_its_standard_error_is_the_large_sample_one_of_statsmodels(two: tuple[np.ndarray, np.ndarray]) -> None:
    """With every question a cluster of its own, but for n/(n - 1)."""
    found = agreement.kappa(answers(two[0]), answers(two[1]))
    other = cohens_kappa(pd.crosstab(*two).to_numpy())
    assert found.se is not None
    assert found.se == pytest.approx(other.std_kappa * np.sqrt(N / (N - 1)))


def test_questions_of_a_passage_are_one_cluster(two: tuple[np.ndarray, np.ndarray]) -> None:
    found = agreement.kappa(answers(two[0], passages=6), answers(two[1], passages=6))
    assert found.estimate == pytest.approx(cohen_kappa_score(*two))
    assert found.Q == N // 6
    assert found.df == N // 6 - 1


def test_only_questions_that_both_answered_count(two: tuple[np.ndarray, np.ndarray]) -> None:
    one, other = answers(two[0]), answers(two[1])
    one.loc[:9, "answer_code"] = np.nan
    other.loc[5:19, "answer_code"] = np.nan
    shuffled = other.sample(frac=1, random_state=1)
    found = agreement.kappa(one, shuffled)
    assert found.n_trials == N - 20
    assert found.estimate == pytest.approx(cohen_kappa_score(two[0][20:], two[1][20:]))


def test_what_cannot_be_compared_is_undefined_with_a_reason() -> None:
    zeros, twice = answers(np.zeros(20)), answers(np.zeros(20), np.arange(20) // 2)
    for function in (agreement.kappa, agreement.same):
        assert function(zeros, twice).reason == agreement.SAMPLED
        assert function(zeros, answers(np.zeros(5), np.arange(50, 55))).reason == agreement.NOTHING_SHARED
    assert agreement.kappa(zeros, zeros).estimate is None
    assert "one and the same option" in agreement.kappa(zeros, zeros).reason
    assert agreement.same(zeros, zeros).estimate == 1
    assert "degenerate" in agreement.same(zeros, zeros).flags
