"""The embedded Celery worker: one thread in the server's process, for the profile without Redis."""

import logging
import threading

from celery import current_app
from celery.worker import WorkController, state
from django.db import connections

from studies.jobs.work import stopping

log = logging.getLogger(__name__)
START_SECONDS = 15.0


class WorkerNotStarted(RuntimeError):
    """The worker thread ended or hung before it could take a job."""


class WorkerHandle:
    """A running worker thread; `stop` lets the job under way go back to the queue and joins the thread."""

    def __init__(self) -> None:
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="celery-worker", daemon=True)

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        stopping.clear()
        state.should_stop = None
        self._thread.start()
        if not self._ready.wait(START_SECONDS):
            raise WorkerNotStarted(f"the worker did not become ready within {START_SECONDS:g} s; see the log above")
        if not self.is_alive:
            raise WorkerNotStarted("the worker ended at once; see the log above")

    def stop(self, timeout_seconds: float = 30.0) -> bool:
        """Stop and wait; False: a job still runs after the timeout (the row goes stale and is taken by another)."""
        stopping.set()
        state.should_stop = 0
        self._thread.join(timeout_seconds)
        if self.is_alive:
            log.error("the worker thread still runs after %g s", timeout_seconds)
            return False
        state.should_stop = None
        stopping.clear()
        return True

    def _run(self) -> None:
        try:
            # Made in its own thread: the Django fix-up closes the connections of the thread that makes it.
            WorkController(
                app=current_app._get_current_object(),
                pool_cls="solo",
                concurrency=1,
                without_gossip=True,
                without_mingle=True,
                without_heartbeat=True,
                ready_callback=lambda _consumer: self._ready.set(),
            ).start()
        except Exception:
            log.exception("the worker thread died")
        finally:
            self._ready.set()
            connections.close_all()


def start_worker() -> WorkerHandle:
    """Start the worker thread and return when it takes jobs (0.2 s when measured). Raises WorkerNotStarted."""
    handle = WorkerHandle()
    handle.start()
    return handle
