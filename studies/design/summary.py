"""What a study consists of, counted from its rows: for the person who made it, and for the console."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from django.db.models import Count, F, Q

from studies.design.access import spec_of
from studies.design.models import Slot, Stance, Study, StudyQuestion, TrialPlan

METHODS = {
    "fixed": "Everybody gets the same questions under the same condition, conditions in the file's order.",
    "counterbalanced": "Everybody gets the same questions under the same condition; the order of the conditions is "
    "balanced over the slots.",
    "latin_square": "The questions rotate through the conditions over the slots, and the order of the conditions is "
    "balanced.",
    "interleaved": "The questions rotate through the conditions over the slots, and the condition changes from "
    "question to question: they come in rounds of one question from each condition, in an order drawn for each slot "
    "and round.",
}


@dataclass(frozen=True)
class SourceSummary:
    name: str
    bank: str
    split: str
    questions: int
    subjects: int
    passages: int
    time_limit_seconds: int


@dataclass(frozen=True)
class ConditionSummary:
    """`trials` counts those of one slot: the fewest and the most."""

    name: str
    assistance: str
    assistant: str
    feedback: str
    trials: tuple[int, int]


@dataclass(frozen=True)
class AssistantSummary:
    """`planned` is the study file's accuracy, None for a natural assistant. The pairs are (right stances, all).

    `of_questions` counts the manifest's questions (0 of 0 with a stance per trial), `of_trials` the planned trials.
    """

    name: str
    backend: str
    unreliability: str
    model: str
    planned: float | None
    planned_by_subject: dict[str, float]
    of_questions: tuple[int, int]
    of_trials: tuple[int, int]


@dataclass(frozen=True)
class StudySummary:
    """`method` is the study file's word for who answers what in which order; METHODS says what it does."""

    sources: list[SourceSummary]
    conditions: list[ConditionSummary]
    assistants: list[AssistantSummary]
    method: str
    slots: dict[str, int]  # list name → slots


def summary_of(study: Study) -> StudySummary:
    """Six queries, whatever the study's size."""
    slots = Counter(Slot.objects.filter(study=study).order_by("number").values_list("list_name", flat=True))
    return StudySummary(
        sources=_sources(study),
        conditions=_conditions(study),
        assistants=_assistants(study),
        method=spec_of(study).assignment.method,
        slots=dict(sorted(slots.items())),
    )


def _sources(study: Study) -> list[SourceSummary]:
    counts = {
        row["source"]: row
        for row in StudyQuestion.objects.filter(study=study)
        .values("source")
        .annotate(
            questions=Count("pk"),
            subjects=Count("question__subject", distinct=True, filter=~Q(question__subject="")),
            passages=Count("question__passage", distinct=True),
        )
        .order_by()
    }
    return [
        SourceSummary(
            name=source.name,
            bank=source.bank,
            split=source.split,
            questions=counts[source.name]["questions"],
            subjects=counts[source.name]["subjects"],
            passages=counts[source.name]["passages"],
            time_limit_seconds=source.time_limit_seconds,
        )
        for source in spec_of(study).questions
    ]


def _conditions(study: Study) -> list[ConditionSummary]:
    plans = TrialPlan.objects.filter(slot__study=study).values_list("condition", "slot")
    trials: dict[int, list[int]] = {}
    for condition, _, number in plans.annotate(Count("pk")).order_by():
        trials.setdefault(condition, []).append(number)
    return [
        ConditionSummary(
            name=condition.name,
            assistance=condition.assistance,
            assistant=condition.assistant.name if condition.assistant else "",
            feedback=condition.feedback,
            trials=(min(trials[condition.pk]), max(trials[condition.pk])),
        )
        for condition in study.conditions.select_related("assistant").order_by("position")
    ]


def _assistants(study: Study) -> list[AssistantSummary]:
    stances = Stance.objects.filter(assistant__study=study).values_list("assistant__name")
    is_right = Count("pk", filter=Q(option=F("question__key")))
    of_questions = {
        name: (right, all_) for name, right, all_ in stances.annotate(right=is_right, all=Count("pk")).order_by()
    }
    plans = TrialPlan.objects.filter(slot__study=study, stance__isnull=False).values_list("condition__assistant__name")
    is_right = Count("pk", filter=Q(stance=F("question__key")))
    of_trials = {
        name: (right, all_) for name, right, all_ in plans.annotate(right=is_right, all=Count("pk")).order_by()
    }
    return [
        AssistantSummary(
            name=assistant.name,
            backend=assistant.backend,
            unreliability=assistant.unreliability,
            model=assistant.model,
            planned=assistant.accuracy,
            planned_by_subject=assistant.accuracy_by_subject,
            of_questions=of_questions.get(assistant.name, (0, 0)),
            of_trials=of_trials.get(assistant.name, (0, 0)),
        )
        for assistant in spec_of(study).assistants
    ]
