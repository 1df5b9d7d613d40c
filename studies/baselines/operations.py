"""A baseline run from start to end: one job asks the model every question of its scope that has no answer yet.

Killed, failed or cancelled, it goes on where it was: answers are committed with the job's progress as they come, and a
rerun only asks for what is missing.
"""

import asyncio
import hashlib
from collections.abc import Coroutine, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from django.db import transaction

from studies.assistant.types import Backend, BackendError
from studies.baselines.flight import AT_ONCE, Flight
from studies.baselines.items import Item, asked_of, items, questions_to_ask, samples_of
from studies.baselines.models import SCORER, BaselineAnswer, BaselineRun
from studies.baselines.protocols import PROTOCOLS, SCRIPTED, BaselineProtocol, Given, default_protocol
from studies.design import assistants
from studies.design.models import Assistant, Study
from studies.jobs import operations as jobs
from studies.jobs.models import Job
from studies.jobs.work import Clock, JobFailed, Report, Work, working
from studies.questions.queries import NotInBank

T = TypeVar("T")
TASK = "studies.tasks.run_baseline"
BEAT_SECONDS = 1.0


class CannotRun(ValueError):
    """This baseline cannot be run; the text names the value, what is allowed and what to do."""


def start_run(
    *,
    study: Study,
    assistant_name: str,
    protocol: str = "",
    samples: int | None = None,
    scope: str = BaselineRun.Scope.STUDY,
    scorer: str = "",
    again: bool = False,
    now: datetime,
) -> BaselineRun:
    """Find the run to go on with, or make one, and give it a job that is queued or running.

    A finished run is returned as it is. `again` makes a fresh one and gives an unfinished one up. `samples`: answers
    per question, where the protocol lets that vary. `scope`: the study's questions, or all that its file could have
    drawn from its banks. `scorer`: the assistant that rates the samples, for protocols that take the best. Raises
    CannotRun.
    """
    assistant = _assistant(study, assistant_name)
    found = _protocol(protocol or default_protocol(assistant.backend))
    name = found.name
    if samples is not None and (samples < 1 or (samples != found.samples and not found.can_vary)):
        allowed = "1 or more" if found.can_vary else str(found.samples)
        raise CannotRun(f"samples {samples}: protocol {name!r} takes {allowed}.")
    if scope not in BaselineRun.Scope.values:
        raise CannotRun(f"scope '{scope}': use one of {', '.join(BaselineRun.Scope.values)}.")
    if scope == BaselineRun.Scope.BANK and not found.needs_backend:
        raise CannotRun(f"scope 'bank': protocol {name!r} has answers to the study's questions only; use scope study.")
    try:
        questions = questions_to_ask(study, scope)
    except NotInBank as error:
        raise CannotRun(f"scope '{scope}': {error}.") from error
    if not questions:
        raise CannotRun(f"study {study.name!r} has no questions in its manifest; create it from a study file first.")
    if scorer:
        _require_scorer(study, found, scorer)
    refusal = found.refusal(assistant.backend, asked_of(assistant, questions))
    if refusal:
        raise CannotRun(f"protocol {name!r} for assistant {assistant_name!r}: {refusal}")
    with transaction.atomic():
        Study.objects.select_for_update().get(pk=study.pk)  # two commands at once make one run, not two
        same = BaselineRun.objects.filter(study=study, assistant=assistant, protocol=name, scope=scope)
        alike = (run for run in same.order_by("-pk") if run.details.get(SCORER, "") == scorer)
        last = next(alike, None)
        if last is not None and not again:
            _require_same_samples(last, found, samples)
            if last.finished_at is not None:
                return last
        if last is not None and last.job is not None and again:
            jobs.cancel(job_id=last.job.pk, now=now)
        if last is None or again:
            details: dict[str, Any] = {"samples": samples or found.samples, "questions": len(questions)}
            details |= {SCORER: scorer} if scorer else {}
            last = BaselineRun(
                study=study, assistant=assistant, protocol=name, scope=scope, details=details, created_at=now
            )
            last.save()
        if last.job is None or last.job.state not in (Job.State.QUEUED, Job.State.RUNNING):
            last.job = jobs.enqueue(task=TASK, arguments={"run_id": last.pk}, now=now)
            last.save(update_fields=["job"])
    return last


def cancel_run(*, run: BaselineRun, now: datetime) -> bool:
    """Stop a run that is queued or running; False: it was neither. What was answered stays, and starting goes on."""
    return run.job_id is not None and jobs.cancel(job_id=run.job_id, now=now)


def cancel_runs(*, study: Study, assistant_name: str = "", protocol: str = "", now: datetime) -> list[BaselineRun]:
    """Cancel the study's runs, or those of one assistant or protocol, and return what was stopped. Raises CannotRun."""
    runs = BaselineRun.objects.filter(study=study).select_related("assistant").order_by("pk")
    if assistant_name:
        runs = runs.filter(assistant=_assistant(study, assistant_name))
    if protocol:
        runs = runs.filter(protocol=_protocol(protocol).name)
    return [run for run in runs if cancel_run(run=run, now=now)]


def work_run(*, job_id: int, clock: Clock, report: Report | None = None) -> None:
    """Work the job's run to its end. Does nothing when the job is somebody else's or over: safe to call twice."""
    with working(job_id=job_id, clock=clock, report=report) as work:
        if work is None:
            return
        run = BaselineRun.objects.select_related("study", "assistant").get(pk=work.job.arguments["run_id"])
        protocol = PROTOCOLS[run.protocol]
        every = items(run, protocol)
        _record_questions(run, protocol, every)
        answered = set(BaselineAnswer.objects.filter(run=run).values_list("question_id", "sample"))
        left = [item for item in every if (item.question_id, item.sample.number) not in answered]
        work.progress(len(answered), len(every))
        with asyncio.Runner() as runner:
            try:
                _ask_all(run, protocol, left, work, runner)
            except BackendError as error:
                raise JobFailed(f"Assistant {run.assistant.name!r}: {error.sentence} ({error.code.value})") from error
        BaselineRun.objects.filter(pk=run.pk, finished_at=None).update(finished_at=clock())


def _ask_all(
    run: BaselineRun, protocol: BaselineProtocol, left: Sequence[Item], work: Work, runner: asyncio.Runner
) -> None:
    if not left:
        return
    if not protocol.needs_backend:
        _keep(run, [(item, runner.run(protocol.answer(item.asked, None, item.sample))) for item in left], work)
        return
    asked = [run.assistant, *([_assistant(run.study, run.details[SCORER])] if SCORER in run.details else [])]
    backends: list[Backend] = []
    try:
        backends.extend(map(assistants.backend_of, asked))
        _record_model(run, backends[0], work, runner)
        if scorer := next(iter(backends[1:]), None):
            _record_scorer(run, asked[1], scorer, work, runner)

        async def answer(item: Item) -> Given:
            given = await protocol.answer(item.asked, backends[0], item.sample)
            return await protocol.scored(item.asked, given, scorer) if scorer else given

        flight = Flight(answer, left, min(AT_ONCE.get(each.backend, 1) for each in asked))
        retried = run.retries
        try:
            while not flight.is_over:
                answered, error = runner.run(flight.landed(BEAT_SECONDS))
                if run.retries != retried + flight.retries:
                    run.retries = retried + flight.retries
                    run.save(update_fields=["retries"])
                if answered:
                    _keep(run, answered, work)
                if error is not None:
                    raise error
                work.beat()
        finally:
            runner.run(flight.close())
    finally:
        for backend in backends:
            runner.run(backend.aclose())


def _while_beating(call: Coroutine[Any, Any, T], work: Work, runner: asyncio.Runner) -> T:
    """Run one model call, which may take minutes, and beat meanwhile; an interruption cancels it on the model."""
    task = runner.get_loop().create_task(call)
    try:
        while not task.done():
            runner.run(_wait(task))
            work.beat()
    finally:
        if not task.done():
            task.cancel()
            runner.run(_wait(task))
    return task.result()


async def _wait(task: asyncio.Task[Any]) -> None:
    await asyncio.wait({task}, timeout=BEAT_SECONDS)


@transaction.atomic
def _keep(run: BaselineRun, given: Sequence[tuple[Item, Given]], work: Work) -> None:
    """Commit the answers with their tokens and the job's progress; an answer that is there already stays as it was."""
    rows = [
        BaselineAnswer(
            run=run,
            question_id=item.question_id,
            sample=item.sample.number,
            option=answer.option,
            probabilities=answer.probabilities,
            raw=answer.raw,
            answered_at=work.clock(),
        )
        for item, answer in given
    ]
    BaselineAnswer.objects.bulk_create(rows, ignore_conflicts=True)
    usages = [answer.raw["usage"] for _, answer in given if "usage" in answer.raw]
    run.prompt_tokens = _more(run.prompt_tokens, [usage["prompt"] for usage in usages])
    run.completion_tokens = _more(run.completion_tokens, [usage["completion"] for usage in usages])
    rated = [answer.raw["scorer_usage"]["prompt"] for _, answer in given if "scorer_usage" in answer.raw]
    if (tokens := _more(run.details.get("scorer_tokens"), rated)) is not None:
        run.details["scorer_tokens"] = tokens
    run.save(update_fields=["prompt_tokens", "completion_tokens", "details"])
    work.progress(work.done + len(rows), work.total)


def _more(total: int | None, counts: Iterable[int | None]) -> int | None:
    """The total with what was counted; None while nothing was."""
    counted = [count for count in counts if count is not None]
    return (total or 0) + sum(counted) if counted else total


def _record_model(run: BaselineRun, backend: Backend, work: Work, runner: asyncio.Runner) -> None:
    """Keep what is served. Half a run by one model and half by another would be nobody's answers: refused."""
    health = _while_beating(backend.health(), work, runner)
    if not health.is_ok:
        raise JobFailed(f"Assistant {run.assistant.name!r} cannot be asked: {health.sentence}")
    began = (run.model, run.revision, run.dtype)
    now = (health.model, health.revision, health.dtype)
    if run.model and began != now and run.answers.exists():
        raise JobFailed(
            f"Run {run.pk} was begun with model {' '.join(began).strip()!r}; the assistant now serves "
            f"{' '.join(now).strip()!r}. Serve the first again, or start a fresh run with --again."
        )
    run.model, run.revision, run.dtype = now
    run.save(update_fields=["model", "revision", "dtype"])


def _record_scorer(run: BaselineRun, scorer: Assistant, backend: Backend, work: Work, runner: asyncio.Runner) -> None:
    """Keep which model rates; another one in the middle of a run is refused as another assistant's would be."""
    health = _while_beating(backend.health(), work, runner)
    if not health.is_ok:
        raise JobFailed(f"Scorer {scorer.name!r} cannot be asked: {health.sentence}")
    now = " ".join((health.model, health.revision, health.dtype)).strip()
    if run.details.get("scorer_model", now) != now and run.answers.exists():
        raise JobFailed(
            f"Run {run.pk} was begun with the scorer {run.details['scorer_model']!r}; {scorer.name!r} now serves "
            f"{now!r}. Serve the first again, or start a fresh run with --again."
        )
    run.details["scorer_model"] = now
    run.save(update_fields=["details"])


def _record_questions(run: BaselineRun, protocol: BaselineProtocol, every: Sequence[Item]) -> None:
    """Keep how many questions the run asks and with which prompt texts; one hash over all where there are several."""
    prompts = {prompt for item in every for prompt in protocol.prompts(item.asked)}
    prompts |= set(protocol.scorer_prompts()) if SCORER in run.details else set()
    named = sorted((f"{prompt.name}.v{prompt.version}", prompt.sha256) for prompt in prompts)
    run.prompt_version = ", ".join(name for name, _ in named)
    joined = "\n".join(f"{name} {sha256}" for name, sha256 in named)
    run.prompt_hash = named[0][1] if len(named) == 1 else hashlib.sha256(joined.encode()).hexdigest() if named else ""
    run.details |= {"prompts": dict(named), "questions": len({item.question_id for item in every})}
    run.save(update_fields=["prompt_version", "prompt_hash", "details"])


def _assistant(study: Study, name: str) -> Assistant:
    try:
        return Assistant.objects.get(study=study, name=name)
    except Assistant.DoesNotExist:
        names = ", ".join(study.assistants.order_by("name").values_list("name", flat=True)) or "none"
        raise CannotRun(f"assistant {name!r}: study {study.name!r} has {names}.") from None


def _require_scorer(study: Study, protocol: BaselineProtocol, name: str) -> None:
    if not protocol.scored_combinations:
        able = ", ".join(each.name for each in PROTOCOLS.values() if each.scored_combinations)
        raise CannotRun(f"scorer {name!r}: protocol {protocol.name!r} has no samples to rate; use {able}.")
    if _assistant(study, name).backend == SCRIPTED:
        raise CannotRun(f"scorer {name!r}: a scripted assistant cannot rate; name one with a model.")


def _protocol(name: str) -> BaselineProtocol:
    if name not in PROTOCOLS:
        raise CannotRun(f"protocol {name!r}: use one of {', '.join(PROTOCOLS)}.")
    return PROTOCOLS[name]


def _require_same_samples(run: BaselineRun, protocol: BaselineProtocol, samples: int | None) -> None:
    begun = samples_of(run, protocol)
    if samples is not None and samples != begun:
        raise CannotRun(f"samples {samples}: run {run.pk} was begun with {begun}; --again makes a fresh one.")
