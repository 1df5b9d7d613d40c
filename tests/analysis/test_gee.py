"""Generalised estimating equations beside R's clubSandwich (tests/analysis/golden), and what they refuse."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from studies.analysis import compare, gee

GOLDEN = Path(__file__).parent / "golden"
R = pd.read_csv(GOLDEN / "golden.csv").set_index(["input", "quantity"])["value"]
Pair = tuple[pd.DataFrame, pd.DataFrame]


def study(name: str) -> Pair:
    frame = pd.read_csv(GOLDEN / f"{name}.csv").astype({"correct": float})
    return frame[frame["condition"] == "human+model"], frame[frame["condition"] == "human"]


@pytest.mark.parametrize("name", ["usual", "people", "few"])
def test_odds_ratio_and_its_error_equal_clubsandwich(name: str) -> None:
    treated, baseline = study(name)
    found, r = gee.odds_ratio(treated, baseline), R[name]
    assert np.log(found.estimate) == pytest.approx(r["cr3.b1"], abs=1e-8)
    assert found.se == pytest.approx(np.sqrt(r["cr3.v11"]), rel=1e-6)
    assert treated["participant"].nunique() == found.P
    assert found.df == found.P - 1
    assert found.p == pytest.approx(2 * stats.t.sf(abs(r["cr3.b1"]) / np.sqrt(r["cr3.v11"]), found.df), rel=1e-5)
    assert "one_way" in found.flags


@pytest.mark.parametrize("name", ["usual", "people", "few"])
def test_difference_is_that_of_the_means_with_a_delta_error(name: str) -> None:
    treated, baseline = study(name)
    found, r = gee.risk_difference(treated, baseline), R[name]
    m1, m0 = treated["correct"].mean(), baseline["correct"].mean()
    slope = np.array([m1 * (1 - m1) - m0 * (1 - m0), m1 * (1 - m1)])
    covariance = np.array([[r["cr3.v00"], r["cr3.v01"]], [r["cr3.v01"], r["cr3.v11"]]])
    assert (found.estimate, found.se) == pytest.approx((m1 - m0, np.sqrt(slope @ covariance @ slope)), rel=1e-6)
    # Mancl-DeRouen corrects upwards what one-way clustering by people gives.
    plain = compare.micro(treated, baseline, population="fixed questions")
    assert plain.se < found.se < 1.3 * plain.se


def test_swapping_conditions_inverts_the_ratio() -> None:
    treated, baseline = study("few")
    one, other = gee.odds_ratio(treated, baseline), gee.odds_ratio(baseline, treated)
    assert (one.low * other.high, one.se, one.p) == pytest.approx((1.0, other.se, other.p))


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_an_all_right_or_all_wrong_arm_is_refused_before_the_fit(value: float) -> None:
    """statsmodels alone gives a coefficient of 25.6 with p 0.000 there."""
    treated, baseline = study("few")
    for pair in ((treated.assign(correct=value), baseline), (treated, baseline.assign(correct=value))):
        found = gee.odds_ratio(*pair)
        assert (found.estimate, found.p) == (None, None)
        assert "not estimable (separation)" in found.reason


def test_conditions_without_people_have_no_contrast() -> None:
    treated, baseline = study("few")
    assert gee.odds_ratio(treated.iloc[:0], baseline).reason == "only one condition has trials"
    one = treated[treated["participant"] == treated["participant"].iloc[0]]
    assert gee.odds_ratio(one, baseline).reason == "a condition has fewer than 2 participants: no contrast"


def test_where_people_do_not_differ_there_is_no_interval() -> None:
    rows = [(f"p{p}", f"q{q}", q % 2, float(q in {0, 1, 3, 4})) for p in range(12) for q in range(8)]
    frame = pd.DataFrame(rows, columns=["participant", "question", "hm", "correct"])
    found = gee.risk_difference(frame[frame["hm"] == 1], frame[frame["hm"] == 0])
    assert (found.estimate, found.se, found.p) == (0.0, None, None)
    assert "degenerate" in found.flags


@pytest.mark.parametrize(("right", "each"), [((0, 1, 3), 3), ((0, 1, 3), 4), ((0, 0, 2), 5), ((0, 1, 2), 5)])
def test_a_variance_that_rounding_leaves_below_zero_is_none(right: tuple[int, ...], each: int) -> None:
    """Nobody gains, but some are right more often than others: the equations' own variance is about -1e-17."""
    rows = [(f"p{p}", f"q{q}", hm, float(q < n)) for p, n in enumerate(right) for hm in (0, 1) for q in range(each)]
    frame = pd.DataFrame(rows, columns=["participant", "question", "hm", "correct"])
    for figure in (gee.odds_ratio, gee.risk_difference):
        found = figure(frame[frame["hm"] == 1], frame[frame["hm"] == 0])
        assert (found.se, found.low, found.p) == (None, None, None)
        assert "degenerate" in found.flags
