"""What participants of a study will meet, read from the frozen specification and the plan."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Q

from studies.console import words
from studies.design import probes
from studies.design.models import Stance, Study, TrialPlan
from studies.design.spec import MODELS, AssistantTable, ConditionTable, SourceTable, Spec
from studies.design.summary import METHODS

FEEDBACK = {
    "none": "no feedback",
    "immediate": "the right answer after each question",
    "end_of_block": "the right answers after each block",
}
INTERLEAVED = FEEDBACK | {"end_of_block": "the right answers after the last question"}
UNRELIABILITY = {
    "natural": "the model's own mistakes",
    "prompted": "told to argue for a planned option",
    "scripted": "argues for a planned option",
}


@dataclass(frozen=True)
class Arm:
    """A condition: what help there is, when answers are shown, and what one person gets of it (`meets`)."""

    name: str
    help: str
    feedback: str
    meets: tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """Where questions come from: `2 questions from demo-quality (dev), 5 minutes each`."""

    name: str
    questions: str
    bank: str
    split: str
    limit: str
    subjects: str


@dataclass(frozen=True)
class Endpoint:
    """What an assistant's endpoint honoured when it was last asked, and what the study will miss."""

    asked_at: datetime
    served: str
    findings: tuple[tuple[str, str, str], ...]
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Helper:
    """An assistant: the accuracy that was asked for, and the stances that were drawn for it."""

    name: str
    backend: str
    model: str
    unreliability: str
    target: str
    drawn: str
    endpoint: Endpoint | None


@dataclass(frozen=True)
class Deviation:
    """A key that was set by hand when the study was created."""

    key: str
    before: str
    after: str


@dataclass(frozen=True)
class Plan:
    """Everything that the study page says about the design."""

    minutes: int
    contact: str
    method: str
    arms: tuple[Arm, ...]
    sources: tuple[Source, ...]
    helpers: tuple[Helper, ...]
    deviations: tuple[Deviation, ...]
    confidence: str
    survey: str


def plan_of(study: Study, spec: Spec, slots: int) -> Plan:
    """Three queries, whatever the study's size: planned trials and the two kinds of stances; one more for endpoints."""
    meets = _meets(study, slots)
    feedback = INTERLEAVED if spec.assignment.method == "interleaved" else FEEDBACK
    return Plan(
        minutes=spec.study.expected_minutes,
        contact=spec.study.contact,
        method=METHODS[spec.assignment.method],
        arms=tuple(_arm(each, feedback[each.feedback], meets.get(each.name, ())) for each in spec.conditions),
        sources=tuple(_source(each) for each in spec.questions),
        helpers=helpers_of(study, spec),
        deviations=tuple(Deviation(each["key"], _value(each["from"]), _value(each["to"])) for each in study.deviations),
        confidence=", ".join(words.percent(point) for point in spec.answers.confidence),
        survey=words.count(len(spec.survey), "item") if spec.survey else "",
    )


def helpers_of(study: Study, spec: Spec) -> tuple[Helper, ...]:
    """The study's assistants: two queries for their stances, and one for endpoints where there are some."""
    if not spec.assistants:
        return ()
    drawn = _drawn(study)
    has_endpoints = any(each.backend in MODELS for each in spec.assistants)
    endpoints = _endpoints(study, spec) if has_endpoints else {}
    return tuple(_helper(each, drawn.get(each.name), endpoints.get(each.name)) for each in spec.assistants)


def _arm(table: ConditionTable, feedback: str, meets: Iterable[str]) -> Arm:
    help_words = f"chat with assistant {table.assistant}" if table.assistance == "chat" else "on their own"
    return Arm(table.name, help_words, feedback, tuple(meets))


def _source(table: SourceTable) -> Source:
    return Source(
        name=table.name,
        questions=words.count(table.count, "question"),
        bank=table.bank,
        split=table.split,
        limit=words.minutes(table.time_limit_seconds),
        subjects=", ".join(table.subjects) or "all subjects",
    )


def _helper(table: AssistantTable, drawn: tuple[int, int] | None, endpoint: Endpoint | None) -> Helper:
    target = "" if table.accuracy is None else words.percent(table.accuracy)
    target += "".join(f", {words.percent(share)} on {name}" for name, share in table.accuracy_by_subject.items())
    stances = ""
    if drawn is not None:
        right, total = drawn
        each = "questions" if table.stance_per == "question" else "planned trials"
        stances = f"argues for the right answer on {right} of {total} {each} ({words.percent(right / total)})"
    how = UNRELIABILITY[table.unreliability]
    return Helper(table.name, table.backend, table.model, how, target, stances, endpoint)


def _endpoints(study: Study, spec: Spec) -> dict[str, Endpoint]:
    """By assistant: what was kept of its endpoint; those that were not asked yet are left out."""
    kept = {each.name: each.probe for each in probes.remote(study) if each.probe is not None}
    return {
        name: Endpoint(
            asked_at=datetime.fromisoformat(probe["at"]),
            served=" ".join(filter(None, (probe["model"], probe["revision"], probe["dtype"]))),
            findings=tuple(
                (feature, found["answer"], found["sentence"]) for feature, found in probe["findings"].items()
            ),
            missing=tuple(probes.missing(probe, spec)),
        )
        for name, probe in kept.items()
    }


def _meets(study: Study, slots: int) -> dict[str, list[str]]:
    """By condition: how many questions one person gets, for each time limit."""
    planned = (
        TrialPlan.objects.filter(slot__study=study)
        .values_list("condition__name", "time_limit_seconds")
        .annotate(number=Count("pk"))
        .order_by("condition__position", F("time_limit_seconds").asc(nulls_first=True))
    )
    meets: dict[str, list[str]] = {}
    for condition, limit, number in planned:
        each = number / slots
        many = words.count(int(each), "question") if each.is_integer() else f"{each:.1f} questions on average"
        meets.setdefault(condition, []).append(f"{many}, {words.minutes(limit)}")
    return meets


def _drawn(study: Study) -> dict[str, tuple[int, int]]:
    """By assistant: how many of its stances are the key, of how many. Drawn per question, else per planned trial."""
    stances = Stance.objects.filter(assistant__study=study).values_list("assistant__name").order_by()
    plans = TrialPlan.objects.filter(slot__study=study, stance__isnull=False).values_list("condition__assistant__name")
    rows = [
        *plans.annotate(right=Count("pk", filter=Q(question__key=F("stance"))), total=Count("pk")).order_by(),
        *stances.annotate(right=Count("pk", filter=Q(question__key=F("option"))), total=Count("pk")),
    ]
    return {name: (right, total) for name, right, total in rows}


def _value(value: Any) -> str:
    """A value of the study file in TOML's words."""
    if value is None:
        return "not set"
    return str(value).lower() if isinstance(value, bool) else str(value)
