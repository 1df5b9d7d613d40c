"""The embedded worker thread takes jobs from the broker, and puts down what it holds when the server stops."""

import threading
import time

import pytest
from celery import current_app, shared_task
from django.utils import timezone

from studies.jobs import operations, work
from studies.jobs.models import Job
from studies.jobs.worker import start_worker

pytestmark = pytest.mark.django_db(transaction=True)
began = threading.Event()


@shared_task(name="tests.jobs.quick")
def quick(job_id: int) -> None:
    with work.working(job_id=job_id, clock=timezone.now) as mine:
        if mine is not None:
            mine.progress(1, 1)


@shared_task(name="tests.jobs.endless")
def endless(job_id: int) -> None:
    with work.working(job_id=job_id, clock=timezone.now) as mine:
        began.set()
        while mine is not None:
            mine.beat()
            time.sleep(0.02)


@pytest.fixture
def worker():
    current_app.control.purge()  # what earlier tests sent
    handle = start_worker()
    yield handle
    handle.stop()


def wait_for(state: str) -> Job:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        job = Job.objects.get()
        if job.state == state:
            return job
        time.sleep(0.02)
    pytest.fail(f"the job is {job.state}, not {state}")


def test_the_worker_takes_a_job_soon_after_it_was_committed(worker):
    operations.enqueue(task="tests.jobs.quick", arguments={}, now=timezone.now())
    assert wait_for("done").done == 1


def test_the_worker_takes_a_job_that_only_the_sweep_sends(worker):
    job = Job.objects.create(task="tests.jobs.quick", created_at=timezone.now())  # by a command, say
    time.sleep(1.1)
    assert operations.sweep(now=timezone.now()).sent == 1
    assert wait_for("done").pk == job.pk


def test_stopping_puts_the_running_job_back_and_the_next_worker_takes_it():
    current_app.control.purge()
    began.clear()
    first = start_worker()
    operations.enqueue(task="tests.jobs.endless", arguments={}, now=timezone.now())
    assert began.wait(10)
    assert first.stop()
    assert not first.is_alive
    assert Job.objects.get().state == "queued"
    Job.objects.update(task="tests.jobs.quick")
    second = start_worker()
    try:
        time.sleep(1.1)
        operations.sweep(now=timezone.now())
        wait_for("done")
    finally:
        second.stop()
