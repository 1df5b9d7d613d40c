"""Outcomes are sealed until a study is closed, unless somebody confirms a look, which is kept and printed."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model

from studies.reports import looks
from studies.reports.models import AnalysisRun, Look
from studies.reports.run import start_analysis
from tests.reports import rows

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def study():
    return rows.make_study(slots=1)


def look(study, hours: int = 0, by=None):
    return looks.record_look(study=study, by=by, how="results page", reason="a pilot", now=rows.START + hours * HOUR)


def test_an_open_study_shows_counts_only(study):
    assert not looks.may_show_outcomes(study)
    with pytest.raises(looks.OutcomesSealed, match="until it is closed only counts are shown"):
        start_analysis(study=study, now=rows.START)
    assert not AnalysisRun.objects.exists()


def test_a_closed_study_shows_its_outcomes(study):
    rows.close(study)
    assert looks.may_show_outcomes(study)
    assert start_analysis(study=study, now=rows.START).job.state == "queued"


def test_a_look_opens_the_outcomes_and_is_kept(study):
    look(study)
    assert looks.may_show_outcomes(study)
    start_analysis(study=study, now=rows.START + HOUR)
    assert looks.lines(study) == ["2026-03-01T09:00:00+00:00, results page, by the operator: a pilot"]


def test_later_outcomes_need_another_look(study):
    look(study)
    start_analysis(study=study, now=rows.START + HOUR)
    with pytest.raises(looks.OutcomesSealed):
        start_analysis(study=study, now=rows.START + 2 * HOUR)
    look(study, 3)
    start_analysis(study=study, now=rows.START + 4 * HOUR)
    assert Look.objects.count() == 2


def test_a_look_names_who_took_it(study):
    user = get_user_model().objects.create_user("ada", password="a-long-password")
    look(study, by=user)
    assert looks.lines(study) == ["2026-03-01T09:00:00+00:00, results page, by ada: a pilot"]


def test_opening_a_closed_study_is_no_look(study):
    assert look(rows.close(study)) is None
    assert looks.lines(study) == []
