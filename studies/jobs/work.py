"""Working a job: claim it, beat while it runs, and write how it ended, whatever way it ended."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from studies.jobs import operations
from studies.jobs.models import Job
from studies.jobs.outage import is_outage

log = logging.getLogger(__name__)
BEAT = timedelta(seconds=2)
Clock = Callable[[], datetime]
Report = Callable[[int, int], None]

stopping = threading.Event()  # this process ends: jobs under way go back to the queue at their next beat


class JobFailed(Exception):
    """The work cannot be done; the text is a sentence for people and is stored with the job."""


class JobInterrupted(Exception):
    """The job was cancelled, given to another worker, or this process stops: put the work down."""


class Work:
    """A claimed job. `beat` at least every few seconds, or another worker takes it (operations.STALE)."""

    def __init__(self, job: Job, clock: Clock, report: Report | None) -> None:
        self.job = job
        self.clock = clock
        self.done, self.total = job.done, job.total
        self._report = report
        self._last_beat = clock()

    def progress(self, done: int, total: int) -> None:
        """Keep how far the work is. Raises JobInterrupted."""
        self.done, self.total = done, total
        if self._report is not None:
            self._report(done, total)
        self._beat(done, total)

    def beat(self) -> None:
        """Say that the work goes on; writes at most once per BEAT. Raises JobInterrupted."""
        if stopping.is_set() or self.clock() - self._last_beat >= BEAT:
            self._beat(None, None)

    def _beat(self, done: int | None, total: int | None) -> None:
        self._last_beat = self.clock()
        if not operations.heartbeat(job=self.job, now=self._last_beat, done=done, total=total):
            raise JobInterrupted(f"job {self.job.pk} was cancelled or given to another worker")
        if stopping.is_set():
            raise JobInterrupted(f"job {self.job.pk} goes back to the queue: this process stops")


@contextmanager
def working(*, job_id: int, clock: Clock, report: Report | None = None) -> Iterator[Work | None]:
    """Claim the job and give it to the block; None when somebody else has it, it is over, or this
    process stops.

    The block's end finishes the job. JobFailed fails it with its sentence, an interruption puts it back or leaves it
    to whoever took it, Ctrl-C cancels it, an outage of the database leaves it to the sweep, which queues it again;
    anything unexpected fails it and is raised again.
    """
    job = None if stopping.is_set() else operations.claim(job_id=job_id, now=clock())
    if job is None:
        yield None
        return
    try:
        yield Work(job, clock, report)
    except JobFailed as error:
        log.warning("job %s failed: %s", job_id, error)
        operations.fail(job=job, error=str(error), now=clock())
    except JobInterrupted as reason:
        log.info("%s", reason)
        operations.release(job=job)
    except KeyboardInterrupt:
        operations.cancel(job_id=job_id, now=clock())
        raise
    except BaseException as error:
        if is_outage(error):
            log.warning("job %s left to the sweep: %s", job_id, type(error).__name__)
            return
        operations.fail(job=job, error=f"Unexpected {type(error).__name__}: {error}", now=clock())
        raise
    else:
        operations.finish(job=job, now=clock())
