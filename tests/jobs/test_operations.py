"""A job is claimed once, whoever asks; what a dead process left behind is found and repaired."""

import logging
import threading
import time

import pytest
from celery import current_app
from django.db import connections, transaction

from studies.jobs import operations
from studies.jobs.models import Job

TASK = "studies.tasks.nothing_has_this_name"


@pytest.fixture
def sent(monkeypatch):
    """What was handed to the broker, which is outside the process."""
    calls = []
    app = current_app._get_current_object()
    monkeypatch.setattr(app, "send_task", lambda task, kwargs, **options: calls.append((task, kwargs)))
    return calls


@pytest.fixture
def job(db, clock) -> Job:
    return operations.enqueue(task=TASK, arguments={"n": 1}, now=clock())


@pytest.mark.django_db(transaction=True)
def test_a_job_is_sent_only_when_its_transaction_has_committed(sent, clock):
    with transaction.atomic():
        job = operations.enqueue(task=TASK, arguments={}, now=clock())
        assert sent == []
    assert sent == [(TASK, {"job_id": job.pk})]


@pytest.mark.django_db(transaction=True)
def test_a_job_of_a_rolled_back_transaction_is_never_sent(sent, clock):
    with transaction.atomic():
        operations.enqueue(task=TASK, arguments={}, now=clock())
        transaction.set_rollback(True)
    assert sent == []
    assert not Job.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_is_logged_and_the_job_stays(clock, caplog, monkeypatch):
    app = current_app._get_current_object()
    real = app.connection_for_write
    monkeypatch.setattr(app, "connection_for_write", lambda: real("redis://127.0.0.1:1/0"))  # nobody listens on port 1
    began = time.monotonic()
    with caplog.at_level(logging.WARNING):
        job = operations.enqueue(task=TASK, arguments={}, now=clock())
    assert time.monotonic() - began < 2
    assert Job.objects.get(pk=job.pk).state == "queued"
    assert "the broker is away" in caplog.text


def test_a_claim_takes_a_queued_job_and_only_once(job, clock):
    claimed = operations.claim(job_id=job.pk, now=clock())
    assert claimed is not None
    assert (claimed.state, claimed.attempts, claimed.claimed_at) == ("running", 1, clock())
    assert operations.claim(job_id=job.pk, now=clock()) is None


@pytest.mark.django_db(transaction=True)
def test_of_eight_racing_claims_one_wins(clock):
    job = operations.enqueue(task=TASK, arguments={}, now=clock())
    start, won = threading.Barrier(8), []

    def race() -> None:
        try:
            start.wait()
            if operations.claim(job_id=job.pk, now=clock()):
                won.append(threading.get_ident())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert Job.objects.get().attempts == 1


def test_progress_and_the_end_are_kept(job, clock):
    claimed = operations.claim(job_id=job.pk, now=clock())
    assert operations.heartbeat(job=claimed, now=clock.forward(1), done=3, total=9)
    assert operations.finish(job=claimed, now=clock.forward(1))
    job.refresh_from_db()
    assert (job.state, job.done, job.total, job.finished_at) == ("done", 3, 9, clock())


def test_a_failure_keeps_its_sentence(job, clock):
    claimed = operations.claim(job_id=job.pk, now=clock())
    assert operations.fail(job=claimed, error="The disk is full.", now=clock())
    job.refresh_from_db()
    assert (job.state, job.error) == ("failed", "The disk is full.")


def test_a_cancelled_job_tells_its_worker_at_the_next_beat(job, clock):
    claimed = operations.claim(job_id=job.pk, now=clock())
    assert operations.cancel(job_id=job.pk, now=clock())
    assert not operations.heartbeat(job=claimed, now=clock.forward(1))
    assert not operations.finish(job=claimed, now=clock())
    assert not operations.cancel(job_id=job.pk, now=clock())
    assert Job.objects.get().state == "cancelled"


def test_a_released_job_is_queued_and_has_lost_no_attempt(job, clock):
    claimed = operations.claim(job_id=job.pk, now=clock())
    assert operations.release(job=claimed)
    job.refresh_from_db()
    assert (job.state, job.attempts, job.claimed_at, job.heartbeat_at) == ("queued", 0, None, None)


def test_a_silent_worker_loses_its_job_and_cannot_finish_it_later(job, sent, clock):
    silent = operations.claim(job_id=job.pk, now=clock())
    assert operations.sweep(now=clock.forward(29)) == operations.Swept(sent=0, requeued=0, failed=0)
    assert operations.sweep(now=clock.forward(2)) == operations.Swept(sent=1, requeued=1, failed=0)
    second = operations.claim(job_id=job.pk, now=clock.forward(1))
    assert second is not None
    assert second.attempts == 2
    assert not operations.heartbeat(job=silent, now=clock())
    assert not operations.finish(job=silent, now=clock())
    assert not operations.release(job=silent)
    assert operations.finish(job=second, now=clock())


def test_a_job_that_lost_three_workers_is_given_up_with_words(job, sent, clock):
    for _ in range(operations.MAX_ATTEMPTS):
        assert operations.claim(job_id=job.pk, now=clock.forward(1))
        operations.sweep(now=clock.forward(31))
    job.refresh_from_db()
    assert job.state == "failed"
    assert "went away 3 times" in job.error


def test_an_unsent_job_is_sent_again_after_a_second_and_then_seldom(job, sent, clock):
    assert operations.sweep(now=clock()).sent == 0
    assert operations.sweep(now=clock.forward(2)).sent == 1
    assert operations.sweep(now=clock.forward(20)).sent == 0
    assert operations.sweep(now=clock.forward(11)).sent == 1
    assert sent == [(TASK, {"job_id": job.pk})] * 2


def test_a_sweep_of_nothing_costs_two_queries(db, clock, django_assert_num_queries):
    with django_assert_num_queries(2):  # stale running jobs, unsent queued jobs
        operations.sweep(now=clock())
