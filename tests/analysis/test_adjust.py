"""p values are adjusted within their family only."""

from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from studies.analysis.adjust import adjust, benjamini_hochberg, holm
from studies.analysis.estimate import Estimate
from studies.analysis.results import Result
from studies.analysis.study import Study

MICRO, WEIGHTED, MODEL = "diff.hm_minus_human.micro", "diff.hm_minus_human.question_weighted", "diff.hm_minus_model"


def row(id: str, baseline: str, p: float | None, subset: str = "all", arm: str = "", timeouts: str = "wrong") -> Result:
    found = Estimate(estimate=0.1, p=p)
    return Result(id, "human+model", arm, baseline, subset, timeouts, "none", "random", found)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_both_equal_statsmodels(p_values: list[float]) -> None:
    with mock.patch("gc.collect"):  # statsmodels collects all garbage at each call: a second each in a long test run
        assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])
        assert benjamini_hochberg(p_values) == pytest.approx(multipletests(p_values, method="fdr_bh")[1])


def test_the_primary_family_is_the_two_planned_contrasts() -> None:
    rows = [
        row(MICRO, "human", 0.03),
        row(WEIGHTED, "human", 0.001),
        row(MODEL, "model", 0.02),
        row("diff.human_minus_model", "model", 0.001),
        row("diff.synergy.micro", "human", 0.04),
        row(MODEL, "model: zero-shot", 0.001),
        row(MICRO, "human", 0.5, arm="chat"),
        row(MICRO, "human", 0.03, timeouts="excluded"),
        row(MICRO, "human", 0.03, subset="model_correct=1"),
    ]
    adjusted = [r.found.p_adj for r in adjust(rows, Study())]
    assert adjusted == [
        pytest.approx(0.04),
        None,
        pytest.approx(0.04),
        None,
        None,
        None,
        None,
        pytest.approx(0.03),
        None,
    ]


def test_the_primary_form_is_what_the_study_says() -> None:
    rows = [row(MICRO, "human", 0.03), row(WEIGHTED, "human", 0.001), row(MODEL, "model", 0.02)]
    found = adjust(rows, Study(primary="question_weighted"))
    assert [r.found.p_adj for r in found] == [None, pytest.approx(0.002), pytest.approx(0.02)]
    assert found[1].found.flags == ("adjusted_holm",)


def test_an_undefined_contrast_belongs_to_no_family() -> None:
    found = adjust([row(MICRO, "human", 0.03), row(MODEL, "model", None)], Study())
    assert [r.found.p_adj for r in found] == [pytest.approx(0.03), None]


@pytest.mark.parametrize(
    ("subjects", "method", "flag"),
    [("exploratory", "fdr_bh", "adjusted_bh"), ("confirmatory", "holm", "adjusted_holm")],
)
def test_subjects_are_one_family_for_each_contrast(subjects: str, method: str, flag: str) -> None:
    p_values = [0.01, 0.02, 0.2, 0.04]
    rows = [row(MICRO, "human", p, subset=f"subject={i}") for i, p in enumerate(p_values)]
    found = adjust([*rows, row(MODEL, "model", 0.9, subset="subject=0")], Study(subjects=subjects))
    assert [r.found.p_adj for r in found] == pytest.approx([*multipletests(p_values, method=method)[1], 0.9])
    assert {r.found.flags for r in found} == {(flag,)}


def test_people_are_adjusted_by_benjamini_hochberg() -> None:
    p_values = np.linspace(0.001, 0.3, 7).tolist()
    found = adjust(
        [row(MICRO, "human", p, subset=f"participant={i}") for i, p in enumerate(p_values)],
        Study(subjects="confirmatory"),
    )
    assert [r.found.p_adj for r in found] == pytest.approx(multipletests(p_values, method="fdr_bh")[1])
