"""Effect sizes beside statsmodels, beside a published example, and beside the jackknife done by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.stats.proportion import proportion_effectsize

from studies.analysis import compare
from studies.analysis import effect_sizes as es

GOLDEN = Path(__file__).parent / "golden"
Pair = tuple[pd.DataFrame, pd.DataFrame]
# Lakens 2013, table 1: the same ten people on two films; d_av there is 1.13.
FILM_1, FILM_2 = (9, 7, 8, 9, 8, 9, 9, 10, 9, 9), (9, 6, 7, 8, 7, 9, 8, 8, 8, 7)


def study(name: str = "usual") -> Pair:
    frame = pd.read_csv(GOLDEN / f"{name}.csv").astype({"correct": float})
    return frame[frame["condition"] == "human+model"], frame[frame["condition"] == "human"]


def table(treated: list[float], baseline: list[float]) -> Pair:
    """Everybody answers one question in each condition."""
    return tuple(
        pd.DataFrame({"participant": [f"p{i}" for i in range(len(y))], "question": "q", "correct": y})
        for y in (treated, baseline)
    )  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("function", "family"),
    [
        (es.odds_ratio, sm.families.Binomial()),
        (es.risk_ratio, sm.families.Poisson()),  # log link: its sandwich is the delta method for the log ratio
    ],
)
def test_errors_equal_those_of_a_clustered_glm(function: object, family: object) -> None:
    treated, baseline = study()
    frame = pd.concat([treated, baseline])
    x = sm.add_constant(np.repeat([1.0, 0.0], [len(treated), len(baseline)]))
    codes = [pd.factorize(frame[side])[0] for side in ("participant", "question")]

    def variance(groups: np.ndarray) -> float:
        fitted = sm.GLM(frame["correct"].to_numpy(), x, family=family).fit(
            cov_type="cluster", cov_kwds={"groups": groups}, tol=1e-12
        )
        return float(fitted.cov_params()[1, 1])

    three = (variance(codes[0]), variance(codes[1]), variance(np.stack(codes, axis=1)))
    found = function(treated, baseline)
    assert found.se == pytest.approx(np.sqrt(max(three)), rel=1e-6)
    one_way = function(treated, baseline, population="fixed questions")
    assert one_way.se == pytest.approx(np.sqrt(three[0]), rel=1e-6)
    assert np.log(found.estimate) - np.log(found.low) == pytest.approx(2.0452296 * found.se)  # t(29)


def test_examples_of_the_docstrings() -> None:
    treated, baseline = table([1, 1, 1, 0], [1, 0, 1, 0])
    pair = (treated.assign(question=list("abcd")), baseline.assign(question=list("abcd")))
    assert es.risk_ratio(*pair).estimate == pytest.approx(1.5)
    assert es.odds_ratio(*pair).estimate == pytest.approx(3.0)
    assert es.cohens_h(*pair).estimate == pytest.approx(proportion_effectsize(0.75, 0.5))


def test_cohens_h_has_the_same_test_as_its_linearisation() -> None:
    """Near equal means h is the difference over the standard deviation of a trial."""
    treated, baseline = study("people")
    h, difference = es.cohens_h(treated, baseline), compare.micro(treated, baseline)
    assert h.estimate == pytest.approx(proportion_effectsize(treated["correct"].mean(), baseline["correct"].mean()))
    assert h.estimate / h.se == pytest.approx(difference.estimate / difference.se, rel=0.1)


def test_swapping_conditions_inverts_ratios_and_flips_signs() -> None:
    treated, baseline = study()
    for function in (es.risk_ratio, es.odds_ratio):
        one, other = function(treated, baseline), function(baseline, treated)
        assert (one.low * other.high, one.se, one.p) == pytest.approx((1.0, other.se, other.p))
    for function in (es.cohens_h, es.hedges_g):
        one, other = function(treated, baseline), function(baseline, treated)
        assert (one.low, one.se, one.p) == pytest.approx((-other.high, other.se, other.p))


def test_infinite_ratios_are_not_estimable() -> None:
    treated, baseline = study()
    for ones, zeros in ((treated.assign(correct=1.0), baseline), (treated, baseline.assign(correct=1.0))):
        assert "not estimable" in es.odds_ratio(ones, zeros).reason
        assert es.risk_ratio(ones, zeros).estimate is not None
        found = es.cohens_h(ones, zeros)
        assert (found.low, found.flags) == (None, ("degenerate",))
        assert found.reason
    never = es.risk_ratio(treated, baseline.assign(correct=0.0))
    assert (never.estimate, never.p) == (None, None)
    assert es.odds_ratio(treated.iloc[:0], baseline).reason == "only one condition has trials"


def test_hedges_g_of_the_published_example() -> None:
    """d_av 1.127 (his 1.13 averages the standard deviations, not the variances) times J = 1 - 3/35."""
    treated, baseline = table(list(map(float, FILM_1)), list(map(float, FILM_2)))
    found = es.hedges_g(treated, baseline)
    s = np.sqrt((np.var(FILM_1, ddof=1) + np.var(FILM_2, ddof=1)) / 2)
    assert 1.0 / s == pytest.approx(1.13, abs=0.005)
    assert found.estimate == pytest.approx(1.0 / s * (1 - 3 / 35))
    assert found.P == 10
    assert "2 question-side clusters" in found.reason


def test_hedges_g_has_the_jackknife_done_by_hand() -> None:
    treated, baseline = study("few")
    found = es.hedges_g(treated, baseline)

    def spread(of: list[tuple[object, ...]], columns: list[str]) -> float:
        values = []
        for cluster in of:
            parts = [
                part[(part[columns].to_numpy() != np.array(cluster, dtype=object)).any(axis=1)]
                for part in (treated, baseline)
            ]
            values.append(es.hedges_g(*parts).estimate)
        return (len(of) - 1) / len(of) * float(((np.array(values) - found.estimate) ** 2).sum())

    frame = pd.concat([treated, baseline])
    three = [
        spread(list(frame[columns].drop_duplicates().itertuples(index=False, name=None)), columns)
        for columns in (["participant"], ["question"], ["participant", "question"])
    ]
    assert found.se == pytest.approx(np.sqrt(max(three[0], three[1], three[0] + three[1] - three[2])))
    assert (found.P, found.Q, found.df) == (7, 30, 6)
    assert "few_clusters" in found.flags


def test_hedges_g_needs_people_in_both_conditions_who_differ() -> None:
    treated, baseline = study("few")
    others = baseline.assign(participant="x" + baseline["participant"])
    assert es.hedges_g(treated, others).reason == "fewer than 3 participants are seen in both conditions"
    same = es.hedges_g(treated.assign(correct=1.0), baseline.assign(correct=0.0))
    assert same.reason.startswith("people do not differ")


def test_who_is_seen_in_one_condition_only_does_not_count_for_hedges_g() -> None:
    treated, baseline = study("few")
    more = pd.concat([treated, treated.iloc[:9].assign(participant="late")])
    one, other = es.hedges_g(more, baseline), es.hedges_g(treated, baseline)
    assert (one.estimate, one.se, one.P) == pytest.approx((other.estimate, other.se, other.P))
