"""The headline says no more than the tests do."""

from dataclasses import replace

import pytest

from studies.analysis.estimate import Estimate
from studies.analysis.narrative import headline
from studies.analysis.results import Result, Results
from studies.analysis.study import Study


def contrast(estimate: float, p: float) -> Estimate:
    return Estimate(estimate=estimate, low=estimate - 0.1, high=estimate + 0.1, p=p, p_adj=p)


def sentences(gain: Estimate, over_model: Estimate, synergy: Estimate | None = None) -> str:
    where = ("all", "wrong", "none", "random")
    rows = [
        Result("diff.hm_minus_human.micro", "human+model", "", "human", *where, gain),
        Result("diff.hm_minus_model", "human+model", "", "model", *where, over_model),
    ]
    if synergy:
        rows.append(Result("diff.synergy.micro", "human+model", "", "human", *where, synergy))
    return " ".join(headline(Results(rows, exclusions="none"), Study()))


def test_at_a_planned_look_the_boundary_decides_and_not_p() -> None:
    gain = Estimate(estimate=0.1, se=0.04, df=20, low=0.02, high=0.18, p=0.02, p_adj=0.02)
    rows = [Result("diff.hm_minus_human.micro", "human+model", "", "human", "all", "wrong", "none", "random", gain)]
    results = Results(rows, exclusions="none")

    def verdict(**about: object) -> str:
        return headline(results, replace(Study(planned_looks=(0.5, 1.0), max_information=900.0), **about))[-1]

    assert "remains open: at this look |z| is 2.33, and its boundary is 2.4" in verdict(is_closed=False)
    assert verdict(is_closed=True) == "The model helped people."
    assert "no information at the end was registered" in verdict(max_information=None)


@pytest.mark.parametrize(
    ("gain", "over_model", "synergy", "expected"),
    [
        (contrast(0.2, 0.001), contrast(0.1, 0.01), Estimate(estimate=0.1, p=0.005), "they beat the better of the two"),
        (
            contrast(0.2, 0.001),
            contrast(0.1, 0.30),
            Estimate(estimate=0.1, p=0.15),
            "beat the model alone is not shown",
        ),
        (contrast(0.2, 0.001), contrast(-0.1, 0.01), Estimate(estimate=-0.1, p=0.99), "stayed below the model alone"),
        (contrast(-0.2, 0.001), contrast(-0.1, 0.30), None, "made people worse."),
        (contrast(0.2, 0.06), contrast(0.1, 0.01), None, "remains open: no difference is not excluded"),
        (
            Estimate(reason="only one condition has trials"),
            contrast(0.1, 0.01),
            None,
            "cannot be tested on these trials",
        ),
    ],
)
def test_the_verdict(gain: Estimate, over_model: Estimate, synergy: Estimate | None, expected: str) -> None:
    assert expected in sentences(gain, over_model, synergy)


def test_intervals_and_adjusted_p_stand_beside_the_gains() -> None:
    text = sentences(contrast(0.2, 0.001), contrast(-0.05, 0.3)).replace("\u202f", " ")
    assert "minus people alone: +20.0 points (95 % interval +10.0 to +30.0, p = .001 after Holm)" in text
    assert "minus the model alone: −5.0 points (95 % interval −15.0 to +5.0, p = .300 after Holm)" in text


def test_no_trials_no_claim() -> None:
    assert headline(Results([], exclusions="none"), Study())[0] == "There are no answers yet."
