"""Contrasts by hand on small tables, and synergy as an intersection-union test."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from studies.analysis import compare
from studies.analysis.estimate import Estimate


@pytest.fixture
def study() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Twelve people, fourteen questions, Latin: with the model on the questions of the other parity."""
    rng = np.random.default_rng(5)
    rows = [
        (
            f"p{p}",
            f"q{q}",
            "hm" if (p + q) % 2 else "h",
            float(rng.random() < (0.8 if (p + q) % 2 else 0.5)),
            float(q % 3 > 0),
        )
        for p in range(12)
        for q in range(14)
        if (p * q) % 5 != 1
    ]
    frame = pd.DataFrame(rows, columns=["participant", "question", "condition", "correct", "model_correct"])
    return frame[frame["condition"] == "hm"], frame[frame["condition"] == "h"]


def test_micro_is_the_difference_of_means(study: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    treated, baseline = study
    found = compare.micro(treated, baseline)
    assert found.estimate == pytest.approx(treated["correct"].mean() - baseline["correct"].mean())
    assert (found.P, found.Q, found.df) == (12, 14, 11)


def test_question_weighted_is_the_mean_difference_within_questions(study: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    treated, baseline = study
    treated = treated[treated["question"] != "q3"]
    within = treated.groupby("question")["correct"].mean() - baseline.groupby("question")["correct"].mean()
    found = compare.question_weighted(treated, baseline)
    assert found.estimate == pytest.approx(within.mean())
    assert found.Q == 13
    assert found.n_trials == len(treated) + len(baseline[baseline["question"] != "q3"])


def test_question_weighted_needs_a_question_in_both(study: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    treated, baseline = study
    found = compare.question_weighted(treated, baseline.assign(question="x" + baseline["question"]))
    assert (found.estimate, found.reason) == (None, "no question is seen in both conditions")


def test_against_the_model_on_the_same_questions(study: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    treated, _ = study
    found = compare.minus_model(treated, treated["model_correct"])
    assert found.estimate == pytest.approx((treated["correct"] - treated["model_correct"]).mean())
    assert found.p is not None
    partly = treated["model_correct"].where(treated["question"] != "q1")
    assert "model_not_asked_everywhere" in compare.minus_model(treated, partly).flags
    assert compare.minus_model(treated, partly * np.nan).reason == "no answers of the model alone on these questions"
    one = treated[treated["participant"] == "p1"]
    assert compare.minus_model(one, one["model_correct"]).reason == "fewer than 2 participants: no contrast"


def test_synergy_is_the_smaller_gain_and_its_p_the_larger_one_sided() -> None:
    human = Estimate(estimate=0.2, se=0.05, df=19.0)
    model = Estimate(estimate=0.1, se=0.06, df=19.0)
    found = compare.synergy(human, model)
    assert found.estimate == 0.1
    assert found.p == pytest.approx(stats.t.sf(0.1 / 0.06, 19))
    # The larger p need not belong to the smaller gain.
    assert compare.synergy(Estimate(estimate=0.2, se=0.2, df=19.0), model).p == pytest.approx(stats.t.sf(1.0, 19))
    assert found.low is None
    assert found.reason


def test_negative_synergy_is_never_significant() -> None:
    found = compare.synergy(Estimate(estimate=0.3, se=0.01, df=9.0), Estimate(estimate=-0.2, se=0.01, df=9.0))
    assert found.estimate == -0.2
    assert found.p > 0.99


def test_synergy_without_a_contrast_is_undefined() -> None:
    found = compare.synergy(Estimate(reason="only one condition has trials"), Estimate(estimate=0.1, se=0.1, df=9.0))
    assert (found.estimate, found.p) == (None, None)
    assert "only one condition" in found.reason
    untested = compare.synergy(Estimate(estimate=0.1), Estimate(estimate=0.2, se=0.1, df=9.0))
    assert (untested.estimate, untested.p) == (0.1, None)
