"""A command's job is worked by a server that takes it, else by the command; a dead server loses it."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from studies.jobs import operations, run_here, work
from studies.jobs.models import Job

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def poll_often(monkeypatch):
    monkeypatch.setattr(run_here, "POLL_SECONDS", 0.02)


def enqueue() -> Job:
    return operations.enqueue(task="studies.tasks.nothing", arguments={}, now=timezone.now())


def run(job: Job, worked: list[str], *, report=lambda done, total: None, patience: float = 0.2):
    def work_it(report: work.Report) -> None:
        with work.working(job_id=job.pk, clock=timezone.now, report=report) as mine:
            if mine is not None:
                worked.append("command")
                mine.progress(5, 5)

    return run_here.run_or_wait(
        job_id=job.pk,
        work=work_it,
        report=report,
        clock=timezone.now,
        patience=timedelta(seconds=patience),
    )


def test_without_a_server_the_command_works_the_job():
    worked, seen = [], []
    job = run(enqueue(), worked, report=lambda done, total: seen.append((done, total)))
    assert (job.state, worked) == ("done", ["command"])
    assert seen[-1] == (5, 5)


def test_a_server_that_takes_the_job_in_time_works_it_and_its_progress_is_seen():
    job, worked, seen = enqueue(), [], []

    def serve() -> None:
        try:
            time.sleep(0.1)
            with work.working(job_id=job.pk, clock=timezone.now) as mine:
                worked.append("server")
                mine.progress(1, 5)
                time.sleep(0.6)
        finally:
            connections.close_all()

    server = threading.Thread(target=serve)
    server.start()
    ended = run(job, worked, report=lambda done, total: seen.append((done, total)), patience=0.5)
    server.join()
    assert (ended.state, worked) == ("done", ["server"])
    assert (1, 5) in seen


def test_a_job_whose_server_died_is_taken_over():
    job, worked = enqueue(), []
    operations.claim(job_id=job.pk, now=timezone.now() - timedelta(seconds=40))
    ended = run(job, worked)
    assert (ended.state, ended.attempts, worked) == ("done", 2, ["command"])


def test_a_job_that_is_over_is_only_read():
    job, worked = enqueue(), []
    operations.cancel(job_id=job.pk, now=timezone.now())
    assert run(job, worked).state == "cancelled"
    assert worked == []
