"""A job's row from asking to end: enqueue on commit, claim by compare-and-set, beat, end, and the repairing sweep.

The row is the truth; Celery only wakes a worker. `claimed_at` tells one claim from the next: a worker that was given
up and comes back finds that the job is no longer its own. A queued row's `heartbeat_at` says when it was last sent.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from celery import current_app
from django.db import transaction
from django.db.models import F, Q, QuerySet
from kombu.exceptions import OperationalError

from studies.jobs.models import Job

log = logging.getLogger(__name__)
State = Job.State

FIRST_RESEND = timedelta(seconds=1)  # a command's own broker may be memory that no server reads
RESEND = timedelta(seconds=30)  # a busy worker takes its time: do not fill its queue with copies
STALE = timedelta(seconds=30)  # workers beat every 2 s; SQLite may make one wait 20 s for its lock
MAX_ATTEMPTS = 3
SWEEP_AT_ONCE = 100
# A connection of its own: Celery's shared one tries for 6 s (measured) while a page, and SQLite's one thread, waits.
IMPATIENT = {"max_retries": 0, "socket_connect_timeout": 2, "socket_timeout": 2}


def enqueue(*, task: str, arguments: dict[str, Any], now: datetime) -> Job:
    """Keep a job for later and wake a worker when the caller's transaction has committed.

    `task` is a Celery task's name; it is called with `job_id`. A broker that is away is logged: the sweep sends again.
    """
    job = Job.objects.create(task=task, arguments=arguments, created_at=now)
    transaction.on_commit(partial(_send, job.pk, task))
    return job


def claim(*, job_id: int, now: datetime) -> Job | None:
    """Take a queued job for this process; None: somebody else has it, or it is over."""
    taken = Job.objects.filter(pk=job_id, state=State.QUEUED).update(
        state=State.RUNNING, claimed_at=now, heartbeat_at=now, attempts=F("attempts") + 1
    )
    return Job.objects.get(pk=job_id) if taken else None


def heartbeat(*, job: Job, now: datetime, done: int | None = None, total: int | None = None) -> bool:
    """Say that the claimed job is being worked, and how far it is; False: it was cancelled or given to another."""
    progress = {key: value for key, value in (("done", done), ("total", total)) if value is not None}
    return bool(_own(job).update(heartbeat_at=now, **progress))


def finish(*, job: Job, now: datetime) -> bool:
    """Mark the claimed job as done; False: it is no longer this claim's."""
    return bool(_own(job).update(state=State.DONE, finished_at=now, heartbeat_at=now, error=""))


def fail(*, job: Job, error: str, now: datetime) -> bool:
    """End the claimed job with a sentence for people; False: it is no longer this claim's."""
    return bool(_own(job).update(state=State.FAILED, finished_at=now, heartbeat_at=now, error=error))


def release(*, job: Job) -> bool:
    """Put the claimed job back as if it had not been taken: this process stops, the work is sound."""
    back = _own(job).update(state=State.QUEUED, claimed_at=None, heartbeat_at=None, attempts=F("attempts") - 1)
    return bool(back)


def cancel(*, job_id: int, now: datetime) -> bool:
    """End a job that is queued or running; its worker notices at the next beat. False: it was over before."""
    waiting = Job.objects.filter(pk=job_id, state__in=[State.QUEUED, State.RUNNING])
    return bool(waiting.update(state=State.CANCELLED, finished_at=now))


@dataclass(frozen=True)
class Swept:
    """What one sweep did: jobs sent again, taken back from silent workers, given up after MAX_ATTEMPTS."""

    sent: int
    requeued: int
    failed: int


def sweep(*, now: datetime) -> Swept:
    """Repair by looking: any number of processes may sweep at once, each row is changed by one of them."""
    requeued, failed = take_back_stale(now=now)
    unsent = Q(heartbeat_at=None, created_at__lt=now - FIRST_RESEND) | Q(heartbeat_at__lt=now - RESEND)
    sent = 0
    for job in Job.objects.filter(unsent, state=State.QUEUED).order_by("pk")[:SWEEP_AT_ONCE]:
        same = Job.objects.filter(pk=job.pk, state=State.QUEUED, heartbeat_at=job.heartbeat_at)
        if same.update(heartbeat_at=now):
            _send(job.pk, job.task)
            sent += 1
    return Swept(sent, requeued, failed)


def take_back_stale(*, now: datetime) -> tuple[int, int]:
    """Queue the jobs whose worker fell silent, or fail those that lost MAX_ATTEMPTS workers; returns both counts."""
    requeued = failed = 0
    for job in Job.objects.filter(state=State.RUNNING, heartbeat_at__lt=now - STALE).order_by("pk")[:SWEEP_AT_ONCE]:
        same = _own(job).filter(heartbeat_at=job.heartbeat_at)
        if job.attempts < MAX_ATTEMPTS:
            requeued += same.update(state=State.QUEUED, claimed_at=None, heartbeat_at=None)
        else:
            error = f"Given up: its worker went away {job.attempts} times without saying why. See the server's log."
            failed += same.update(state=State.FAILED, finished_at=now, error=error)
    return requeued, failed


def _own(job: Job) -> QuerySet[Job]:
    return Job.objects.filter(pk=job.pk, state=State.RUNNING, claimed_at=job.claimed_at)


def _send(job_id: int, task: str) -> None:
    try:
        with current_app.connection_for_write() as connection:
            connection.transport_options.update(IMPATIENT)
            current_app.send_task(task, kwargs={"job_id": job_id}, retry=False, connection=connection)
    except OperationalError as error:
        log.warning("job %s not sent, the broker is away (%s); the sweep sends it again", job_id, error)
