"""Accuracy by hand on small tables, and against statsmodels."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta, norm
from statsmodels.stats.proportion import proportion_confint

from studies.analysis import accuracy


@pytest.fixture
def trials() -> pd.DataFrame:
    """Ann answers three questions, Ben one; law has three trials, art one."""
    return pd.DataFrame(
        {
            "participant": ["ann", "ann", "ann", "ben"],
            "question": ["q1", "q2", "q3", "q1"],
            "subject": ["law", "law", "art", "law"],
            "correct": [1.0, 0.0, 1.0, 0.0],
            "timed_out": [0.0, 0.0, 0.0, 1.0],
            "position": [1.0, 2.0, 3.0, 1.0],
        }
    )


def test_every_trial_weighs_the_same(trials: pd.DataFrame) -> None:
    found = accuracy.micro(trials)
    assert (found.estimate, found.n_trials, found.P, found.Q) == (0.5, 4, 2, 3)


def test_means_of_groups_weigh_the_group(trials: pd.DataFrame) -> None:
    assert accuracy.participant_weighted(trials).estimate == pytest.approx((2 / 3 + 0) / 2)
    assert accuracy.question_weighted(trials).estimate == pytest.approx((0.5 + 0 + 1) / 3)
    assert accuracy.macro_subject(trials).estimate == pytest.approx((1 / 3 + 1) / 2)


def test_means_of_groups_equal_the_plain_mean_in_a_balanced_table() -> None:
    rng = np.random.default_rng(0)
    pairs = [(p, q, float(rng.random() < 0.6)) for p in range(12) for q in range(11)]
    frame = pd.DataFrame(pairs, columns=["participant", "question", "correct"])
    plain = accuracy.micro(frame)
    for weighted in (accuracy.question_weighted(frame), accuracy.participant_weighted(frame)):
        assert (weighted.estimate, weighted.se) == pytest.approx((plain.estimate, plain.se))


def test_subjects_need_subjects(trials: pd.DataFrame) -> None:
    found = accuracy.macro_subject(trials.assign(subject=""))
    assert (found.estimate, found.reason) == (None, "no question has a subject")


def test_descriptive_intervals_are_statsmodels_and_say_that_they_ignore_clustering(trials: pd.DataFrame) -> None:
    for function, method in (
        (accuracy.wilson, "wilson"), (accuracy.clopper_pearson, "beta"), (accuracy.jeffreys, "jeffreys"),
        (accuracy.agresti_coull, "agresti_coull"),
    ):  # fmt: skip
        found = function(trials)
        assert (found.low, found.high) == pytest.approx(proportion_confint(2, 4, method=method))
        assert found.method.endswith("iid: ignores clustering")
        assert found.se is None


def test_exact_interval_is_there_when_everybody_is_right(trials: pd.DataFrame) -> None:
    found = accuracy.clopper_pearson(trials.assign(correct=1.0))
    assert (found.low, found.high) == pytest.approx((0.025 ** (1 / 4), 1.0))  # the closed form at n of n


@pytest.mark.parametrize("right", range(7))
def test_agresti_coull_is_its_closed_form_cut_at_0_and_1(right: int) -> None:
    """Agresti & Coull 1998: the Wald interval after z²/2 more right and z²/2 more wrong answers."""
    frame = pd.DataFrame({"correct": [1.0] * right + [0.0] * (6 - right)})
    z = norm.ppf(0.975)
    n = 6 + z**2
    p = (right + z**2 / 2) / n
    half = z * (p * (1 - p) / n) ** 0.5
    found = accuracy.agresti_coull(frame)
    assert (found.low, found.high) == pytest.approx((max(0.0, p - half), min(1.0, p + half)))
    assert (found.low, found.high) != pytest.approx((p - half, p + half)) or 0 < right < 6


@pytest.mark.parametrize("right", range(1, 6))
def test_jeffreys_is_the_beta_quantiles(right: int) -> None:
    frame = pd.DataFrame({"correct": [1.0] * right + [0.0] * (6 - right)})
    found = accuracy.jeffreys(frame)
    assert (found.low, found.high) == pytest.approx(tuple(beta.ppf([0.025, 0.975], right + 0.5, 6.5 - right)))


def test_samples_of_a_model_weigh_their_question_once() -> None:
    model = pd.DataFrame(
        {"question": ["q1", "q1", "q1", "q1", "q2"], "correct": [1.0, 1.0, 1.0, 0.0, 0.0], "weight": [0.25] * 4 + [1.0]}
    )
    assert accuracy.micro(model).estimate == pytest.approx((0.75 + 0) / 2)
    assert accuracy.wilson(model).high == pytest.approx(proportion_confint(0.75, 2, method="wilson")[1])


def test_timeouts_are_counted(trials: pd.DataFrame) -> None:
    assert accuracy.timeout_rate(trials).estimate == 0.25


def test_halves_leave_the_middle_trial_out(trials: pd.DataFrame) -> None:
    two = pd.concat(
        [trials[:3], trials[:3].assign(participant="cem", correct=[0.0, 1.0, 1.0], question=["q4", "q5", "q6"])]
    )
    found = accuracy.second_minus_first_half(two)
    assert (found.estimate, found.n_trials) == (pytest.approx(1.0 - 0.5), 4)
    assert accuracy.second_minus_first_half(trials.assign(position=np.nan)).reason == "no positions are recorded"
