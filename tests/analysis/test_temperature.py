"""The fitted temperature against statsmodels' conditional logit, and that no row has a part in its own."""

import numpy as np
import pytest
from statsmodels.discrete.conditional_models import ConditionalLogit

from studies.analysis import temperature


def answers(n: int = 200, *, sharpness: float = 3.0, seed: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of a model that is `sharpness` times too sure, and the right options drawn from what is true."""
    rng = np.random.default_rng(seed)
    logs = rng.normal(0, 1, (n, 4))
    true = temperature.softmax(logs)
    gold = np.array([rng.choice(4, p=row) for row in true])
    return temperature.softmax(sharpness * logs), gold


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_the_temperature_is_that_of_a_conditional_logit(sharpness: float) -> None:
    """p^(1/T) is a conditional logit whose one coefficient, of the log-probability, is 1/T."""
    shares, gold = answers(sharpness=sharpness)
    logs = np.log(shares)
    chosen = np.zeros(logs.shape)
    chosen[np.arange(len(gold)), gold] = 1
    groups = np.repeat(np.arange(len(gold)), 4)
    other = ConditionalLogit(chosen.ravel(), logs.reshape(-1, 1), groups=groups).fit(disp=0)
    assert temperature.fit(logs, gold, np.ones(len(gold))) == pytest.approx(1 / other.params[0], rel=1e-4)


def test_a_model_that_is_three_times_too_sure_has_about_that_temperature() -> None:
    shares, gold = answers(2000)
    assert temperature.fit(np.log(shares), gold, np.ones(2000)) == pytest.approx(3, rel=0.1)


def test_weights_count_as_repeated_rows() -> None:
    shares, gold = answers(60)
    repeats = np.arange(60) % 3
    again = np.repeat(np.arange(60), repeats)
    weighted = temperature.fit(np.log(shares), gold, repeats.astype(float))
    assert weighted == pytest.approx(temperature.fit(np.log(shares[again]), gold[again], np.ones(len(again))))


def test_beyond_the_bounds_the_bound_is_taken() -> None:
    shares, _ = answers(50)
    always_right, always_wrong = shares.argmax(axis=1), shares.argmin(axis=1)
    assert temperature.fit(np.log(shares), always_right, np.ones(50)) == temperature.LEAST
    assert temperature.fit(np.log(shares), always_wrong, np.ones(50)) == temperature.MOST


def test_no_row_has_a_part_in_its_own_temperature() -> None:
    """Another right option for one question changes the temperature of all other folds and not of its own."""
    shares, gold = answers(40)
    clusters, ones = np.arange(40), np.ones(40)
    before = temperature.held_out(shares, gold, clusters, ones)
    changed = gold.copy()
    changed[7] = (changed[7] + 1) % 4
    after = temperature.held_out(shares, changed, clusters, ones)
    assert not isinstance(before, str)
    assert not isinstance(after, str)
    same = before.temperature == after.temperature
    assert same[7]
    assert same.sum() == 8  # its fold: a fifth of 40


def test_a_passages_questions_are_in_one_fold() -> None:
    shares, gold = answers(60)
    clusters = np.arange(60) // 5
    found = temperature.held_out(shares, gold, clusters, np.ones(60))
    assert not isinstance(found, str)
    for cluster in range(12):
        assert len(set(found.temperature[clusters == cluster])) == 1
    assert len(set(found.temperature)) == temperature.FOLDS


def test_the_same_input_has_the_same_folds_and_the_probabilities_sum_to_one() -> None:
    shares, gold = answers(40)
    one, other = (temperature.held_out(shares, gold, np.arange(40), np.ones(40)) for _ in range(2))
    assert not isinstance(one, str)
    assert not isinstance(other, str)
    assert (one.probabilities == other.probabilities).all()
    assert one.probabilities.sum(axis=1) == pytest.approx(1)
    assert (one.probabilities.argmax(axis=1) == shares.argmax(axis=1)).all()
    assert not one.is_at_bound.any()


def test_what_cannot_be_tempered_says_why() -> None:
    shares, gold = answers(40)
    assert "fewer than 10" in str(temperature.held_out(shares[:9], gold[:9], np.arange(9), np.ones(9)))
    shares[3] = [1, 0, 0, 0]
    assert "probability 0" in str(temperature.held_out(shares, gold, np.arange(40), np.ones(40)))


def test_what_a_model_that_is_too_sure_says_becomes_less_sure_by_the_power_of_its_temperature() -> None:
    shares, gold = answers(200)
    made = temperature.held_out(shares, gold, np.arange(200), np.ones(200))
    assert not isinstance(made, str)
    powered = shares ** (1 / made.temperature[:, None])
    assert made.probabilities == pytest.approx(powered / powered.sum(axis=1, keepdims=True))
    assert (made.probabilities.max(axis=1) < shares.max(axis=1)).all()
