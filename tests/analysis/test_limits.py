"""The gain with much time minus the gain with little, against statsmodels; and where the limits come from."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from studies.analysis import limits, report
from studies.analysis.analyse import analyse
from studies.analysis.data import read


@pytest.fixture
def trials() -> pd.DataFrame:
    """The assistant helps with ten minutes and not with two."""
    rng = np.random.default_rng(1)
    rows = [(p, q, (p + q) % 2, 120.0 if (p // 2 + q // 2) % 2 else 600.0) for p in range(20) for q in range(20)]
    frame = pd.DataFrame(rows, columns=["participant", "question", "assisted", "limit_varied"])
    chance = 0.5 + 0.25 * frame["assisted"] * (frame["limit_varied"] == 600)
    return frame.assign(correct=(rng.random(len(frame)) < chance).astype(float))


def test_the_interaction_equals_statsmodels(trials: pd.DataFrame) -> None:
    hm, human = (trials[trials["assisted"] == value] for value in (1, 0))
    found = limits.effect(hm, human)
    data = trials.assign(long=(trials["limit_varied"] == 600).astype(int))
    groups = data[["participant", "question"]].to_numpy()
    model = smf.ols("correct ~ assisted * long", data)
    errors = [
        model.fit(cov_type="cluster", cov_kwds={"groups": each}).bse["assisted:long"]
        for each in (groups, groups[:, 0], groups[:, 1])
    ]
    assert found.estimate == pytest.approx(model.fit().params["assisted:long"])
    assert found.se == pytest.approx(max(errors))
    assert limits.effect(human, hm).estimate == pytest.approx(-found.estimate)


def test_what_cannot_be_compared_is_said(trials: pd.DataFrame) -> None:
    hm, human = (trials[trials["assisted"] == value] for value in (1, 0))
    assert limits.effect(hm.assign(limit_varied=np.nan), human.assign(limit_varied=np.nan)).reason == limits.NO_LIMITS
    assert limits.effect(hm, human[human["limit_varied"] == 600]).reason == limits.NOT_CROSSED
    assert limits.effect(hm.drop(columns="limit_varied"), human).reason == limits.NO_LIMITS


def test_limits_come_from_the_trial_or_from_its_arm_and_task(write: Callable[..., Path], tmp_path: Path) -> None:
    head = "participant,question,condition,arm,task,answer,gold,confidence"
    write(
        head, "p,q,human,slow,mmlu,A,A,", "p,r,human,fast,mmlu,A,A,", "p,s,human,slow,quality,A,A,",
        "p,t,human,open,mmlu,A,A,",
    )  # fmt: skip
    assert read(tmp_path).trials["limit_varied"].isna().all()
    write(
        "arm,condition,task,limit_seconds", "slow,human,mmlu,600", "fast,human,mmlu,120", "slow,human,quality,300",
        "open,human,mmlu,", name="conditions.csv",
    )  # fmt: skip
    # quality was asked under one limit only
    assert read(tmp_path).trials["limit_varied"].tolist() == pytest.approx([600, 120, np.nan, np.inf], nan_ok=True)
    write(f"{head},limit_seconds", "p,q,human,one,mmlu,A,A,,600", "p,r,human,one,mmlu,A,A,,")
    assert read(tmp_path).trials["limit_varied"].tolist() == [600, np.inf]


def test_a_study_with_limits_has_the_figure(simulate: Callable[..., pd.DataFrame], tmp_path: Path) -> None:
    frame = simulate(people=12)
    frame["limit_seconds"] = np.where(frame["position"].astype(int) % 2 == 1, "120", "600")
    frame.to_csv(tmp_path / "trials.csv", index=False)
    found = analyse(read(tmp_path)).find("dose.limit_effect", "human+model", baseline="human")
    assert found.p is not None


def test_every_limit_is_a_subset_with_its_own_contrasts(simulate: Callable[..., pd.DataFrame], tmp_path: Path) -> None:
    frame = simulate(people=12)
    is_short = frame["position"].astype(int) % 2 == 1
    frame.assign(limit_seconds=np.where(is_short, "120", "")).to_csv(tmp_path / "trials.csv", index=False)
    data = read(tmp_path)
    results = analyse(data, is_quick=True)
    for subset, rows in (("limit=120", is_short), ("limit=none", ~is_short)):
        human = rows & (frame["condition"] == "human") & (frame["excluded"] == "0")
        found = results.find("acc.micro", "human", subset=subset)
        expected = (frame["answer"] == frame["gold"])[human].mean()
        assert (found.n_trials, found.estimate) == (human.sum(), pytest.approx(expected))
        gain = results.find("diff.hm_minus_human.micro", "human+model", baseline="human", subset=subset)
        assert gain.p is not None
        assert gain.p_adj is None
    page = report.render(data, results).markdown
    assert "By time limit" in page
    assert "| 120 seconds |" in page
    assert "| No limit |" in page


def test_one_limit_for_all_makes_no_subset(simulate: Callable[..., pd.DataFrame], tmp_path: Path) -> None:
    simulate(people=6).assign(limit_seconds="120").to_csv(tmp_path / "trials.csv", index=False)
    data = read(tmp_path)
    results = analyse(data, is_quick=True)
    assert not any(row.subset.startswith("limit=") for row in results)
    assert "By time limit" not in report.render(data, results).markdown


def test_trials_during_an_outage_are_left_out_once_more(simulate: Callable[..., pd.DataFrame], tmp_path: Path) -> None:
    frame = simulate(people=12)
    is_down = (frame["condition"] == "human+model") & (frame["position"].astype(int) % 5 == 0)
    frame.assign(outage=is_down.astype(int)).to_csv(tmp_path / "trials.csv", index=False)
    data = read(tmp_path)
    results = analyse(data, is_quick=True)
    kept = ~is_down & (frame["condition"] == "human+model") & (frame["excluded"] == "0")
    found = results.find("acc.micro", "human+model", subset="outage=0")
    assert found.n_trials == kept.sum() < results.find("acc.micro", "human+model").n_trials
    assert found.estimate == pytest.approx((frame["answer"] == frame["gold"])[kept].mean())
    assert "without the trials during which the assistant was down" in report.render(data, results).markdown
    frame.assign(outage=0).to_csv(tmp_path / "trials.csv", index=False)
    assert not any(row.subset == "outage=0" for row in analyse(read(tmp_path), is_quick=True))
