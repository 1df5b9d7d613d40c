"""Celery entrances: each finds its row and calls one operation. Safe to run twice: operations claim first."""

import logging
from datetime import datetime

from celery import shared_task
from django.utils import timezone

from studies.baselines import operations as baselines
from studies.design import probes
from studies.jobs import operations as jobs
from studies.reports import run as analysis
from studies.runtime import sweep as sessions

log = logging.getLogger(__name__)


@shared_task(name="studies.tasks.run_baseline")
def run_baseline(job_id: int) -> None:
    """Ask the model alone: the job's baseline run, from where it stands."""
    baselines.work_run(job_id=job_id, clock=timezone.now)


@shared_task(name="studies.tasks.analyse")
def analyse(job_id: int) -> None:
    """Analyse a study's tables: the job's analysis run."""
    analysis.work_analysis(job_id=job_id, clock=timezone.now)


@shared_task(name="studies.tasks.probe_assistants")
def probe_assistants(job_id: int) -> None:
    """Ask the endpoints of a study's assistants what they honour."""
    probes.work_probes(job_id=job_id, clock=timezone.now)


@shared_task(name="studies.tasks.sweep")
def sweep() -> None:
    """Repair what died: once a second from beat; any number of processes at once."""
    sweep_rows(now=timezone.now())


def sweep_rows(*, now: datetime) -> None:
    """One round over the rows; the embedded server calls it from its own loop, without a broker."""
    for part in (sessions.sweep, jobs.sweep, sessions.abandon_absent):
        try:
            part(now=now)
        except Exception:
            log.exception("%s failed; the next sweep tries again", part.__qualname__)
