"""The mixed logistic model beside R's glmmTMB and lme4 (tests/analysis/golden), its gradient, and its refusals."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, roots_hermitenorm

from studies.analysis import glmm
from studies.analysis.laplace import Crossed, Laplace
from studies.analysis.mixed import COMPONENTS, Fit, NotFitted, fit

GOLDEN = Path(__file__).parent / "golden"
R = pd.read_csv(GOLDEN / "golden.csv").set_index(["input", "quantity"])["value"]
INPUTS = ("usual", "people", "few")
Pair = tuple[pd.DataFrame, pd.DataFrame]


def study(name: str) -> Pair:
    frame = pd.read_csv(GOLDEN / f"{name}.csv").astype({"correct": float, "model_correct": float})
    return frame[frame["condition"] == "human+model"], frame[frame["condition"] == "human"]


def rows_of(name: str) -> Crossed:
    frame = pd.concat(study(name))
    h = np.where(frame["condition"] == "human+model", 0.5, -0.5)
    sides = (pd.factorize(frame[side], sort=True)[0].astype(np.int64) for side in ("participant", "question"))
    return Crossed(frame["correct"].to_numpy(float), np.stack([np.ones_like(h), h], axis=1), h, *sides)


@pytest.fixture(scope="module")
def fits() -> dict[str, Fit]:
    return {name: fit(rows_of(name)) for name in INPUTS}


@pytest.mark.parametrize("name", INPUTS)
def test_fit_equals_glmmtmb(name: str, fits: dict[str, Fit]) -> None:
    found, r = fits[name], R[name]
    assert found.log_likelihood == pytest.approx(r["glmmTMB.log_likelihood"], abs=1e-5)
    assert found.beta == pytest.approx([r["glmmTMB.b0"], r["glmmTMB.b1"]], abs=1e-5)
    errors = np.sqrt(np.diag(found.covariance))
    assert errors == pytest.approx([r["glmmTMB.se0"], r["glmmTMB.se1"]], abs=1e-4)  # its differences are coarser
    sds = [r[f"glmmTMB.sd.{part}"] for part in COMPONENTS]
    assert found.sds == pytest.approx(sds, abs=2e-3)
    ends = [found.effects[0, 0], found.effects[1, 0], found.effects[0, -1], found.effects[1, -1]]
    at = ("effect.first", "effect_slope.first", "effect.last", "effect_slope.last")
    assert ends == pytest.approx([r[f"glmmTMB.{each}"] for each in at], abs=1e-4)


@pytest.mark.parametrize("name", INPUTS)
def test_fit_equals_lme4_as_far_as_that_converges(name: str, fits: dict[str, Fit]) -> None:
    found, r = fits[name], R[name]
    assert found.beta == pytest.approx([r["glmer.b0"], r["glmer.b1"]], abs=2e-3)
    assert found.log_likelihood >= r["glmer.log_likelihood"] - 1e-6


def test_a_component_that_the_likelihood_wants_at_zero_is_zero_and_told(fits: dict[str, Fit]) -> None:
    assert not fits["usual"].is_singular
    errors = [R["usual"][f"glmmTMB.log_sd_se.{part}"] for part in COMPONENTS]
    assert fits["usual"].log_sd_se == pytest.approx(errors, rel=5e-3)
    singular = fits["few"]
    assert singular.is_singular
    assert [sd == 0 for sd in singular.sds] == [se is None for se in singular.log_sd_se]
    for component, sd in enumerate(singular.sds):
        if sd == 0:  # no small value is better
            sds = np.array(singular.sds)
            sds[component] = 0.1
            assert Laplace(rows_of("few")).at(singular.beta, sds).value < singular.log_likelihood + 1e-4
    found = glmm.sd_participant_slope(*study("few"))
    assert "singular" in found.flags
    assert (found.estimate, found.low, found.reason) == (0.0, None, "estimated as 0 (singular fit): no interval")


@pytest.mark.parametrize("name", ["usual", "people"])
def test_gradient_is_that_of_the_value(name: str) -> None:
    likelihood, at = Laplace(rows_of(name)), np.array([0.3, 0.5, -0.6, -0.9, -0.2, -0.4])

    def value(parameters: np.ndarray) -> float:
        return likelihood.at(parameters[:2], np.exp(parameters[2:])).value

    differences = [(value(at + step) - value(at - step)) / 2e-4 for step in 1e-4 * np.eye(6)]
    assert likelihood.at(at[:2], np.exp(at[2:])).gradient == pytest.approx(differences, abs=1e-5)


def test_odds_ratio_has_its_interval_on_its_own_scale_and_its_se_on_the_logarithm() -> None:
    found, r = glmm.odds_ratio(*study("usual")), R["usual"]
    assert found.estimate == pytest.approx(np.exp(r["glmmTMB.b1"]), abs=1e-4)
    assert found.se == pytest.approx(r["glmmTMB.se1"], abs=1e-4)
    assert np.log(found.high / found.low) == pytest.approx(2 * 1.959964 * found.se)
    assert (found.P, found.Q) == (30, 40)


def test_risk_difference_integrates_over_people_and_questions() -> None:
    """Against quadrature over participant and question separately, and a numerical delta method."""
    found, of = glmm.risk_difference(*study("usual")), fit(rows_of("usual"))
    nodes, weights = roots_hermitenorm(60)
    people, questions = (np.sqrt(of.sds[i] ** 2 + of.sds[i + 1] ** 2 / 4) * nodes for i in (0, 2))
    grid = people[:, None] + questions[None, :]

    def difference(b: np.ndarray) -> float:
        return float(weights @ (expit(b[0] + b[1] / 2 + grid) - expit(b[0] - b[1] / 2 + grid)) @ weights / (2 * np.pi))

    slope = np.array([(difference(of.beta + e) - difference(of.beta - e)) / 2e-5 for e in 1e-5 * np.eye(2)])
    assert found.estimate == pytest.approx(difference(of.beta), abs=1e-9)
    assert found.se == pytest.approx(np.sqrt(slope @ of.covariance @ slope), rel=1e-6)


@pytest.mark.parametrize("name", INPUTS)
def test_interaction_equals_glmmtmb(name: str) -> None:
    treated, baseline = study(name)
    r = R[name]
    both = glmm.interaction(treated, baseline)
    assert (np.log(both.estimate), both.se) == pytest.approx((r["interaction.b3"], r["interaction.se3"]), abs=2e-4)
    for sign, function in ((1, glmm.odds_ratio_model_right), (-1, glmm.odds_ratio_model_wrong)):
        found = function(treated, baseline)
        variance = r["interaction.se1"] ** 2 + r["interaction.se3"] ** 2 / 4 + sign * r["interaction.cov13"]
        assert np.log(found.estimate) == pytest.approx(r["interaction.b1"] + sign * r["interaction.b3"] / 2, abs=2e-4)
        assert found.se == pytest.approx(np.sqrt(variance), abs=2e-4)


@pytest.mark.parametrize("seed", [9101, 9102, 9201, *range(8)])
def test_fits_are_found_from_another_start_if_need_be(seed: int) -> None:
    """20 people × 40 questions; the first three seeds end in a flat place when searched from .5 alone."""
    rng, (p, q) = np.random.default_rng(seed), np.divmod(np.arange(800), 40)
    h = ((p + q) % 2) - 0.5
    able, with_model, easy, helps = (sd * rng.normal(size=n) for sd, n in ((0.6, 20), (0.3, 20), (0.8, 40), (0.9, 40)))
    logit = 0.4 + able[p] + h * with_model[p] + easy[q] + h * helps[q]
    y = (rng.random(800) < expit(logit)).astype(float)
    found = fit(Crossed(y, np.stack([np.ones(800), h], axis=1), h, p, q))
    likelihood = Laplace(Crossed(y, np.stack([np.ones(800), h], axis=1), h, p, q))
    best = likelihood.at(found.beta, np.array(found.sds))
    assert best.value == pytest.approx(found.log_likelihood)
    assert np.abs(best.gradient[:2]).max() < 1e-3
    errors = np.sqrt(np.diag(found.covariance))
    for step in (errors * [1, 0], errors * [0, 1]):  # a standard error away the likelihood is lower by about a half
        ends = (likelihood.at(found.beta + sign * step, np.array(found.sds)).value for sign in (1, -1))
        drops = [found.log_likelihood - end for end in ends]
        assert 0.3 < np.mean(drops) < 0.9


def test_swapping_conditions_inverts_the_ratio_and_flips_the_difference() -> None:
    treated, baseline = study("few")
    one, other = glmm.odds_ratio(treated, baseline), glmm.odds_ratio(baseline, treated)
    assert (one.estimate * other.estimate, one.se, one.p) == pytest.approx((1.0, other.se, other.p), rel=1e-4)
    one, other = glmm.risk_difference(treated, baseline), glmm.risk_difference(baseline, treated)
    assert (one.estimate, one.se) == pytest.approx((-other.estimate, other.se), rel=1e-4)


def test_other_names_and_another_order_change_nothing() -> None:
    treated, baseline = study("usual")
    rename = {name: name[::-1] for name in {*treated["question"], *treated["participant"]}}
    again = [
        part.sample(frac=1, random_state=3).replace({"question": rename, "participant": rename})
        for part in (treated, baseline)
    ]
    one, other = glmm.odds_ratio(treated, baseline), glmm.odds_ratio(*again)
    assert (one.estimate, one.se) == pytest.approx((other.estimate, other.se), rel=1e-5)


def test_a_fit_is_shared_between_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(glmm, "fit", lambda rows: calls.append(1) or fit(rows))
    glmm._once.cache_clear()
    for function in (glmm.odds_ratio, glmm.risk_difference, glmm.sd_question):
        function(*study("few"))
    assert len(calls) == 1


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_separation_is_refused_before_any_fit(value: float) -> None:
    treated, baseline = study("few")
    found = glmm.odds_ratio(treated.assign(correct=value), baseline)
    assert found.estimate is None
    assert "separation" in found.reason
    wrong = treated["correct"].where(treated["model_correct"] == 1, value)
    assert "where it is wrong" in glmm.interaction(treated.assign(correct=wrong), baseline).reason


def test_what_cannot_be_fitted_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    treated, baseline = study("few")
    assert glmm.odds_ratio(treated, baseline.iloc[:0]).reason == "only one condition has trials"
    one = [part[part["participant"] == "p01"] for part in (treated, baseline)]
    assert glmm.odds_ratio(*one).reason == "fewer than 2 participants"
    none = [part.assign(model_correct=np.nan) for part in (treated, baseline)]
    assert glmm.interaction(*none).reason == "no answers of the model alone on these questions"
    always = [part.assign(model_correct=1.0) for part in (treated, baseline)]
    assert glmm.interaction(*always).reason == "the model is never wrong on these questions"

    def fails(rows: Crossed) -> Fit:
        raise NotFitted("the mixed model did not converge: on purpose")

    glmm._once.cache_clear()
    monkeypatch.setattr(glmm, "fit", fails)
    found = glmm.odds_ratio(treated, baseline)
    glmm._once.cache_clear()
    assert (found.estimate, found.se, found.reason) == (None, None, "the mixed model did not converge: on purpose")


def test_where_nothing_varies_beyond_chance_it_is_plain_logistic_regression() -> None:
    """Everybody and every question equally good: all four components are 0, and b1 is the log odds ratio."""
    rows = [
        (f"p{p}", f"q{q}", hm, float((p + q + hm) % 4 > 1 - hm)) for p in range(12) for q in range(12) for hm in (0, 1)
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["participant", "question", "hm", "correct"])
    found = glmm.odds_ratio(frame[frame["hm"] == 1], frame[frame["hm"] == 0])
    assert "singular" in found.flags
    assert glmm.sd_question(frame[frame["hm"] == 1], frame[frame["hm"] == 0]).estimate == 0.0
    assert found.estimate == pytest.approx(3.0, rel=1e-5)  # .75 against .5
    assert found.se == pytest.approx(np.sqrt(1 / 108 + 1 / 36 + 2 / 72), rel=1e-5)


def test_shrunken_people_lie_between_themselves_and_everybody() -> None:
    treated, baseline = study("usual")
    found = glmm.people(treated, baseline)
    assert not isinstance(found, str)
    raw = treated.groupby("participant")["correct"].mean() - baseline.groupby("participant")["correct"].mean()
    assert len(found) == 30
    assert found["gain"].std() < raw.std()
    assert np.corrcoef(found["gain"], raw)[0, 1] > 0.8
    assert (found["se"] > 0).all()
    assert found["gain"].to_numpy() == pytest.approx((found["with_model"] - found["alone"]).to_numpy())
    assert glmm.people(treated, baseline.iloc[:0]) == "only one condition has trials"


def test_the_factor_is_as_small_as_the_smaller_side() -> None:
    """Twice as many rows as that side has levels, whichever it is: so that 100,000 trials take seconds."""
    for name, fewer in (("usual", 30), ("people", 16)):
        likelihood = Laplace(rows_of(name))
        likelihood.at(np.array([0.3, 0.5]), np.full(4, 0.5))
        assert likelihood._factor is not None
        assert likelihood._factor.c.shape == (2 * fewer, 2 * fewer)
