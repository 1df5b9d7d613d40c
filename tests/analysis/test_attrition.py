"""Attrition of planned trials: against statsmodels, nobody missing, plans that do not fit, and passages nobody met."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from studies.analysis import attrition
from studies.analysis.analyse import analyse
from studies.analysis.data import Data, read
from studies.analysis.estimate import Estimate
from studies.analysis.present import remarks

HUMAN, HM = "human", "human+model"


def plan_of(people: int = 20, questions: int = 12) -> pd.DataFrame:
    """Crossed: everybody meets every question, half of them with the model."""
    rows = [
        {"slot": f"s{p}", "participant": f"p{p:02d}", "question": f"q{q:02d}", "condition": (HUMAN, HM)[(p + q) % 2]}
        for p in range(people) for q in range(questions)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def study(folder: Path, trials: pd.DataFrame, plan: pd.DataFrame, **tables: pd.DataFrame) -> Data:
    met = trials[["participant", "question", "condition"]].assign(answer="A", gold="A", confidence="")
    optional = trials[[name for name in ("item_group", "initial_answer", "excluded") if name in trials]]
    for name, table in {"trials": met.join(optional), "assignments": plan, **tables}.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    return read(folder)


def figures(data: Data) -> tuple[Estimate, Estimate, Estimate]:
    results = analyse(data, is_quick=True)
    alone, helped = (results.find("acc.attrition", condition) for condition in (HUMAN, HM))
    return alone, helped, results.find("diff.attrition", HM, baseline=HUMAN)


def test_the_difference_equals_statsmodels(tmp_path: Path) -> None:
    plan = plan_of()
    rng = np.random.default_rng(4)
    lost = rng.random(len(plan)) < np.where(plan["condition"] == HM, 0.25, 0.1)
    alone, helped, found = figures(study(tmp_path, plan[~lost], plan))
    frame = plan.assign(missing=lost.astype(float), assisted=(plan["condition"] == HM).astype(int))
    groups = frame[["participant", "question"]].apply(lambda column: pd.factorize(column)[0]).to_numpy()
    model = smf.ols("missing ~ assisted", frame)
    errors = [
        model.fit(cov_type="cluster", cov_kwds={"groups": each}).bse["assisted"]
        for each in (groups, groups[:, 0], groups[:, 1])
    ]
    assert found.estimate == pytest.approx(model.fit().params["assisted"])
    assert found.se == pytest.approx(max(errors))
    assert (found.P, found.Q, found.df) == (20, 12, 11)
    assert helped.estimate - alone.estimate == pytest.approx(found.estimate)
    assert alone.low < alone.estimate < alone.high


def test_where_nobody_left_it_is_0_and_says_that_nothing_varies(tmp_path: Path) -> None:
    plan = plan_of()
    for found in figures(study(tmp_path, plan, plan)):
        assert found.estimate == 0
        assert (found.se, found.low, found.high, found.p) == (None,) * 4
        assert "degenerate" in found.flags
        assert found.reason == "nothing varies: the standard error is 0, so there is no interval"
        assert remarks(found) == "nothing varies: no interval"


def test_exchanging_the_conditions_turns_the_difference_round(tmp_path: Path) -> None:
    plan = plan_of()
    lost = np.random.default_rng(1).random(len(plan)) < 0.2
    other = plan.assign(condition=plan["condition"].map({HUMAN: HM, HM: HUMAN}))
    one, two = (figures(study(tmp_path, each[~lost], each)) for each in (plan, other))
    assert one[0] == two[1]
    assert one[2].estimate == pytest.approx(-two[2].estimate)
    assert one[2].p == pytest.approx(two[2].p)


def test_one_missing_trial_more_raises_its_condition_alone(tmp_path: Path) -> None:
    plan = plan_of()
    helped = plan.index[plan["condition"] == HM]
    before, after = (figures(study(tmp_path, plan.drop(helped[:n]), plan)) for n in (3, 4))
    assert after[1].estimate - before[1].estimate == pytest.approx(1 / len(helped))
    assert after[0] == before[0]


def test_arms_of_a_condition_have_their_own(tmp_path: Path) -> None:
    plan = plan_of().assign(arm=lambda each: each["condition"].map({HUMAN: "alone", HM: ""}))
    plan.loc[plan["participant"] < "p10", "arm"] = plan["condition"].map({HUMAN: "alone", HM: "debate"})
    results = analyse(study(tmp_path, plan.drop(plan.index[plan["arm"] == "debate"][:6]), plan), is_quick=True)
    found = {
        (row.condition, row.arm): (row.found.estimate, row.found.n_trials)
        for row in results if row.id == "acc.attrition"
    }  # fmt: skip
    assert found == {
        (HUMAN, ""): (0, 120), (HM, ""): (6 / 120, 120), (HM, "debate"): (6 / 60, 60), (HM, "human+model"): (0, 60),
    }  # fmt: skip
    assert results.find("diff.attrition", HM, arm="debate", baseline=HUMAN).estimate == pytest.approx(0.1)


def test_trials_that_were_never_planned_are_told_and_not_counted(tmp_path: Path) -> None:
    plan = plan_of()
    data = study(tmp_path, plan, plan.drop(plan.index[:3]))
    for found in figures(data):
        assert (found.estimate, found.reason) == (None, attrition.NOT_PLANNED.format(3))


def test_a_plan_that_names_nobody_is_told(tmp_path: Path) -> None:
    plan = plan_of()
    for nobody in (plan.drop(columns="participant"), plan.assign(participant="")):
        for found in figures(study(tmp_path, plan, nobody)):
            assert (found.estimate, found.reason) == (None, attrition.NO_TAKERS)


def test_first_answers_before_advice_need_no_plan_of_their_own(tmp_path: Path) -> None:
    plan = plan_of().assign(condition=HM)
    alone, helped, found = figures(study(tmp_path, plan.assign(initial_answer="B").drop(plan.index[:5]), plan))
    assert alone is None
    assert helped.estimate == pytest.approx(5 / 240)
    assert found.reason == "only one condition has planned trials"


def test_questions_of_a_passage_are_one_cluster_though_nobody_met_one_of_them(tmp_path: Path) -> None:
    plan = plan_of()
    met = plan[~plan["question"].isin(["q00", "q11"])]
    passages = {f"q{q:02d}": f"passage {q // 3}" for q in range(12)}
    trials = met.assign(item_group=met["question"].map(passages))
    alone, helped, found = figures(study(tmp_path, trials, plan))
    assert {each.Q for each in (alone, helped, found)} == {6}  # q00 and q11 stand alone where nothing says more
    questions = pd.DataFrame({"question": list(passages), "item_group": list(passages.values())})
    assert {each.Q for each in figures(study(tmp_path, trials, plan, questions=questions))} == {4}


def test_a_single_excluded_trial_leaves_its_plan_too(tmp_path: Path) -> None:
    plan = plan_of()
    trials = plan.drop(plan.index[:2]).assign(excluded=0)
    trials.loc[plan.index[5], "excluded"] = 1
    results = analyse(study(tmp_path, trials, plan), is_quick=True)
    counts = [
        sum(results.find("acc.attrition", condition, exclusions=each).n_trials for condition in (HUMAN, HM))
        for each in ("none", "applied")
    ]
    assert counts == [240, 239]
