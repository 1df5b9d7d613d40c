"""The whole registry on a simulated study: every slice, every figure defined or with a reason, the same on a rerun."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from studies.analysis import accuracy, compare
from studies.analysis.analyse import analyse
from studies.analysis.data import read
from studies.analysis.registry import REGISTRY
from studies.analysis.results import Results
from studies.analysis.shapes import ANSWERED_ONLY
from studies.analysis.slices import slices
from studies.analysis.study import Study

PREFIXES = ("acc", "diff", "cal", "vote", "mcnemar", "rel", "es", "dose", "glmm", "gee", "perm", "power", "look")
PREFIXES += ("agree", "place")  # of the model alone


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, simulate: Callable[..., pd.DataFrame]) -> Results:
    path = tmp_path_factory.mktemp("study") / "trials.csv"
    simulate().to_csv(path, index=False)
    return analyse(read(path))


def test_ids_are_unique_dotted_and_defined() -> None:
    ids = [definition.id for definition in REGISTRY]
    assert len(ids) == len(set(ids))
    assert all(id.split(".")[0] in PREFIXES and "." in id for id in ids)
    assert all(definition.definition and definition.title and definition.compute.__doc__ for definition in REGISTRY)


def test_labels_identify_a_row(results: Results) -> None:
    labels = [tuple(row.row().values())[:8] for row in results]
    assert len(labels) == len(set(labels))


def test_every_figure_is_defined_or_has_a_reason(results: Results) -> None:
    for row in results:
        found = row.found
        values = [found.estimate, found.se, found.low, found.high, found.p, found.p_adj]
        assert all(value is None or np.isfinite(value) for value in values), row
        if found.estimate is None or found.low is None:
            assert found.reason, row
        assert (found.low is None) == (found.high is None)


def test_every_id_of_the_registry_has_a_headline_row(results: Results) -> None:
    headline = {r.id for r in results if (r.subset, r.timeouts, r.exclusions) == ("all", "wrong", "applied")}
    assert headline == {definition.id for definition in REGISTRY}


def test_timeouts_and_exclusions_are_always_computed_both_ways(
    results: Results, simulate: Callable[..., pd.DataFrame]
) -> None:
    frame = simulate()
    for timeouts in ("wrong", "excluded"):
        for exclusions in ("applied", "none"):
            rows = frame[(frame["condition"] == "human") & ((frame["excluded"] == "0") | (exclusions == "none"))]
            rows = rows[(rows["answer"] != "") | (timeouts == "wrong")]
            expected = (rows["answer"] == rows["gold"]).mean()
            found = results.find("acc.micro", "human", timeouts=timeouts, exclusions=exclusions)
            assert (found.estimate, found.n_trials) == (pytest.approx(expected), len(rows))


def test_a_slice_gives_what_the_function_gives_on_those_rows(
    results: Results, simulate: Callable[..., pd.DataFrame], tmp_path: Path
) -> None:
    """The runner's numeric slices and a notebook's plain tables agree."""
    simulate().to_csv(tmp_path / "trials.csv", index=False)
    trials = read(tmp_path).trials
    trials = trials[(trials["excluded"] == 0) & (trials["task"] == "mmlu")]
    plain = trials.drop(columns=[name for name in trials.columns if name.endswith("_code")])
    hm, human = plain[plain["condition"] == "human+model"], plain[plain["condition"] == "human"]
    assert results.find("acc.micro", "human", subset="task=mmlu") == accuracy.micro(human)
    found = results.find("diff.hm_minus_human.question_weighted", "human+model", baseline="human", subset="task=mmlu")
    expected = compare.question_weighted(hm, human)
    assert (found.estimate, found.se, found.p) == pytest.approx((expected.estimate, expected.se, expected.p))


def test_figures_of_answered_trials_are_the_same_with_timeouts_left_out(trials_csv: Path, results: Results) -> None:
    """They are computed once; here they are computed again on the rows without timeouts."""
    data = read(trials_csv)
    part = next(part for part in slices(data) if (part.timeouts, part.subset) == ("excluded", "all"))
    assert (part.trials["timed_out"] != 1).all()
    once = [definition for definition in REGISTRY if definition.shape in ANSWERED_ONLY]
    assert {"cal.brier", "rel.agreement"} <= {definition.id for definition in once}
    for definition in once:
        for condition, arm, _, found in definition.shape(part, definition.compute, "random"):
            assert results.find(definition.id, condition, arm=arm, timeouts="excluded") == found, definition.id
            assert results.find(definition.id, condition, arm=arm) == found, definition.id


def test_the_model_is_one_row_per_question_of_the_file(results: Results, simulate: Callable[..., pd.DataFrame]) -> None:
    questions = simulate().drop_duplicates("question")
    found = results.find("acc.micro", "model")
    assert (found.n_trials, found.P) == (len(questions), None)
    assert found.estimate == pytest.approx((questions["model_answer"] == questions["gold"]).mean())


def test_a_person_is_compared_with_themselves_over_questions(results: Results) -> None:
    rows = [row for row in results if row.subset.startswith("participant=") and row.found.se is not None]
    assert {row.population for row in rows} == {"this participant"}
    assert {row.found.method for row in rows if row.id != "glmm.risk_difference"} == {"one-way CRVE (question), t"}
    assert {row.found.P for row in rows} == {1}


def test_single_persons_have_a_shrunken_gain_and_a_test_against_the_model(results: Results) -> None:
    gains = [r.found for r in results if r.id == "glmm.risk_difference" and r.subset.startswith("participant=")]
    raw = [r.found for r in results if r.id == "diff.hm_minus_human.micro" and r.subset.startswith("participant=")]
    assert len(gains) == len(raw)
    known = np.array([(one.estimate, other.estimate) for one, other in zip(gains, raw, strict=True) if one.estimate])
    assert known[:, 0].std() < known[:, 1].std()
    tests = [r.found for r in results if r.id == "mcnemar.people.mid_p" and r.subset.startswith("participant=")]
    assert all("adjusted_bh" in each.flags and each.p_adj >= each.p for each in tests if each.p is not None)
    assert results.find("mcnemar.people.mid_p", "human+model", baseline="model").p_adj is None


def test_a_margin_is_taken_from_the_study_and_never_assumed(trials_csv: Path, results: Results) -> None:
    assert results.find("diff.noninferior.micro", "human+model", baseline="human").reason == "no margin was fixed"
    found = analyse(read(trials_csv, study=Study(margin=0.05)), is_quick=True).find(
        "diff.noninferior.micro", "human+model", baseline="human"
    )
    assert found.p is not None
    assert "one-sided t above -0.05" in found.method


def test_fixed_questions_are_labelled(results: Results) -> None:
    found = results.find("diff.hm_minus_model", "human+model", baseline="model", population="fixed questions")
    assert found.method == "one-way CRVE (participant), t"


def test_contrasts_are_split_by_whether_the_model_is_right(results: Results) -> None:
    right = results.find("diff.hm_minus_human.micro", "human+model", baseline="human", subset="model_correct=1")
    wrong = results.find("diff.hm_minus_human.micro", "human+model", baseline="human", subset="model_correct=0")
    assert (
        right.estimate > 0 > wrong.estimate
    )  # planted: the model helps where it is right and misleads where it is wrong


def test_a_rerun_is_byte_identical(simulate: Callable[..., pd.DataFrame], tmp_path: Path, results: Results) -> None:
    frame = simulate()
    frame.sample(frac=1, random_state=4).to_csv(tmp_path / "trials.csv", index=False)
    assert analyse(read(tmp_path)).to_csv() == results.to_csv()


def test_csv_has_no_nan_and_no_minus_zero(results: Results) -> None:
    cells = {cell for line in results.to_csv().splitlines() for cell in line.split(",")}
    assert not cells & {"nan", "NaN", "None", "inf", "-0", "-0.0"}


def test_several_arms_have_rows_of_their_own(simulate: Callable[..., pd.DataFrame], tmp_path: Path) -> None:
    frame = simulate(people=12)
    early = frame["participant"] < "p006"
    arm = np.where(frame["condition"] == "human", "alone", np.where(early, "chat", "chat with limit"))
    frame.assign(arm=arm).to_csv(tmp_path / "trials.csv", index=False)
    rows = [
        r
        for r in analyse(read(tmp_path))
        if (r.subset, r.timeouts, r.exclusions, r.population) == ("all", "wrong", "applied", "random")
    ]
    assert [r.arm for r in rows if r.id == "acc.micro"] == ["", "", "chat", "chat with limit", ""]
    pairs = [(r.arm, r.baseline) for r in rows if r.id == "diff.hm_minus_human.micro"]
    assert pairs == [("", "human"), ("chat", "human"), ("chat with limit", "human")]


def test_other_protocols_are_contrasted_too(simulate: Callable[..., pd.DataFrame], tmp_path: Path) -> None:
    frame = simulate(people=12)
    frame.to_csv(tmp_path / "trials.csv", index=False)
    answers = frame.drop_duplicates("question")[["question", "gold"]].rename(columns={"gold": "answer"})
    answers.assign(protocol="oracle").to_csv(tmp_path / "model_answers.csv", index=False)
    results = analyse(read(tmp_path))
    assert results.find("acc.micro", "model", arm="oracle").estimate == 1.0
    against = results.find("diff.hm_minus_model", "human+model", baseline="model: oracle")
    assert against.estimate == pytest.approx(results.find("acc.micro", "human+model").estimate - 1)
    assert against.p_adj is None


def test_a_table_with_one_condition_and_no_model_says_so(simulate: Callable[..., pd.DataFrame], tmp_path: Path) -> None:
    frame = simulate(people=5)
    bare = frame.loc[
        frame["condition"] == "human", ["participant", "question", "condition", "answer", "gold", "confidence"]
    ]
    bare.to_csv(tmp_path / "trials.csv", index=False)
    results = analyse(read(tmp_path))
    assert results.exclusions == "none"
    assert (
        results.find("diff.hm_minus_human.micro", "human+model", baseline="human").reason
        == "only one condition has trials"
    )
    assert results.find("diff.hm_minus_model", "human+model", baseline="model").estimate is None
    assert "few_clusters" in results.find("acc.micro", "human").flags


def test_bare_correct_is_enough(simulate: Callable[..., pd.DataFrame], tmp_path: Path) -> None:
    frame = simulate(people=12)
    frame = frame.assign(correct=(frame["answer"] == frame["gold"]).astype(int), confidence="")
    frame[["participant", "question", "condition", "correct", "confidence"]].to_csv(
        tmp_path / "trials.csv", index=False
    )
    results = analyse(read(tmp_path))
    assert results.find("diff.hm_minus_human.micro", "human+model", baseline="human").p is not None
    assert results.find("cal.brier", "human").reason == "no confidence was given"
    assert results.find("vote.pool", "human").reason == "votes need answers and gold"


def test_simulated_participants_have_no_timing_and_no_dose(trials_csv: Path) -> None:
    real = {row.id for row in analyse(read(trials_csv))}
    simulated = {row.id for row in analyse(read(trials_csv, study=Study(is_simulated=True)))}
    left = {"dose.seconds", "dose.messages", "dose.resets", "dose.slope.seconds", "dose.slope.messages"}
    assert real - simulated == left | {"dose.non_use", "dose.complier_effect"}
