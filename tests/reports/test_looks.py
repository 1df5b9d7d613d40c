"""Outcomes are sealed until a study is closed, unless somebody confirms a look, which is kept and printed."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model

from studies.reports import looks
from studies.reports.bundle import write_bundle
from studies.reports.models import AnalysisRun, Look
from studies.reports.run import start_analysis
from studies.reports.sizes import pilot_columns
from tests.reports import rows

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def study():
    return rows.make_study(slots=1)


def asked(hours: int = 0, by=None, reason: str = "a pilot") -> looks.Asked:
    return looks.Asked(by, "results page", reason, rows.START + hours * HOUR)


@pytest.mark.parametrize("look", [None, asked(reason="  ")])
def test_an_open_study_shows_counts_only(study, look):
    assert not looks.may_show_outcomes(study)
    with pytest.raises(looks.OutcomesSealed, match="until it is closed only counts are shown"):
        start_analysis(study=study, now=rows.START, look=look)
    assert not AnalysisRun.objects.exists()
    assert not Look.objects.exists()


def test_a_closed_study_shows_its_outcomes(study):
    rows.close(study)
    assert looks.may_show_outcomes(study)
    assert start_analysis(study=study, now=rows.START).job.state == "queued"


def test_a_look_opens_the_outcomes_and_is_kept(study):
    start_analysis(study=study, now=rows.START, look=asked())
    assert looks.may_show_outcomes(study)
    assert looks.lines(study) == ["2026-03-01T09:00:00+00:00, results page, by the operator: a pilot"]


def analysis(study, folder, look):
    return start_analysis(study=study, now=rows.START, look=look)


def bundle(study, folder, look):
    return write_bundle(study, folder / "bundle.zip", look=look)


def pilot(study, folder, look):
    return pilot_columns(study, look)


@pytest.mark.parametrize("second", [analysis, bundle, pilot])
@pytest.mark.parametrize("first", [analysis, bundle, pilot])
def test_whatever_reads_the_rows_of_an_open_study_needs_a_look_of_its_own(study, tmp_path, first, second):
    first(study, tmp_path, asked())
    (tmp_path / "bundle.zip").unlink(missing_ok=True)
    with pytest.raises(looks.OutcomesSealed, match="newer outcomes need another"):
        second(study, tmp_path, None)
    assert Look.objects.count() == 1
    assert not (tmp_path / "bundle.zip").exists()
    assert second(study, tmp_path, asked(3))
    assert [look.at for look in Look.objects.order_by("at")] == [rows.START, rows.START + 3 * HOUR]


def test_a_look_names_who_took_it(study):
    user = get_user_model().objects.create_user("ada", password="a-long-password")
    looks.open_outcomes(study, asked(by=user))
    assert looks.lines(study) == ["2026-03-01T09:00:00+00:00, results page, by ada: a pilot"]


def test_opening_a_closed_study_is_no_look(study):
    looks.open_outcomes(rows.close(study), asked())
    assert looks.lines(study) == []
