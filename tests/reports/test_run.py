"""An analysis run is a process of its own: results in the row, files in the folder, every failure in words."""

import stat
import sys
from datetime import timedelta

import pytest
from django.utils import timezone

from studies.jobs import operations as jobs
from studies.jobs.models import Job
from studies.reports import process
from studies.reports import run as analysis
from studies.reports.folder import folder_of
from studies.reports.models import AnalysisRun
from tests.reports import rows

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def data_dir(settings, tmp_path):
    settings.DATA_DIR = tmp_path


@pytest.fixture
def study():
    return rows.close(rows.make_study())


@pytest.fixture
def played(study):
    rows.play(study, people=4)
    return study


def work(study, clock=timezone.now) -> AnalysisRun:
    run = analysis.start_analysis(study=study, now=timezone.now())
    analysis.work_analysis(job_id=run.job_id, clock=clock)
    run.refresh_from_db()
    run.job.refresh_from_db()
    return run


@pytest.fixture
def instead(monkeypatch, tmp_path):
    """Run a shell script where the analysis would run; it is given what the analysis is given."""

    def put(script: str) -> None:
        path = tmp_path / "instead.sh"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setattr(sys, "executable", str(path))

    return put


def test_the_results_are_stored_and_the_files_are_kept(played):
    run = work(played)
    assert run.error == ""
    assert run.job.state == "done"
    assert (run.job.done, run.job.total) == (3, 3)
    assert run.finished_at is not None
    ids = {row["id"] for row in run.results["results"]}
    assert {"acc.micro", "diff.hm_minus_human.question_weighted"} <= ids
    assert "<html" in run.report
    assert "<html" not in run.fragment
    assert (folder_of(run) / "results.csv").is_file()


def test_a_task_that_is_delivered_twice_analyses_once(played, instead):
    instead('mkdir -p "$5"; cd "$5"; echo "{}" > results.json; touch report.html report.fragment.html; date +%N > when')
    run = work(played)
    when = (folder_of(run) / "when").read_text()
    analysis.work_analysis(job_id=run.job_id, clock=timezone.now)
    assert (folder_of(run) / "when").read_text() == when


def test_a_study_that_nobody_took_has_nothing_to_analyse(study):
    run = work(study)
    assert run.job.state == "failed"
    assert run.error == run.job.error
    assert run.error == "Nobody has answered a question of planets v1 yet: there is nothing to analyse."
    assert run.results is None


def test_a_refusal_is_told_as_it_is(study, instead):
    rows.play(study, people=1)
    instead("echo 'The input was refused.' >&2; exit 2")
    assert work(study).error == "The input was refused."


def test_what_the_analysis_says_when_it_breaks_is_kept(played, instead):
    instead("echo Traceback >&2; echo ZeroDivisionError: oh >&2; exit 1")
    run = work(played)
    log = folder_of(run) / "error.txt"
    assert run.error == f"The analysis broke: ZeroDivisionError: oh. All that it said is in {log}"
    assert log.read_text() == "Traceback\nZeroDivisionError: oh"


def test_an_analysis_that_wrote_no_report_is_a_failure(played, instead):
    instead('mkdir -p "$5"; echo "{}" > "$5/results.json"; touch "$5/report.fragment.html"')
    assert work(played).error == "The analysis ended well but wrote no report.html."


def test_an_undefined_number_is_not_stored_as_nan(played, instead):
    instead('mkdir -p "$5"; echo "[NaN]" > "$5/results.json"; touch "$5/report.html" "$5/report.fragment.html"')
    assert "an undefined figure must be null" in work(played).error


def test_an_unexpected_error_is_stored_and_raised(played, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/there/is/no/python")
    run = analysis.start_analysis(study=played, now=timezone.now())
    with pytest.raises(FileNotFoundError):
        analysis.work_analysis(job_id=run.job_id, clock=timezone.now)
    run.refresh_from_db()
    assert run.error.startswith("Unexpected FileNotFoundError")


def test_the_process_is_given_no_secret(played, instead, monkeypatch):
    for name in ("SECRET_KEY", "DATABASE_URL", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "top-secret")
    instead("env >&2; exit 2")
    said = work(played).error
    assert "OMP_NUM_THREADS=1" in said
    assert "top-secret" not in said


def test_an_analysis_that_takes_too_long_is_stopped(played, instead, monkeypatch):
    monkeypatch.setattr(process, "LIMIT", timedelta(seconds=0.3))
    instead("exec sleep 60")
    began = timezone.now()
    assert "took longer than" in work(played).error
    assert timezone.now() - began < timedelta(seconds=10)


def test_a_cancelled_analysis_ends_its_process(played, instead, monkeypatch):
    monkeypatch.setattr("studies.jobs.work.BEAT", timedelta(seconds=0.1))
    instead("exec sleep 60")
    began = timezone.now()

    def cancelling_clock():
        now = timezone.now()
        if now - began > timedelta(seconds=0.5):
            jobs.cancel(job_id=Job.objects.get().pk, now=now)
        return now

    run = work(played, cancelling_clock)
    assert timezone.now() - began < timedelta(seconds=10)
    assert run.job.state == "cancelled"
    assert run.results is None
