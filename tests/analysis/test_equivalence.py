"""Non-inferiority and equivalence: by hand, beside statsmodels where clustering plays no part, and never by default."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.weightstats import DescrStatsW

from studies.analysis import compare, equivalence
from studies.analysis.errors import InputError
from studies.analysis.estimate import Estimate
from studies.analysis.study import from_json

CONTRAST = Estimate(estimate=0.02, se=0.03, df=39.0, low=-0.04, high=0.08, p=0.5, method="t")


def test_examples_of_the_docstrings() -> None:
    found = equivalence.noninferior(CONTRAST, 0.05)
    assert found.p == pytest.approx(stats.t.sf(7 / 3, 39)) == pytest.approx(0.0125, abs=1e-4)
    assert found.low == pytest.approx(0.02 - stats.t.ppf(0.95, 39) * 0.03)
    found = equivalence.equivalent(CONTRAST, 0.05)
    assert found.p == pytest.approx(stats.t.cdf(-1, 39)) == pytest.approx(0.162, abs=1e-3)


@pytest.mark.parametrize("margin", [0.01, 0.03, 0.05, 0.0705, 0.071, 0.2])
def test_p_and_the_90_percent_interval_agree(margin: float) -> None:
    found = equivalence.equivalent(CONTRAST, margin)
    assert (found.p < 0.05) == (-margin < found.low and found.high < margin)
    found = equivalence.noninferior(CONTRAST, margin)
    assert (found.p < 0.05) == (found.low > -margin)


def test_tost_of_one_pair_per_person_equals_statsmodels() -> None:
    """With one question-side cluster a row and one row a person, section 3's standard error is the classical one."""
    rng = np.random.default_rng(3)
    gain = rng.normal(0.01, 0.1, 30)
    frame = pd.DataFrame({"participant": range(30), "question": range(30), "correct": gain})
    found = equivalence.equivalent_to_model(frame, pd.Series(np.zeros(30)), margin=0.05)
    p, lower, _ = DescrStatsW(gain).ttost_mean(-0.05, 0.05)
    assert found.p == pytest.approx(p)
    assert equivalence.noninferior_to_model(frame, pd.Series(np.zeros(30)), margin=0.05).p == pytest.approx(lower[1])


def test_swapping_conditions_flips_the_interval_and_leaves_equivalence() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame([(p, q, (p + q) % 2, float(rng.random() < 0.6)) for p in range(12) for q in range(14)])
    frame.columns = ["participant", "question", "hm", "correct"]
    treated, baseline = frame[frame["hm"] == 1], frame[frame["hm"] == 0]
    for function in (equivalence.equivalent_micro, equivalence.equivalent_question_weighted):
        one, other = function(treated, baseline, margin=0.1), function(baseline, treated, margin=0.1)
        assert (one.p, one.low) == pytest.approx((other.p, -other.high))
    plain = compare.micro(treated, baseline)
    found = equivalence.noninferior_micro(treated, baseline, margin=0.1)
    assert (found.estimate, found.se, found.df) == (plain.estimate, plain.se, plain.df)


def test_without_a_margin_nothing_is_tested() -> None:
    for function in (equivalence.noninferior, equivalence.equivalent):
        found = function(CONTRAST, None)
        assert (found.estimate, found.p, found.reason) == (None, None, "no margin was fixed")


def test_a_contrast_without_an_error_is_passed_on_with_its_reason() -> None:
    missing = Estimate(reason="only one condition has trials")
    assert equivalence.equivalent(missing, 0.05).reason == "only one condition has trials"
    degenerate = Estimate(estimate=0.0, flags=("degenerate",), reason="nothing varies")
    found = equivalence.noninferior(degenerate, 0.05)
    assert (found.estimate, found.p, found.reason) == (0.0, None, "nothing varies")


@pytest.mark.parametrize("margin", [0, 1, -0.05, True, "0.05"])
def test_a_margin_that_is_no_share_is_refused(margin: object) -> None:
    with pytest.raises(InputError, match="margin"):
        from_json({"margin": margin})
    with pytest.raises(ValueError, match="above 0"):
        equivalence.equivalent(CONTRAST, 0.0)


def test_the_margin_is_that_of_study_json() -> None:
    assert from_json({"margin": 0.05}).margin == 0.05
    assert from_json({"margin": None}).margin is None
    assert from_json({}).margin is None
