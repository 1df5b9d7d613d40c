"""Where a study stands among its planned looks."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from studies.analysis import compare, report, sequential
from studies.analysis.analyse import analyse
from studies.analysis.data import Data, read
from studies.analysis.estimate import Estimate
from studies.analysis.looks import NONE_PLANNED, looks
from studies.analysis.sections import looked
from studies.analysis.study import LookResult, Study

HM, HUMAN = "human+model", "human"
NOW = Estimate(estimate=0.1, se=0.04, df=20, p=0.02)  # information 625, z 2.326
PLANNED = Study(planned_looks=(1 / 3, 2 / 3, 1.0), max_information=900.0, is_closed=False)
EARLIER = LookResult("monday", 300.0, 1.0)


@pytest.fixture
def make(trials_csv: Path) -> Callable[..., Data]:
    def made(**about: object) -> Data:
        (trials_csv.parent / "study.json").write_text(json.dumps(about))
        return read(trials_csv.parent)

    return made


def test_each_look_has_the_boundary_of_its_information() -> None:
    first, now = looks(NOW, replace(PLANNED, look_results=(EARLIER,)))
    assert first.fraction == pytest.approx(1 / 3)
    assert first.bound == pytest.approx(3.710, abs=5e-4)
    assert now.fraction == pytest.approx(625 / 900)
    assert now.bound == pytest.approx(sequential.boundaries([1 / 3, 625 / 900], is_last=False)[1])
    assert now.z == pytest.approx(2.326, abs=1e-3)
    assert not now.is_crossed


def test_the_last_look_spends_what_is_left_and_can_show_a_difference() -> None:
    closed = replace(PLANNED, look_results=(EARLIER,), is_closed=True)
    now = looks(NOW, closed)[-1]
    assert 1.96 < now.bound < 2.1
    assert now.is_crossed


def test_more_information_than_registered_counts_as_all_of_it() -> None:
    now = looks(NOW, replace(PLANNED, max_information=100.0))[-1]
    assert now.fraction == 1.0
    assert now.bound == pytest.approx(1.95996, abs=1e-4)


def test_an_analysis_of_the_same_data_is_the_same_look() -> None:
    again = replace(PLANNED, look_results=(EARLIER, LookResult("now", 625.0, 2.326), LookResult("no test", None, None)))
    assert len(looks(NOW, again)) == 2


def test_without_a_plan_information_or_test_there_is_a_reason(make: Callable[..., Data]) -> None:
    for study, found, words in (
        (Study(), NOW, NONE_PLANNED),
        (replace(PLANNED, max_information=None), NOW, "no information at the end"),
        (PLANNED, Estimate(reason="only one condition has trials"), "has no test: only one condition has trials"),
    ):
        with pytest.raises(ValueError, match=words):
            looks(found, study)
    figure = analyse(make(), is_quick=True).find("look.z", HM, baseline=HUMAN)
    assert figure is not None
    assert (figure.estimate, figure.reason) == (None, NONE_PLANNED)


def test_figures_and_report_say_boundary_z_and_decision(make: Callable[..., Data]) -> None:
    earlier = {"at": "2026-03-02", "estimate": 0.1, "se": 0.2, "p": 0.6}
    data = make(planned_looks=[0.5, 1], max_information=400, look_results=[earlier], looks=["2026-03-02"], state="open")
    results = analyse(data, is_quick=True)
    kept = data.trials[data.trials["excluded"] != 1]
    contrast = compare.micro(kept[kept["condition"] == HM], kept[kept["condition"] == HUMAN])
    z, bound, share = (results.find(f"look.{name}", HM, baseline=HUMAN) for name in ("z", "boundary", "information"))
    assert z is not None
    assert z.estimate == pytest.approx(sequential.z_of(contrast))
    assert share is not None
    assert share.estimate == pytest.approx(1 / contrast.se**2 / 400)
    assert bound is not None
    made = looked.section(data, results)
    assert made is not None
    assert [row[0] for row in made.blocks[0].rows] == ["2026-03-02", "This analysis"]
    assert made.blocks[0].rows[1][2] == f"{bound.estimate:.3f}"
    assert "crossed" in made.blocks[0].rows[1][4]
    assert "Looks before the end" in report.render(data, results).page


def test_unplanned_looks_are_told(make: Callable[..., Data]) -> None:
    data = make(looks=["2026-03-02, results page, by ada"])
    made = looked.section(data, analyse(data, is_quick=True))
    assert made is not None
    assert made.sentences == (looked.UNPLANNED,)
    data = make()
    assert looked.section(data, analyse(data, is_quick=True)) is None
