"""Non-use, and the Anderson-Rubin interval against the search for every β that the t test does not reject."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from studies.analysis import cluster, compare, uptake


def study(use: float = 0.7, effect: float = 0.3, seed: int = 2) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Latin: everybody has half of the questions with the assistant, and uses it on a share of them."""
    rng = np.random.default_rng(seed)
    rows = [(f"p{p}", f"q{q}", (p + q) % 2) for p in range(20) for q in range(24) if rng.random() < 0.8]
    frame = pd.DataFrame(rows, columns=["participant", "question", "assisted"])
    uses = (rng.random(len(frame)) < use) & (frame["assisted"] == 1)
    frame["n_messages"] = np.where(uses, 1.0 + rng.poisson(1, len(frame)), 0.0)
    frame["correct"] = (rng.random(len(frame)) < 0.45 + effect * uses).astype(float)
    return frame[frame["assisted"] == 1], frame[frame["assisted"] == 0]


def rejects(beta: float, treated: pd.DataFrame, baseline: pd.DataFrame) -> float:
    """p of the t test that correct - β·used does not differ."""
    one = treated.assign(correct=treated["correct"] - beta * (treated["n_messages"] > 0))
    return cluster.difference(one, baseline).p


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_the_interval_holds_what_the_test_does_not_reject(seed: int) -> None:
    treated, baseline = study(seed=seed)
    found = uptake.complier_effect(treated, baseline)
    for end in (found.low, found.high):
        assert rejects(end, treated, baseline) == pytest.approx(0.05, abs=1e-9)
    assert rejects(found.estimate, treated, baseline) == pytest.approx(1)
    assert rejects(found.high + 0.01, treated, baseline) < 0.05 < rejects(found.high - 0.01, treated, baseline)
    assert found.p == compare.micro(treated, baseline).p


def test_the_effect_is_the_contrast_over_the_share_that_uses() -> None:
    treated, baseline = study()
    share = (treated["n_messages"] > 0).mean()
    found = uptake.complier_effect(treated, baseline)
    assert found.estimate == pytest.approx(compare.micro(treated, baseline).estimate / share)
    assert uptake.non_use(treated).estimate == pytest.approx(1 - share)


def test_if_everybody_uses_it_both_are_the_same() -> None:
    treated, baseline = study(use=1.0)
    found, plain = uptake.complier_effect(treated, baseline), compare.micro(treated, baseline)
    assert (found.estimate, found.low, found.high) == pytest.approx((plain.estimate, plain.low, plain.high))


def test_swapping_right_and_wrong_turns_the_effect_round() -> None:
    treated, baseline = study()
    found = uptake.complier_effect(treated, baseline)
    turned = uptake.complier_effect(*(each.assign(correct=1 - each["correct"]) for each in (treated, baseline)))
    assert (turned.estimate, turned.low, turned.high) == pytest.approx((-found.estimate, -found.high, -found.low))


def test_hardly_any_use_has_no_bounded_interval() -> None:
    treated, baseline = study(use=0.004)
    assert 0 < (treated["n_messages"] > 0).sum() <= 2
    found = uptake.complier_effect(treated, baseline)
    assert found.estimate is not None
    assert (found.low, found.high, found.reason) == (None, None, uptake.UNBOUNDED)


def test_what_cannot_be_known_is_said() -> None:
    treated, baseline = study()
    assert uptake.complier_effect(treated.assign(n_messages=0.0), baseline).reason == uptake.UNUSED
    unknown = treated.assign(n_messages=np.nan)
    assert uptake.complier_effect(unknown, baseline).reason == uptake.UNRECORDED
    assert uptake.non_use(unknown).reason == uptake.UNRECORDED
    assert uptake.complier_effect(treated, baseline[:0]).reason == "only one condition has trials"
    one = treated[treated["participant"] == "p1"]
    assert "no contrast" in uptake.complier_effect(one, baseline).reason
    assert replace(uptake.complier_effect(treated, baseline), p=None).se is None
