"""What the report says was done otherwise than registered."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from studies.analysis import code, deviations, family, preregistration, report, study
from studies.analysis.analyse import analyse
from studies.analysis.blocks import Table
from studies.analysis.data import Data, read
from studies.analysis.errors import InputError
from studies.analysis.preregistration import Preregistration
from studies.analysis.sections import deviations as section

PLAN = Preregistration(
    study="s", version=1, title="S", spec_hash="abc", primary="micro", baseline_protocol="zero-shot",
    family=family.PLANNED, subjects="exploratory", alpha=0.05, margin=0.05,
    exclusions=("Attention  check",), timeouts="wrong", looks=(1.0,), max_information=None, people=24, seed=1,
    code_sha256="c", locked_at="2026-03-01T09:00:00+00:00",
)  # fmt: skip
ABOUT = {"spec_hash": "abc", "margin": 0.05, "state": "closed"}


@pytest.fixture
def make(trials_csv: Path) -> Callable[..., Data]:
    """A bundle folder of 24 people, one of them excluded by `attention check`, and its preregistration."""

    def made(plan: Preregistration | None = PLAN, trials: Callable[[pd.DataFrame], pd.DataFrame] = lambda f: f,
             **about: object) -> Data:  # fmt: skip
        folder = trials_csv.parent
        trials(pd.read_csv(trials_csv, dtype=str, keep_default_na=False)).to_csv(trials_csv, index=False)
        (folder / "study.json").write_text(json.dumps(ABOUT | about))
        if plan is not None:
            (folder / preregistration.FILE).write_text(json.dumps(plan.to_json()))
        data = read(folder)
        return replace(data, primary_protocol="zero-shot")

    return made


def found(data: Data) -> dict[str, tuple[str, str]]:
    return {each.what: (each.registered, each.found) for each in deviations.deviations(data, code="c")}


def test_a_study_done_as_registered_has_none(make: Callable[..., Data]) -> None:
    assert found(make()) == {}


def test_settings_that_changed_are_listed_with_both_values(make: Callable[..., Data]) -> None:
    data = make(
        primary="question_weighted",
        margin=0.1,
        alpha=0.1,
        subjects="confirmatory",
        family=["diff.hm_minus_model"],
        spec_hash="d",
    )
    assert found(replace(data, primary_protocol="5-shot")) == {
        "Form of the primary contrast": ("micro", "question_weighted"),
        "Model alone, primary protocol": ("zero-shot", "5-shot"),
        "Subjects": ("exploratory", "confirmatory"),
        "Alpha": ("0.05", "0.1"),
        "Margin": ("0.05", "0.1"),
        "Family of contrasts": ("diff.hm_minus_human, diff.hm_minus_model", "diff.hm_minus_model"),
        "Study file and plan (digest)": ("abc", "d"),
    }
    assert found(make(margin=None))["Margin"] == ("0.05", "none")


def test_changed_code_is_a_deviation(make: Callable[..., Data]) -> None:
    data = make()
    assert [each.what for each in deviations.deviations(data)] == ["Code of the analysis (digest)"]
    own = replace(PLAN, code_sha256=code.digest())
    assert deviations.deviations(replace(data, registered=own)) == []


def test_exclusions_by_other_rules_or_after_the_outcomes_are_listed(make: Callable[..., Data]) -> None:
    other = make(replace(PLAN, exclusions=()))
    assert found(other) == {"Exclusion by a rule that was not registered": ("no rule", "attention check (1 person)")}
    late = make(trials=lambda f: f.assign(post_hoc=f["excluded"]))
    assert found(late) == {"Exclusion after outcomes were seen": ("none", "attention check (1 person)")}
    back = make(trials=lambda f: f.assign(post_hoc=""), exclusions_taken_back_post_hoc=2)
    assert found(back) == {"Exclusion taken back after outcomes were seen": ("none", "2 people")}


def test_a_sample_of_another_size_is_listed_once_the_study_is_closed(make: Callable[..., Data]) -> None:
    assert found(make(replace(PLAN, people=30))) == {
        "Sample smaller than planned": ("30 people", "24 people with answers")
    }
    assert "Sample larger than planned" in found(make(replace(PLAN, people=20)))
    assert found(make(replace(PLAN, people=30), state="open")) == {}


def test_looks_more_fewer_or_at_other_times_are_listed(make: Callable[..., Data]) -> None:
    early = make(looks=["2026-03-02, results page, by ada"])
    assert found(early)["Looks more than planned"][0] == "none before the study was closed"
    plan = replace(PLAN, looks=(0.5, 1.0), max_information=100.0)
    settings = {"planned_looks": [0.5, 1], "max_information": 100.0}
    assert "Planned looks that were not taken" in found(make(plan, **settings))
    one = {"at": "2026-03-02", "estimate": 0.1, "se": 1 / 80**0.5, "p": 0.2}
    taken = make(plan, **settings, looks=["2026-03-02"], look_results=[one])
    assert found(taken) == {"Time of the look 2026-03-02": ("50%", "80%")}
    assert found(make(plan, **(settings | {"max_information": 90.0}), looks=["x"]))["Information at the end"] == (
        "100",
        "90",
    )


def test_without_a_preregistration_the_report_says_so(make: Callable[..., Data]) -> None:
    data = make(None)
    assert deviations.deviations(data) == []
    made = section.section(data)
    assert made.sentences == (section.NONE_LOCKED,)
    assert section.NONE_LOCKED in report.render(data, analyse(data, is_quick=True)).page


def test_the_section_counts_and_lists_them(make: Callable[..., Data]) -> None:
    data = make(replace(PLAN, people=30))
    made = section.section(data)
    assert "Locked 2026-03-01 09:00 UTC" in made.sentences[0]
    assert data.sha256[preregistration.FILE][:12] in made.sentences[0]
    assert made.sentences[1] == "Deviations from it: 2."  # the code's digest and the sample
    assert made.blocks[0].rows[1] == ("Sample smaller than planned", "30 people", "24 people with answers")


def test_how_the_model_was_asked_otherwise_than_in_the_paper_is_listed(make: Callable[..., Data]) -> None:
    data = make()
    protocols = ["zero-shot", *["chain-of-thought"] * 8, "chain-of-thought-majority", "frequencies-majority@other"]
    asked = replace(data, models=pd.DataFrame({"question": "q1", "protocol": protocols}))
    made = section.section(asked)
    assert made.title == "Deviations from the preregistration and the paper"
    assert made.sentences[-1] == "Deviations from the paper in how the model alone was asked: 2."
    table = made.blocks[-1]
    assert isinstance(table, Table)
    assert table.rows == [
        (
            "chain-of-thought-majority",
            "the best of 20 samples by a preference model",
            "the majority of 8 samples (self-consistency)",
        ),
        (
            "frequencies-majority@other",
            "the letter with the highest likelihood",
            "the option named most often in N sampled replies",
        ),
    ]
    alone = section.section(replace(asked, registered=None))
    assert (alone.sentences[0], len(alone.blocks)) == (section.NONE_LOCKED, 1)
    assert section.section(data).title == "Deviations from the preregistration"


def test_a_preregistration_comes_back_as_it_was_written() -> None:
    assert preregistration.from_json(json.loads(json.dumps(PLAN.to_json()))) == PLAN


def test_a_broken_preregistration_is_refused_by_name() -> None:
    broken = PLAN.to_json() | {"margin": "five", "looks": [True, "x"], "people": None, "format": 9}
    broken.pop("seed")
    with pytest.raises(InputError) as refused:
        preregistration.from_json(broken)
    assert {problem.column for problem in refused.value.problems} == {"margin", "looks", "people", "seed", "format"}


def test_study_json_refuses_settings_that_are_none() -> None:
    wrong = {
        "margin": 2,
        "alpha": 0.9,
        "max_information": -1,
        "planned_looks": [0, 1],
        "look_results": [3],
        "family": "x",
    }
    with pytest.raises(InputError) as refused:
        study.from_json(wrong)
    assert {problem.column for problem in refused.value.problems} == set(wrong)
