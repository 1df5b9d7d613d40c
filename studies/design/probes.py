"""What the endpoints of a study's assistants honour: asked at launch and on demand, kept with the assistant's row.

A probe changes nothing of the study: an endpoint may be down at launch and stand an hour later, so what is missing is
told, and nothing is refused for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet

from studies.assistant.registry import AssistantConfig, make_backend
from studies.assistant.types import BackendError, Health
from studies.design.assistants import config_of
from studies.design.models import Assistant, Study
from studies.design.spec import BY_LETTERS, MODELS, RATED_BY_LETTERS, Spec
from studies.jobs import operations as jobs
from studies.jobs.models import Job
from studies.jobs.work import Clock, working

if TYPE_CHECKING:
    from studies.assistant.probe import Probe

TASK = "studies.tasks.probe_assistants"
LETTERS = "letter log-probabilities"
LOST = {
    "streaming": "people see nothing of a reply until all of it is there",
    "usage": "replies are recorded without token counts",
    "seeds": "a reply cannot be made again from its recorded seed; its text is the record",
    LETTERS: "the model alone cannot be asked by {primary}, the study's primary baseline",
}


def remote(study: Study) -> QuerySet[Assistant]:
    """The assistants that answer at an address."""
    return study.assistants.filter(backend__in=MODELS).order_by("name")


def enqueue(*, study: Study, now: datetime) -> Job | None:
    """Have a worker ask the study's endpoints; None when it has none."""
    if not remote(study).exists():
        return None
    return jobs.enqueue(task=TASK, arguments={"study_id": study.pk}, now=now)


def work_probes(*, job_id: int, clock: Clock) -> None:
    """Work the job to its end. Does nothing when it is somebody else's or over."""
    with working(job_id=job_id, clock=clock) as work:
        if work is None:
            return
        assistants = list(remote(Study.objects.get(pk=work.job.arguments["study_id"])))
        for done, assistant in enumerate(assistants, start=1):
            look(assistant=assistant, now=clock())
            work.progress(done, len(assistants))


def look(*, assistant: Assistant, now: datetime) -> None:
    """Ask the assistant's endpoint now, and keep what it honours."""
    assistant.probe = {"at": now.isoformat(), **as_json(probe_of(config_of(assistant)))}
    assistant.save(update_fields=["probe"])


def probe_of(config: AssistantConfig) -> Probe:
    """Ask the endpoint that a configuration describes; not within an event loop."""
    # The openai client takes half a second to import; web processes and scripted studies do without it.
    from studies.assistant.openai_compatible import OpenAICompatibleBackend
    from studies.assistant.probe import Probe, probe

    async def ask() -> Probe:
        backend = make_backend(config)
        if not isinstance(backend, OpenAICompatibleBackend):
            raise ValueError(f"backend={config.backend!r}: only {' and '.join(MODELS)} answer at an address")
        async with aclosing(backend):
            return await probe(backend)

    try:
        return asyncio.run(ask())
    except BackendError as error:  # it cannot be asked as it is set up: a key that is not there, say
        return Probe(_not_set_up(config, error), {})


def away(study: Study) -> list[str]:
    """Which of the study's endpoints do not answer now, as sentences; not within an event loop. Nothing is kept."""
    told = [(assistant.name, _health(config_of(assistant))) for assistant in remote(study)]
    return [f"assistant {name} does not answer: {health.sentence}" for name, health in told if not health.is_ok]


def _health(config: AssistantConfig) -> Health:
    async def ask() -> Health:
        async with aclosing(make_backend(config)) as backend:
            return await backend.health()

    try:
        return asyncio.run(ask())
    except BackendError as error:
        return _not_set_up(config, error)


def _not_set_up(config: AssistantConfig, error: BackendError) -> Health:
    return Health(False, config.backend, config.model, sentence=error.sentence)


def as_json(found: Probe) -> dict[str, Any]:
    """A probe as the row keeps it."""
    health = found.health
    return {
        **{name: getattr(health, name) for name in ("is_ok", "model", "revision", "dtype", "sentence")},
        "findings": {feature: asdict(finding) for feature, finding in found.findings.items()},
    }


def missing(kept: dict[str, Any] | None, spec: Spec) -> list[str]:
    """What the study needs and the endpoint lacked when it was asked, as sentences; empty when it was not asked."""
    if kept is None:
        return []
    if not kept["is_ok"]:
        return [f"does not answer: {kept['sentence']}"]
    return list(_lost(kept["findings"], spec))


def _lost(findings: dict[str, dict[str, str]], spec: Spec) -> Iterator[str]:
    for feature, loss in LOST.items():
        is_needed = feature != LETTERS or _needs_letters(spec)
        if is_needed and findings[feature]["answer"] == "no":
            words = loss.format(primary=spec.analysis.primary_baseline)
            yield f"{feature}: {words} ({findings[feature]['sentence']})"


def _needs_letters(spec: Spec) -> bool:
    """Of several models any may rate the others' samples, so one that cannot is not missing anything."""
    models = [each for each in spec.assistants if each.backend in MODELS]
    primary = spec.analysis.primary_baseline
    return primary in BY_LETTERS or (primary in RATED_BY_LETTERS and len(models) == 1)
