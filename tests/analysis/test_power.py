"""Simulated power against the analysis itself, statsmodels, published sizes and a pilot with planted variances."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from statsmodels.stats.power import TTestIndPower

from studies.analysis import compare, layout, logit_normal, pilot, power
from studies.analysis.layout import Layout
from studies.analysis.power import Effects

VARIED = Effects(
    base=0.4, effect=0.4, sd_person=0.6, sd_question=0.9, sd_person_effect=0.4, sd_question_effect=0.7
)  # fmt: skip


def frame(plan: Layout, right: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "participant": plan.person,
            "question": plan.question,
            "item_group": plan.item,
            "condition": np.where(plan.treated, "human+model", "human"),
            "correct": right.astype(float),
        }
    ).astype({"participant": str, "question": str, "item_group": str})


def answers(plan: Layout, effects: Effects, seed: int) -> pd.DataFrame:
    right = power.simulated_answers(plan, effects, 1, np.random.default_rng(seed))[:, 0]
    return frame(plan, right)


def with_passages(plan: Layout, each: int = 3) -> Layout:
    return replace(plan, item=plan.question // each)


@pytest.mark.parametrize("form", ["micro", "question_weighted"])
@pytest.mark.parametrize(
    "plan",
    [
        layout.within(12, 20, 20),
        layout.within(13, 30, 8),
        with_passages(layout.within(12, 24, 16)),
        layout.between(16, 10, 10),
    ],
    ids=["crossed", "windows", "passages", "between"],
)
def test_each_replication_is_analysed_as_a_study_is(plan: Layout, form: power.Form) -> None:
    right = power.simulated_answers(plan, VARIED, 5, np.random.default_rng(3))
    found = power.Analysis(plan, form).of(right)
    for number in range(5):
        trials = frame(plan, right[:, number])
        treated, baseline = (trials[trials["condition"] == name] for name in ("human+model", "human"))
        one = getattr(compare, form)(treated, baseline)
        assert found[0][number] == pytest.approx(one.estimate, abs=1e-6)
        se = np.sqrt(max(found[1][number], found[2][number], found[1][number] + found[2][number] - found[3][number]))
        assert se == pytest.approx(one.se, rel=1e-4)
        assert power.Analysis(plan, form).df == one.df


def test_the_two_way_variance_is_that_of_statsmodels() -> None:
    plan = layout.within(20, 30, 30)
    trials = answers(plan, VARIED, 5).assign(hm=plan.treated.astype(int))
    groups = np.c_[plan.person, plan.question]
    fit = smf.ols("correct ~ hm", trials).fit(cov_type="cluster", cov_kwds={"groups": groups})
    _, person, question, cell = power.Analysis(plan, "micro").of(trials[["correct"]].to_numpy(np.float32))
    assert person[0] + question[0] - cell[0] == pytest.approx(fit.bse["hm"] ** 2, rel=1e-4)


def test_without_differences_it_is_the_textbook_power_of_a_t_test() -> None:
    """Between subjects, one question side that does not matter: power of two means of 40 people's shares."""
    plan = layout.between(80, 60, 60)
    effects = Effects.of_shares(accuracy=0.5, target=0.03, person=0, question=0, person_effect=0, question_effect=0)
    found = power.simulate([plan], effects, form="micro", replications=2_000, seed=1)[0]
    textbook = TTestIndPower().power(0.03 / np.sqrt(0.25 / 60), 40, 0.05)
    only_people = replace(found, question=found.person, cell=found.person, df=78)
    assert only_people.rejects(0.05).mean() == pytest.approx(textbook, abs=0.04)


def test_size_is_what_was_measured_for_this_rule() -> None:
    """20 × 40, exact null, no slopes: .024 (2,000 replications) in the simulations that the default rests on."""
    null = Effects(base=0.4, effect=0.0, sd_person=0.5, sd_question=1.0, sd_person_effect=0, sd_question_effect=0)
    found = power.power(layout.within(20, 40, 40), null, form="question_weighted", replications=4_000)
    assert found.power == pytest.approx(0.024, abs=0.012)


def test_size_is_nominal_where_effects_vary() -> None:
    null = replace(VARIED, base=0.0, effect=0.0)  # symmetric around one half: no gain in shares either
    found = power.power(layout.within(40, 60, 60), null, form="question_weighted", replications=4_000)
    assert null.gain == pytest.approx(0, abs=1e-9)
    assert 0.025 < found.power < 0.07


def test_the_interval_is_as_wide_as_it_says_and_power_is_that_of_its_replications() -> None:
    plan = layout.within(30, 40, 40)
    found = power.power(plan, VARIED, form="question_weighted", replications=500)
    (studies,) = power.simulate([plan], VARIED, form="question_weighted", replications=500, seed=0)
    assert found.power == np.mean(np.abs(studies.estimate / studies.se) > 2.0452296)  # t(29), 97.5 %
    assert found.half_width == pytest.approx(2.0452296 * studies.se.mean())
    assert found.mc_error == pytest.approx(np.sqrt(found.power * (1 - found.power) / 500))
    assert studies.estimate.mean() == pytest.approx(VARIED.gain, abs=4 * studies.estimate.std() / np.sqrt(500))


def test_exchanging_the_conditions_gives_the_same_power() -> None:
    plan = layout.within(20, 30, 30)
    same = Effects(base=0.2, effect=0.0, sd_person=0.5, sd_question=0.5, sd_person_effect=0, sd_question_effect=0)
    mirrored = replace(plan, treated=~plan.treated)
    one, other = (power.simulate([p], same, form="micro", replications=200, seed=2)[0] for p in (plan, mirrored))
    assert abs(one.rejects(0.5).mean() - other.rejects(0.5).mean()) < 0.15
    right = power.simulated_answers(plan, same, 3, np.random.default_rng(1))
    np.testing.assert_allclose(
        power.Analysis(plan, "micro").of(right)[0], -power.Analysis(mirrored, "micro").of(right)[0]
    )


def test_the_detectable_gain_is_found_with_the_power_that_was_asked_for() -> None:
    plan = layout.within(30, 40, 40)
    gain = power.detectable(plan, VARIED, form="question_weighted", goal=0.8, replications=400)
    assert gain is not None
    at = power.power(plan, VARIED.with_gain(gain), form="question_weighted", replications=400)
    assert at.power >= 0.8
    below = power.power(plan, VARIED.with_gain(gain * 0.97), form="question_weighted", replications=400)
    assert below.power < at.power
    certain = replace(VARIED, base=logit_normal.logit_of(0.97, 1.08))
    assert power.detectable(layout.within(4, 6, 6), certain, form="micro", replications=200) is None


def test_many_people_on_few_questions_are_told_that_questions_bind() -> None:
    few = power.power(layout.within(200, 30, 30), VARIED, form="question_weighted", replications=200)
    many = power.power(layout.within(30, 200, 200), VARIED, form="question_weighted", replications=200)
    assert few.questions_bind
    assert not many.questions_bind
    more_people = power.power(layout.within(400, 30, 30), VARIED, form="question_weighted", replications=200)
    assert more_people.half_width > 0.9 * few.half_width


def test_a_margin_gives_the_power_to_show_that_nothing_is_lost() -> None:
    none = replace(VARIED, base=0.0, effect=0.0)
    plan = layout.within(60, 80, 80)
    wide = power.power(plan, none, form="question_weighted", margin=0.15, replications=400)
    narrow = power.power(plan, none, form="question_weighted", margin=0.01, replications=400)
    assert wide.noninferior is not None
    assert wide.noninferior > 0.9
    assert wide.equivalent is not None
    assert wide.equivalent <= wide.noninferior
    assert narrow.noninferior is not None
    assert narrow.noninferior < 0.25
    assert power.power(plan, none, form="micro", replications=50).noninferior is None


def test_a_plan_without_a_contrast_is_refused() -> None:
    plan = layout.within(10, 12, 12)
    with pytest.raises(ValueError, match="one condition only"):
        power.power(replace(plan, treated=np.zeros_like(plan.treated)), VARIED, form="micro")
    apart = replace(plan, treated=plan.question % 2 == 0)
    with pytest.raises(ValueError, match="no question in both conditions"):
        power.power(apart, VARIED, form="question_weighted")
    with pytest.raises(ValueError, match="at least 2 of each"):
        power.power(layout.within(1, 12, 12), VARIED, form="micro")


def test_shares_and_logits_agree() -> None:
    effects = Effects.of_shares(
        accuracy=0.6, target=0.05, person=0.5, question=1, person_effect=0.3, question_effect=0.6
    )
    assert effects.alone == pytest.approx(0.6)
    assert effects.gain == pytest.approx(0.05)
    rng = np.random.default_rng(1)
    drawn = 1 / (1 + np.exp(-(effects.base + np.hypot(0.5, 1) * rng.standard_normal(400_000))))
    assert drawn.mean() == pytest.approx(0.6, abs=0.002)
    assert logit_normal.both((0.3, -0.2), (1.0, 0.5), 0.0) == pytest.approx(
        logit_normal.share(0.3, 1.0) * logit_normal.share(-0.2, np.sqrt(0.5))
    )
    with pytest.raises(ValueError, match=r"1\.02 has no logit"):
        effects.with_gain(0.42)


def test_exclusions_take_people_away_and_leave_pairs_where_they_can() -> None:
    plan = layout.within(40, 20, 20)
    fewer = plan.without(0.1, seed=0)
    assert (fewer.people, fewer.items) == (36, 20)
    assert fewer.person.max() == 35
    assert plan.without(0.0, seed=0) is plan


def test_a_latin_layout_meets_every_question_equally_often_in_both_conditions() -> None:
    plan = layout.within(60, 120, 24)
    counts = np.bincount(plan.question * 2 + plan.treated)
    assert set(counts) == {6}
    assert set(np.bincount(plan.person[plan.treated])) == {12}


def test_a_pilot_gives_back_what_was_planted() -> None:
    plan = layout.within(160, 160, 80)
    found = [pilot.estimate(answers(plan, VARIED, seed)) for seed in range(6)]
    for name in ("base", "effect", "sd_person", "sd_question", "sd_person_effect", "sd_question_effect"):
        values = [getattr(each.effects, name) for each in found]
        assert np.mean(values) == pytest.approx(getattr(VARIED, name), abs=0.1), name
    assert (found[0].people, found[0].items, found[0].n_trials) == (160, 160, 160 * 80)


def test_a_pilot_of_equal_people_finds_hardly_a_difference() -> None:
    equal = Effects(base=0.5, effect=0.3, sd_person=0, sd_question=0, sd_person_effect=0, sd_question_effect=0)
    found = pilot.estimate(answers(layout.within(100, 100, 100), equal, 1)).effects
    assert max(found.sd_person, found.sd_question, found.sd_person_effect, found.sd_question_effect) < 0.2


def test_a_pilot_between_subjects_splits_what_it_cannot_see() -> None:
    found = pilot.estimate(answers(layout.between(100, 80, 80), VARIED, 1)).effects
    assert found.sd_person == pytest.approx(0.65, abs=0.2)
    assert found.sd_person_effect < 0.3


def test_a_pilot_in_which_nothing_varies_is_refused() -> None:
    plan = layout.within(6, 8, 8)
    with pytest.raises(pilot.TooSmall, match="nothing varies"):
        pilot.estimate(frame(plan, np.ones(len(plan.person))))
    alone = answers(plan, VARIED, 1).assign(condition="human")
    with pytest.raises(pilot.TooSmall, match="no trials in one of the conditions"):
        pilot.estimate(alone)
