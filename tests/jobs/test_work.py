"""However a piece of work ends, its row says so."""

from datetime import timedelta

import pytest
from django.db import OperationalError

from studies.jobs import operations, work
from studies.jobs.models import Job


@pytest.fixture
def job(db, clock) -> Job:
    return operations.enqueue(task="studies.tasks.nothing", arguments={}, now=clock())


def test_the_end_of_the_block_finishes_the_job(job, clock):
    seen = []
    with work.working(job_id=job.pk, clock=clock, report=lambda done, total: seen.append((done, total))) as mine:
        assert mine is not None
        mine.progress(1, 2)
        mine.progress(2, 2)
    job.refresh_from_db()
    assert (job.state, job.done, job.total) == ("done", 2, 2)
    assert seen == [(1, 2), (2, 2)]


def test_a_job_that_is_taken_gives_none(job, clock):
    operations.claim(job_id=job.pk, now=clock())
    with work.working(job_id=job.pk, clock=clock) as mine:
        assert mine is None


def test_an_expected_failure_is_stored_and_not_raised(job, clock):
    with work.working(job_id=job.pk, clock=clock):
        raise work.JobFailed("The model is away.")
    job.refresh_from_db()
    assert (job.state, job.error) == ("failed", "The model is away.")


def test_an_unexpected_failure_is_stored_and_raised(job, clock):
    with pytest.raises(ZeroDivisionError), work.working(job_id=job.pk, clock=clock):
        1 / 0  # noqa: B018
    job.refresh_from_db()
    assert (job.state, job.error) == ("failed", "Unexpected ZeroDivisionError: division by zero")


def test_an_outage_of_the_database_leaves_the_job_to_the_sweep_which_queues_it_again(job, clock):
    with work.working(job_id=job.pk, clock=clock):
        raise OperationalError("database is locked")
    job.refresh_from_db()
    assert (job.state, job.error) == ("running", "")
    assert operations.take_back_stale(now=clock() + operations.STALE + timedelta(seconds=1)) == (1, 0)
    job.refresh_from_db()
    assert job.state == "queued"


def test_control_c_cancels(job, clock):
    with pytest.raises(KeyboardInterrupt), work.working(job_id=job.pk, clock=clock):
        raise KeyboardInterrupt
    assert Job.objects.get().state == "cancelled"


def test_a_stopping_process_puts_its_job_back(job, clock):
    try:
        with work.working(job_id=job.pk, clock=clock) as mine:
            work.stopping.set()
            mine.beat()
            pytest.fail("the beat must interrupt")
        with work.working(job_id=job.pk, clock=clock) as again:
            assert again is None
    finally:
        work.stopping.clear()
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("queued", 0)


def test_a_cancelled_job_interrupts_its_work_and_stays_cancelled(job, clock):
    with work.working(job_id=job.pk, clock=clock) as mine:
        operations.cancel(job_id=job.pk, now=clock())
        mine.progress(1, 2)
        pytest.fail("progress must interrupt")
    assert Job.objects.get().state == "cancelled"


def test_beats_are_written_every_two_seconds_at_most(job, clock, django_assert_num_queries):
    with work.working(job_id=job.pk, clock=clock) as mine:
        with django_assert_num_queries(0):
            mine.beat()
            clock.forward(1.9)
            mine.beat()
        with django_assert_num_queries(1):
            clock.forward(0.2)
            mine.beat()
    assert Job.objects.get().heartbeat_at == clock()
