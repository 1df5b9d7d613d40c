"""Whoever is excluded leaves the figures and stays in the tables, with the rule, who decided, when, and how late."""

from datetime import timedelta

import pandas as pd
import pytest
from django.contrib.auth.models import User

from studies.analysis import deviations
from studies.analysis.analyse import analyse
from studies.analysis.data import Data, read
from studies.analysis.sections import flow as flow_page
from studies.analysis.sections import left_out as left_out_page
from studies.analysis.sums import broken
from studies.design.models import Study
from studies.reports import exclusions, looks, queries
from studies.reports.bundle import write_bundle
from studies.reports.exclusions import Standing
from studies.reports.frames import tables
from studies.reports.models import AnalysisRun
from studies.reports.registration import Choices, preregister
from studies.reports.source import read as read_rows
from studies.runtime import sessions
from studies.runtime.exclusions import CannotExclude
from studies.runtime.models import ParticipantSession
from tests.reports import rows

pytestmark = pytest.mark.django_db
RULE = "Failed both checks"
LATER = rows.START + timedelta(hours=2)


@pytest.fixture
def study() -> Study:
    """Preregistered with one rule, launched, and taken by eight people."""
    study = rows.make_study()
    Study.objects.filter(pk=study.pk).update(state=Study.State.DRAFT)
    preregister(study=study, choices=Choices(exclusions=(RULE,)), by=None, now=rows.START)
    Study.objects.filter(pk=study.pk).update(state=Study.State.OPEN)
    rows.play(study, people=8)
    return Study.objects.get(pk=study.pk)


def one(study: Study, name: str) -> ParticipantSession:
    return study.sessions.select_related("study").get(participant__pseudonym=name)


def exclude(study: Study, name: str, reason: str = RULE, by: User | None = None) -> Standing:
    return exclusions.exclude(session=one(study, name), reason=reason, by=by, now=LATER)


def exported(study: Study, folder, name: str = "bundle.zip", **form: bool) -> Data:
    return read(write_bundle(study, folder / name, **form))


def found(data: Data) -> dict[str, str]:
    return {each.what: each.found for each in deviations.deviations(data) if each.what.startswith("Exclusion")}


def test_the_trials_of_whoever_is_excluded_leave_the_figures_and_stay_in_the_tables(study, tmp_path):
    exclude(study, "p3")
    data = exported(rows.close(study), tmp_path)
    results = analyse(data, is_quick=True)
    assert set(data.trials["participant"]) == {f"p{number}" for number in range(8)}
    for condition in ("human", "human+model"):
        own = data.trials[data.trials["condition"] == condition]
        for treatment, counted in (("none", own), ("applied", own[own["participant"] != "p3"])):
            figure = results.find("acc.micro", condition, exclusions=treatment)
            assert (figure.n_trials, figure.P) == (len(counted), counted["participant"].nunique())
            assert figure.estimate == pytest.approx(counted["correct"].mean())


def test_the_flow_and_the_sums_show_them_with_the_reason(study, tmp_path):
    exclude(study, "p3")
    exclude(study, "p4", "slept")
    data = exported(rows.close(study), tmp_path)
    flow = {row[0]: row[1] for row in flow_page.section(data, analyse(data, is_quick=True)).blocks[0].rows}
    assert (flow["Started"], flow["Analysed"]) == ("8", "6")
    assert (flow[f"excluded: {RULE}"], flow["excluded: slept"]) == ("1", "1")
    assert broken(queries.sums(study).as_json()) == []
    assert (queries.sums(study).excluded, queries.sums(study).sessions.completed) == (2, 8)


def test_the_tables_say_who_decided_when_and_by_which_rule(study):
    exclude(study, "p3", by=User.objects.create_user("ada"))
    exclude(study, "p4", "slept")
    made = tables(read_rows(study))
    assert made["exclusions"].to_dict("records") == [
        {"participant": "p3", "rule": RULE, "decided_by": "ada", "decided_at": LATER.isoformat(), "post_hoc": 0},
        {"participant": "p4", "rule": "slept", "decided_by": "the operator", "decided_at": LATER.isoformat(),
         "post_hoc": 0},
    ]  # fmt: skip
    people = made["participants"].set_index("participant")
    flags = ["excluded", "exclusion_reason", "post_hoc"]
    assert list(people.loc["p3", flags]) == [1, RULE, 0]
    assert list(people.loc["p5", flags]) == [0, None, None]


def test_a_registered_rule_is_known_in_whatever_case_and_kept_as_it_was_registered(study, tmp_path):
    now_is = exclude(study, "p3", "  failed BOTH  checks ")
    assert (now_is.rules, now_is.rule("slept")) == ((RULE,), None)
    assert one(study, "p3").exclusion_reason == RULE
    exclude(study, "p4", "slept")
    logged = [one(study, name).events.get().data["registered"] for name in ("p3", "p4")]
    assert logged == [True, False]
    assert found(exported(rows.close(study), tmp_path)) == {
        "Exclusion by a rule that was not registered": "slept (1 person)"
    }
    freed = exported(study, tmp_path, "release.zip", is_release=True)
    assert found(freed) == {"Exclusion by a rule that was not registered": "reason 1 (1 person)"}


def test_a_study_that_was_not_preregistered_has_no_rules():
    study = rows.make_study()
    session = rows.join(study, 0)
    assert exclusions.exclude(session=session, reason="slept", by=None, now=LATER).rules is None
    assert not session.events.get().data["registered"]


def test_before_outcomes_could_be_seen_a_decision_is_not_post_hoc(study):
    assert not exclude(study, "p3").is_post_hoc
    assert not one(study, "p3").is_exclusion_post_hoc


@pytest.mark.parametrize("way", ["closed", "a look", "an analysis", "an analysis that was taken away"])
def test_once_outcomes_could_be_seen_it_is_post_hoc(study, way):
    if way == "closed":
        rows.close(study)
    elif way == "a look":
        looks.open_outcomes(study, looks.Asked(None, "results page", "a pilot", rows.START))
    else:
        taken_away_at = rows.START if "taken" in way else None
        AnalysisRun.objects.create(study=study, created_at=rows.START, taken_away_at=taken_away_at)
    now_is = exclude(study, "p3")
    assert (now_is.is_post_hoc, now_is.is_computed) == (True, "analysis" in way)
    assert one(study, "p3").is_exclusion_post_hoc


def test_one_that_came_after_outcomes_is_a_deviation_though_its_rule_was_registered(study, tmp_path):
    exclude(rows.close(study), "p3")
    assert found(exported(study, tmp_path)) == {"Exclusion after outcomes were seen": f"{RULE} (1 person)"}


def test_taking_one_back_after_outcomes_were_seen_is_told_too(study, tmp_path):
    exclude(study, "p2")
    exclusions.take_back(session=one(study, "p2"), by=None, now=LATER)
    exclude(study, "p3")
    exclude(study, "p4")
    rows.close(study)
    for name in ("p3", "p4"):
        assert exclusions.take_back(session=one(study, name), by=None, now=LATER).is_post_hoc
    sessions.withdraw(session_id=one(study, "p4").pk, now=LATER)
    for form in ({}, {"is_release": True}):
        data = exported(study, tmp_path, **form)
        assert found(data) == {"Exclusion taken back after outcomes were seen": "1 person"}
        told = left_out_page.section(data, analyse(data, is_quick=True)).sentences
        assert told == ("Nobody is excluded.", "Exclusions that were taken back after outcomes were seen: 1.")
    assert len(tables(read_rows(study))["exclusions"]) == 0


def test_a_refusal_changes_nothing(study):
    sessions.withdraw(session_id=one(study, "p3").pk, now=LATER)
    before = pd.DataFrame(study.sessions.order_by("pk").values())
    for name, reason in (("p3", "slept"), ("p4", " "), ("p4", "x" * 301)):
        with pytest.raises(CannotExclude):
            exclude(study, name, reason)
    pd.testing.assert_frame_equal(pd.DataFrame(study.sessions.order_by("pk").values()), before)
