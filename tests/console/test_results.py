"""Outcomes stay sealed until the study is closed or somebody looks; then the newest analysis is shown."""

import io
import re
import zipfile

import pytest
from django.urls import reverse
from django.utils import timezone

from studies.analysis import data
from studies.analysis.filenames import data_file
from studies.design.models import Study
from studies.jobs import operations as jobs
from studies.jobs.executor import on_database
from studies.jobs.models import Job
from studies.reports import run as analysis
from studies.reports.folder import folder_of
from studies.reports.looks import Asked
from studies.reports.models import AnalysisRun, Look
from studies.runtime.models import ParticipantSession, Trial
from tests.console.test_studies import page, url
from tests.reports import rows

TOKEN = re.compile(rb'(name="csrfmiddlewaretoken" value=|"X-CSRFToken": )"[^"]+"')
SECRET = "accuracy is 61.8 %"  # an outcome, in every part of the stored analysis
ROW = {"id": "acc.micro", "condition": "human", "estimate": 0.618, "n_trials": 40, "reason": SECRET}


@pytest.fixture
def played(study) -> Study:
    rows.play(study, people=4)
    return study


def analysed(study: Study, **values: object) -> AnalysisRun:
    now = timezone.now()
    stored = {"fragment": f"<p>{SECRET}</p>", "report": f"<html>{SECRET}</html>", "results": {"results": [ROW]}}
    return AnalysisRun.objects.create(study=study, created_at=now, finished_at=now, **(stored | values))


def looked(study: Study) -> None:
    Look.objects.create(study=study, at=timezone.now(), how="results page", reason="before")


def under_way(study: Study, **values: object) -> AnalysisRun:
    job = jobs.enqueue(task="studies.tasks.analyse", arguments={}, now=timezone.now())
    Job.objects.filter(pk=job.pk).update(**values)
    return AnalysisRun.objects.create(study=study, created_at=timezone.now(), job=job)


WITH_OUTCOMES = ("results", "report", "csv", "bundle")


@pytest.mark.parametrize("name", WITH_OUTCOMES)
async def test_an_open_study_shows_no_outcome(async_client, ada, played, name):
    await on_database(analysed, played)
    await on_database(async_client.force_login, ada)  # on a thread whose connection is given back
    response = await async_client.get(url(name, played))
    assert response.status_code == (200 if name == "results" else 403)
    text = response.content.decode()
    assert SECRET not in text
    assert "sealed" in text


@pytest.mark.parametrize("name", ["report", "csv"])
def test_what_was_not_computed_is_said_to_be_missing(staff, study, name):
    rows.close(study)
    response = staff.get(url(name, study))
    assert response.status_code == 404
    assert "Nothing was computed yet" in response.content.decode()


def test_the_sealed_page_shows_counts(staff, played):
    text = page(staff, "results", played)
    assert "<b>4</b><small>completed</small>" in text
    assert "Look at the outcomes now" in text


def test_a_closed_study_shows_its_newest_analysis(staff, played):
    rows.close(played)
    analysed(played, fragment="<p>older</p>")
    analysed(played)
    text = page(staff, "results", played)
    assert SECRET in text
    assert "older" not in text
    assert "analysis/report.css" in text
    assert "Look at the outcomes now" not in text


def test_a_look_is_kept_with_who_and_why_and_starts_the_analysis(staff, played, ada):
    response = staff.post(url("look", played), {"reason": "The pilot may be broken.", "understood": "yes"})
    assert response.url == url("results", played)
    look = Look.objects.get()
    assert (look.study, look.by, look.how, look.reason) == (played, ada, "results page", "The pilot may be broken.")
    assert AnalysisRun.objects.get().job.task == "studies.tasks.analyse"
    text = page(staff, "results", played)
    assert "The pilot may be broken." in text
    assert "<strong>ada</strong>" in text
    assert "waits for a worker" in text


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({}, "Please say why you look now."),
        ({"reason": "   ", "understood": "yes"}, "Please say why you look now."),
        ({"reason": "why", "understood": "yes"}, "in 5 characters or more"),
        ({"reason": "x" * 501, "understood": "yes"}, "at most 500"),
        ({"reason": "A good reason."}, "Please tick the box"),
    ],
)
def test_a_look_needs_a_reason_and_a_confirmation(staff, played, form, sentence):
    response = staff.post(url("look", played), form)
    assert response.status_code == 400
    assert sentence in response.content.decode()
    assert not Look.objects.exists()
    assert not AnalysisRun.objects.exists()


def test_after_a_look_outcomes_are_shown_and_newer_ones_need_another(staff, played):
    looked(played)
    analysed(played)
    text = page(staff, "results", played)
    assert SECRET in text
    assert "while people were taking part" in text
    assert "Look at newer outcomes" in text
    answer = staff.post(url("compute", played), follow=True).content.decode()
    assert "until it is closed only counts are shown" in answer
    assert AnalysisRun.objects.count() == 1


def test_a_draft_has_no_outcomes_to_look_at(staff, study):
    Study.objects.update(state="draft")
    assert "Look at the outcomes now" not in page(staff, "results", study)
    staff.post(url("look", study), {"reason": "Just curious.", "understood": "yes"})
    assert not Look.objects.exists()


def test_opening_pages_writes_nothing(staff, played):
    for name in ("results", "look", "compute", "progress", "launch", "close", "study", "live"):
        staff.get(url(name, played))
    assert not Look.objects.exists()
    assert not AnalysisRun.objects.exists()
    assert not Job.objects.exists()
    assert Study.objects.get().state == "open"


def test_computing_again_asks_for_one_job_however_often_it_is_pressed(staff, played):
    rows.close(played)
    for _ in range(3):
        assert staff.post(url("compute", played)).status_code == 302
    assert AnalysisRun.objects.count() == Job.objects.count() == 1


def test_progress_is_shown_until_the_analysis_is_over(staff, played):
    rows.close(played)
    run = under_way(played, state="running", done=1, total=3)
    text = page(staff, "progress", played)
    assert 'value="1" max="3"' in text
    assert "Computing the results" in page(staff, "results", played)
    Job.objects.filter(pk=run.job_id).update(state="done")
    AnalysisRun.objects.filter(pk=run.pk).update(finished_at=timezone.now(), fragment="<p>there</p>")
    assert staff.get(url("progress", played)).headers["HX-Refresh"] == "true"
    assert "<p>there</p>" in page(staff, "results", played)


def test_a_failure_is_told_in_words_and_the_older_results_stay(staff, played):
    rows.close(played)
    analysed(played)
    analysed(played, fragment="", report="", results=None, error="trials.csv line 3: <confidence> is 1.7")
    text = page(staff, "results", played)
    assert "trials.csv line 3: &lt;confidence&gt; is 1.7" in text
    assert SECRET in text
    assert "Compute again" in text


@pytest.mark.parametrize(("state", "words"), [("failed", "its worker went away"), ("cancelled", "was cancelled")])
def test_a_job_that_never_reached_the_run_is_told_too(staff, played, state, words):
    rows.close(played)
    under_way(played, state=state, error="Given up: its worker went away" if state == "failed" else "")
    assert words in page(staff, "results", played)


def test_results_from_before_closing_say_so(staff, played):
    looked(played)
    analysed(played)
    Study.objects.update(state="closed", closed_at=timezone.now())
    assert "before the study was closed: compute again" in page(staff, "results", played)


def test_the_report_may_style_itself_and_nothing_else(staff, played):
    rows.close(played)
    analysed(played)
    response = staff.get(url("report", played))
    assert response.content.decode() == f"<html>{SECRET}</html>"
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")
    assert "script" not in policy


def test_other_pages_keep_the_strict_policy(staff, study):
    for name in ("study", "results", "launch"):
        assert "style-src 'self';" in staff.get(url(name, study)).headers["Content-Security-Policy"]
        text = page(staff, name, study)
        assert "<style" not in text
        assert 'style="' not in text
        assert "onclick" not in text


def test_results_csv_is_what_the_analysis_wrote(staff, played):
    rows.close(played)
    run = analysis.start_analysis(study=played, now=timezone.now())
    analysis.work_analysis(job_id=run.job_id, clock=timezone.now)
    response = staff.get(url("csv", played))
    assert response.headers["Content-Disposition"] == 'attachment; filename="planets-v1-results.csv"'
    assert response.content == (folder_of(run) / "results.csv").read_bytes()
    assert page(staff, "results", played).count("The last analysis has no results") == 0
    assert b"<html" in staff.get(url("report", played)).content


async def download(async_client, ada, study, query="") -> tuple[dict[str, str], bytes]:
    await on_database(async_client.force_login, ada)  # on a thread whose connection is given back
    response = await async_client.get(url("bundle", study) + query)
    assert response.status_code == 200
    return dict(response.headers), b"".join([piece async for piece in response.streaming_content])


async def test_the_bundle_is_streamed_as_a_file(async_client, ada, played):
    await on_database(rows.close, played)
    headers, content = await download(async_client, ada, played)
    assert headers["Content-Disposition"] == 'attachment; filename="planets-v1.zip"'
    assert headers["Content-Length"] == str(len(content))
    names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    assert data_file("trials") in names
    assert data_file("messages") not in names


async def test_the_chats_texts_are_in_the_bundle_only_when_asked_for(async_client, ada, played):
    await on_database(rows.close, played)
    _, content = await download(async_client, ada, played, "?text=yes")
    assert data_file("messages") in zipfile.ZipFile(io.BytesIO(content)).namelist()


async def test_after_a_look_the_bundle_of_an_open_study_is_that_of_the_look(async_client, ada, played, tmp_path):
    taken = await on_database(looked_and_computed, played)
    headers, first = await download(async_client, ada, played)
    assert f"planets-v1-{taken.created_at:%Y%m%d-%H%M}.zip" in headers["Content-Disposition"]
    (tmp_path / "bundle.zip").write_bytes(first)
    held = data.read(tmp_path / "bundle.zip")
    assert held.study.looks == (
        f"{taken.created_at.isoformat(timespec='seconds')}, results page, by the operator: why",
    )
    assert {"results/results.csv", "sums.json", "event_heads.csv"} <= set(
        zipfile.ZipFile(tmp_path / "bundle.zip").namelist()
    )
    await on_database(answer_anew, played)
    assert (await download(async_client, ada, played))[1] == first
    response = await async_client.get(url("bundle", played) + "?text=yes")
    assert response.status_code == 404
    assert "export_study --look" in response.content.decode()
    assert await on_database(Look.objects.count) == 1


def looked_and_computed(study: Study) -> AnalysisRun:
    now = timezone.now()
    run = analysis.start_analysis(study=study, now=now, look=Asked(None, "results page", "why", now))
    analysis.work_analysis(job_id=run.job_id, clock=timezone.now)
    return run


def answer_anew(study: Study) -> None:
    """Everybody was right after all: whatever is read from the rows of now differs."""
    for trial in Trial.objects.filter(session__study=study).select_related("question"):
        Trial.objects.filter(pk=trial.pk).update(answer=trial.question.key)


@pytest.mark.parametrize("name", ["results", "report", "csv", "figures"])
def test_what_was_computed_with_a_look_stays_as_it_was(staff, played, name):
    looked_and_computed(played)
    before = staff.get(url(name, played)).content
    answer_anew(played)
    after = staff.get(url(name, played)).content
    assert TOKEN.sub(b"", after) == TOKEN.sub(b"", before)
    staff.post(url("compute", played))
    assert (AnalysisRun.objects.count(), Look.objects.count()) == (1, 1)


def test_pages_offer_the_bundle_of_an_open_study_only_after_a_look(staff, played):
    assert url("bundle", played) not in page(staff, "study", played)
    looked(played)
    analysed(played)
    assert url("bundle", played) not in page(staff, "study", played) + page(staff, "results", played)
    looked_and_computed(played)
    text = page(staff, "study", played)
    assert f'href="{url("bundle", played)}"' in text
    assert "It holds what was there at the last look" in text
    assert "?text=yes" not in text
    assert url("bundle", played) in page(staff, "results", played)
    rows.close(played)
    assert "?text=yes" in page(staff, "study", played)


def test_a_look_while_results_are_computed_is_not_taken(staff, played):
    under_way(played, state="running", done=1, total=3)
    form = {"reason": "The pilot may be broken.", "understood": "yes"}
    assert "yours was not taken" in staff.post(url("look", played), form, follow=True).content.decode()
    assert not Look.objects.exists()


def test_the_login_page_comes_before_a_download(client, played):
    assert client.get(url("bundle", played)).url.startswith(reverse("console:login"))


def test_counts_are_folded_away_below_results_unless_they_do_not_add_up(staff, played):
    rows.close(played)
    analysed(played)
    assert '<details class="card counts">' in page(staff, "results", played)
    ParticipantSession.objects.filter(study=played, slot__number=0).update(state="lost")  # no such state
    text = page(staff, "results", played)
    assert '<details class="card counts" open>' in text
    assert "These do not add up" in text
