"""The intervals of one share are statsmodels', for whole and fractional counts, and hold what they should."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from studies.analysis import proportion

WAYS = {"wilson": "wilson", "agresti_coull": "agresti_coull", "clopper_pearson": "beta", "jeffreys": "jeffreys"}


@pytest.mark.parametrize("name", WAYS)
@given(st.integers(1, 2000), st.floats(0, 1), st.booleans())
def test_they_equal_statsmodels(name: str, n: int, share: float, is_whole: bool) -> None:
    right = round(share * n) if is_whole else round(share * n, 6)
    low, high = proportion_confint(right, n, method=WAYS[name])
    expected = (max(0.0, float(low)), min(1.0, float(high)))
    assert getattr(proportion, name)(right, n) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", WAYS)
@given(st.integers(1, 500), st.floats(0, 1))
def test_right_and_wrong_answers_are_alike(name: str, n: int, share: float) -> None:
    right = round(share * n)
    low, high = getattr(proportion, name)(right, n)
    assert getattr(proportion, name)(n - right, n) == pytest.approx((1 - high, 1 - low), abs=1e-9)
    assert name == "jeffreys" or (0 <= low <= right / n + 1e-12 and right / n - 1e-12 <= high <= 1)
