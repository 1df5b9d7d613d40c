"""Boundaries against published ones and against simulated looks."""

from math import inf

import numpy as np
import pytest
from scipy import stats

from studies.analysis import sequential
from studies.analysis.estimate import Estimate


def test_looks_at_thirds_have_the_published_boundaries() -> None:
    # ldbounds / Lan & DeMets: O'Brien-Fleming-type, alpha .025 in each tail.
    assert sequential.boundaries([1 / 3, 2 / 3, 1]) == pytest.approx([3.710, 2.511, 1.993], abs=5e-4)


def test_five_equal_looks_have_the_published_boundaries() -> None:
    # Jennison & Turnbull 2000 and the R package ldbounds, OBF-type spending, alpha .05 two-sided.
    expected = [4.877, 3.357, 2.680, 2.290, 2.031]
    assert sequential.boundaries([0.2, 0.4, 0.6, 0.8, 1.0]) == pytest.approx(expected, abs=1e-3)


def test_one_look_is_the_ordinary_test() -> None:
    assert sequential.boundaries([1.0]) == pytest.approx([stats.norm.ppf(0.975)])
    assert sequential.boundaries([0.6]) == pytest.approx([stats.norm.ppf(0.975)])  # the last spends what is left
    assert sequential.boundaries([1.0], alpha=0.1) == pytest.approx([stats.norm.ppf(0.95)])


def test_all_looks_together_reject_with_probability_alpha() -> None:
    times = np.array([0.15, 0.5, 0.8, 1.0])
    bounds = sequential.boundaries(list(times))
    steps = np.random.default_rng(4).standard_normal((400_000, 4)) * np.sqrt(np.diff(times, prepend=0))
    z = steps.cumsum(axis=1) / np.sqrt(times)
    crossed = (np.abs(z) >= bounds).any(axis=1).mean()
    assert crossed == pytest.approx(0.05, abs=0.0015)


def test_an_earlier_end_spends_what_is_left_and_a_later_look_has_nothing() -> None:
    early = sequential.boundaries([1 / 3, 0.8])
    assert early[0] == pytest.approx(3.710, abs=5e-4)
    assert early[1] < sequential.boundaries([1 / 3, 0.8], is_last=False)[1]
    assert sequential.boundaries([0.5, 1.2, 1.4], is_last=False)[2] == inf
    assert sequential.boundaries([0.5, 0.5, 1.0])[1] == inf


def test_information_that_falls_or_is_nothing_is_refused() -> None:
    for fractions in ([0.5, 0.4], [0.0, 1.0]):
        with pytest.raises(ValueError, match="information fractions"):
            sequential.boundaries(fractions)


def test_alpha_is_spent_slowly_and_wholly() -> None:
    assert sequential.spent(0) == 0
    assert sequential.spent(1 / 3) == pytest.approx(0.0002, abs=1e-4)
    assert sequential.spent(1) == sequential.spent(3) == pytest.approx(0.05)


def test_z_is_the_quantile_of_the_t_tests_p() -> None:
    p = 2 * stats.t.sf(2.3, 9)
    found = Estimate(estimate=-0.1, se=0.1 / 2.3, p=float(p))
    assert sequential.z_of(found) == pytest.approx(-stats.norm.isf(p / 2))
    assert sequential.information(found) == pytest.approx(529)
    assert sequential.z_of(Estimate(reason="no trials")) is None
    assert sequential.information(Estimate(estimate=0.1)) is None
