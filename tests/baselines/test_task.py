"""A worker takes a baseline run by its task's name, and the sweep's task repairs what was not sent."""

import time
from datetime import timedelta

import pytest
from celery import current_app
from django.utils import timezone

from studies import tasks
from studies.baselines import operations
from studies.jobs.models import Job
from studies.jobs.worker import start_worker
from studies.reports import run as analysis
from tests.reports import rows

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_worker_takes_the_run_and_finishes_it():
    study = rows.make_study(slots=1)
    current_app.control.purge()
    worker = start_worker()
    try:
        run = operations.start_run(study=study, assistant_name="helper", now=timezone.now())
        until = time.monotonic() + 10
        while run.finished_at is None and time.monotonic() < until:
            time.sleep(0.02)
            run.refresh_from_db()
    finally:
        worker.stop()
    assert run.answers.count() == 10
    assert Job.objects.get().state == "done"


def test_tasks_go_by_the_names_that_jobs_are_sent_with():
    assert tasks.run_baseline.name == operations.TASK
    assert tasks.analyse.name == analysis.TASK


def test_the_sweep_takes_back_a_job_whose_worker_is_silent():
    long_ago = timezone.now() - timedelta(minutes=5)
    Job.objects.create(task="nothing", state="running", created_at=long_ago, claimed_at=long_ago, heartbeat_at=long_ago)
    tasks.sweep()
    assert Job.objects.get().state == "queued"
