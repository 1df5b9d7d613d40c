"""A command's job: a running server takes it, or the command works it itself; never both."""

import time
from collections.abc import Callable
from datetime import timedelta

from studies.jobs import operations
from studies.jobs.models import Job
from studies.jobs.work import Clock, Report

State = Job.State
OVER = {State.DONE, State.FAILED, State.CANCELLED}
PATIENCE = timedelta(seconds=3)  # a server sweeps every second
POLL_SECONDS = 0.2


def run_or_wait(
    *,
    job_id: int,
    work: Callable[[Report], None],
    report: Report,
    clock: Clock,
    patience: timedelta | None = None,
) -> Job:
    """Return the job when it is over. `work` is what the Celery task does: it claims the job by compare-and-set.

    `patience` is how long a server has to take it (PATIENCE if None). While a server works the job, `report` is told
    its progress; a server that falls silent loses it to this process.
    """
    take_it_at = clock() + (PATIENCE if patience is None else patience)
    while True:
        job = Job.objects.get(pk=job_id)
        if job.state in OVER:
            report(job.done, job.total)
            return job
        if job.state == State.RUNNING:
            report(job.done, job.total)
            operations.take_back_stale(now=clock())
        elif clock() >= take_it_at:
            work(report)
            continue
        time.sleep(POLL_SECONDS)
