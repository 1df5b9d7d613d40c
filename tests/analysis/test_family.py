"""The contrasts that a preregistration names are read, checked against the study's arms, and adjusted together."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.analysis import family
from studies.analysis.adjust import adjust, holm
from studies.analysis.errors import InputError
from studies.analysis.estimate import Estimate
from studies.analysis.results import Result
from studies.analysis.study import Study, from_json

ARMS = [("human", "alone"), ("human", "alone-fast"), ("human+model", "careful"), ("human+model", "brief - bold")]


@pytest.mark.parametrize(
    ("text", "id", "arm", "baseline"),
    [
        ("diff.hm_minus_human", "diff.hm_minus_human", "", "human"),
        ("diff.hm_minus_model: careful", "diff.hm_minus_model", "careful", "model"),
        (" diff.human_minus_model : alone ", "diff.human_minus_model", "alone", "model"),
        ("diff.hm_minus_human: careful - alone-fast", "diff.hm_minus_human", "careful", "alone-fast"),
        ("diff.hm_minus_human: human+model - alone", "diff.hm_minus_human", "", "alone"),
        ("diff.hm_minus_human: careful - human", "diff.hm_minus_human", "careful", "human"),
    ],
)
def test_a_name_says_which_row_is_meant(text: str, id: str, arm: str, baseline: str) -> None:
    assert family.parse(text) == family.Contrast(id, arm, baseline)
    assert family.parse(str(family.parse(text))) == family.parse(text)


@given(st.sampled_from(sorted(family.SIDES)), st.sampled_from(["", "careful"]), st.sampled_from(["", "alone"]))
def test_what_is_written_is_read_again(id: str, arm: str, other: str) -> None:
    whole = family.SIDES[id][1]
    contrast = family.Contrast(id, arm, other if other and id == family.TWO_ARMS else whole)
    assert family.parse(str(contrast)) == contrast


@pytest.mark.parametrize(
    "text", ["", "acc.micro", "diff.hm_minus_human.micro", "diff.hm_minus_model:", "diff.hm_minus_human: - alone",
             "diff.hm_minus_human: careful - ", "diff.hm_minus_model: careful - alone"],
)  # fmt: skip
def test_another_text_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="is no contrast: use diff"):
        family.parse(text)
    with pytest.raises(InputError) as caught:
        from_json({"family": ["diff.hm_minus_model", text]})
    assert [(p.column, p.value) for p in caught.value.problems] == [("family", repr(text))]


def test_arms_are_those_of_the_study_and_an_only_arm_is_its_condition() -> None:
    names = ("diff.hm_minus_human: careful - alone", "diff.hm_minus_model: careful", "diff.hm_minus_model")
    assert family.of_study(names, ARMS) == names
    assert family.of_study(names[:2], ARMS[:3]) == ("diff.hm_minus_human: human+model - alone", "diff.hm_minus_model")
    assert family.of_study(names[:1], [ARMS[2], ("human", "alone")]) == ("diff.hm_minus_human",)
    assert family.of_study(["diff.hm_minus_human: careful - alone"], [ARMS[0], *ARMS[2:]]) == (
        "diff.hm_minus_human: careful",
    )
    with pytest.raises(ValueError, match=re.escape("'wild' is no arm of human+model; use brief - bold, careful")):
        family.of_study(["diff.hm_minus_model: wild"], ARMS)
    with pytest.raises(ValueError, match="'careful' is no arm of human; use alone, alone-fast"):
        family.of_study(["diff.human_minus_model: careful"], ARMS)
    with pytest.raises(ValueError, match="is named twice"):
        family.of_study(["diff.hm_minus_model", "diff.hm_minus_model: careful"], ARMS[:3])


def test_the_named_contrasts_and_no_others_are_adjusted_together() -> None:
    def row(id: str, arm: str, baseline: str, p: float, subset: str = "all") -> Result:
        found = Estimate(estimate=0.1, p=p)
        return Result(id, "human+model", arm, baseline, subset, "wrong", "none", "random", found)

    micro, model = "diff.hm_minus_human.micro", "diff.hm_minus_model"
    rows = [
        row(micro, "careful", "alone", 0.01), row(micro, "brief", "alone", 0.04), row(model, "careful", "model", 0.02),
        row(micro, "", "human", 0.001), row(model, "brief", "model", 0.001), row(micro, "careful", "human", 0.001),
        row(micro, "careful", "alone", 0.03, "subject=law"), row(micro, "careful", "alone", 0.02, "subject=art"),
    ]  # fmt: skip
    names = (
        "diff.hm_minus_human: careful - alone",
        "diff.hm_minus_human: brief - alone",
        "diff.hm_minus_model: careful",
    )
    found = adjust(rows, Study(family=names, subjects="confirmatory"))
    adjusted = [each.found.p_adj for each in found]
    assert adjusted[:3] == pytest.approx(holm([0.01, 0.04, 0.02]))
    assert adjusted[3:6] == [None, None, None]
    assert adjusted[6:] == pytest.approx(holm([0.03, 0.02]))
