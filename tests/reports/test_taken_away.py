"""An erasure reaches the analyses that were stored before it: nothing of a single person stays in them."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from studies.console.outcomes import outcomes_of
from studies.jobs.models import Job
from studies.reports import computed, look_results, source
from studies.reports import run as analysis
from studies.reports.files import table_files
from studies.reports.folder import bundle_of, folder_of
from studies.reports.looks import Asked
from studies.reports.models import AnalysisRun
from studies.runtime import erasure
from studies.runtime.models import ParticipantSession
from tests.reports import rows


@pytest.fixture(autouse=True)
def data_dir(settings, tmp_path):
    settings.DATA_DIR = tmp_path


@pytest.fixture
def played(transactional_db):
    """What is done once a transaction is committed is part of this."""
    study = rows.make_study()
    rows.play(study, people=4)
    return study


def work(study) -> AnalysisRun:
    rows.close(study)
    run = analysis.start_analysis(study=study, now=timezone.now())
    analysis.work_analysis(job_id=run.job_id, clock=timezone.now)
    run.refresh_from_db()
    return run


def erase_one(study) -> str:
    session = ParticipantSession.objects.filter(study=study).select_related("participant").earliest("pk")
    assert erasure.erase(session_id=session.pk, now=timezone.now())
    return session.participant.pseudonym


def test_what_named_the_person_is_gone_and_computing_again_leaves_them_out(played):
    run = work(played)
    assert "participant=" in json.dumps(run.results)
    pseudonym = erase_one(played)
    run.refresh_from_db()
    assert pseudonym not in json.dumps(run.results)
    assert (run.fragment, run.report) == ("", "")
    assert not folder_of(run).exists()
    shown = outcomes_of(played)
    assert (shown.shown, shown.failure, shown.is_taken_away) == (None, "", True)
    assert computed.stored(played, table_files(source.read(played))) == {}
    again = work(played)
    assert (outcomes_of(played).shown, outcomes_of(played).is_taken_away) == (again, False)
    assert pseudonym not in json.dumps(again.results)


def test_what_a_crash_or_another_machine_left_is_removed_by_the_next_analysis(played):
    run = work(played)
    erase_one(played)
    folder_of(run).mkdir(parents=True)
    (folder_of(run) / "results.csv").write_text("somebody")
    again = work(played)
    assert not folder_of(run).exists()
    assert folder_of(again).exists()


def test_files_that_cannot_be_removed_are_told_and_stop_nothing(played, monkeypatch, caplog):
    def refuse(folder):
        raise PermissionError(13, "Permission denied", str(folder))

    run = work(played)
    monkeypatch.setattr("studies.reports.taken_away.shutil.rmtree", refuse)
    erase_one(played)
    assert f"still in {folder_of(run)}, remove them by hand" in caplog.text
    assert outcomes_of(played).is_taken_away


def test_the_bundle_of_a_look_goes_with_it(played):
    now = timezone.now()
    run = analysis.start_analysis(study=played, now=now, look=Asked(None, "results page", "why", now))
    analysis.work_analysis(job_id=run.job_id, clock=timezone.now)
    assert bundle_of(run)
    erase_one(played)
    assert bundle_of(run) is None


def test_what_a_look_found_of_all_together_stays_for_the_boundaries(played):
    run = work(played)
    AnalysisRun.objects.filter(pk=run.pk).update(created_at=played.closed_at - timedelta(days=1))
    before = look_results.before_closing(played, "question_weighted")
    assert before[0]["estimate"] is not None
    erase_one(played)
    assert look_results.before_closing(played, "question_weighted") == before


def test_an_erasure_while_it_is_computed_leaves_nothing(played, monkeypatch):
    """The erasure comes after the rows were read, and before the results are stored."""
    analyse = analysis.process.analyse

    def analyse_slowly(*args, **values):
        analyse(*args, **values)
        erase_one(played)

    monkeypatch.setattr(analysis.process, "analyse", analyse_slowly)
    run = work(played)
    assert run.results is None
    assert run.error == "Somebody's data were erased while this was computed. Compute it again."
    assert Job.objects.get(pk=run.job_id).state == Job.State.FAILED
    assert not folder_of(run).exists()


def test_other_studies_keep_theirs(played):
    run = work(played)
    spec = rows.SPEC.replace('name = "planets"', 'name = "moons"')
    other = rows.make_study(spec_text=spec, questions=list(rows.Question.objects.all()))
    rows.play(other, people=1)
    erase_one(other)
    run.refresh_from_db()
    assert run.taken_away_at is None
    assert run.report
