"""What a launched study rests on, as digests: whoever changes a row of it by hand is noticed at the next use.

`spec["plan"]` holds one digest for each part of the plan, so that the specification's hash, which every session keeps,
stands for the study file and for all that was drawn from it. A slot's own digest stands in its row: joining looks at
the one slot that is taken, not at thousands. A study that was made before there were digests has none to look at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from django.db.models import F

from studies.design.models import Assistant, Condition, Slot, Stance, Study, StudyQuestion, TrialPlan
from studies.design.problems import DesignError
from studies.design.spec_json import Json, hash_of_json

PLAN = "plan"  # the key beside the study file's tables
ARMS = ("conditions", "assistants")  # what trials under way still read; the rest was copied when their person joined
SPECIFICATION = "the stored specification does not match its hash"
# position, block, the question's content hash, condition, stance, time limit in seconds
Line = tuple[int, int, str, str, int | None, int | None]
CONDITION: Final = 3
CHANGED = {
    "conditions": "a condition was changed, added or removed",
    "assistants": "an assistant was changed, added or removed",
    "questions": "the question sample, or the content of a question in it, was changed",
    "stances": "a stance was changed, added or removed",
    "slots": "slots or their planned trials were changed, added or removed",
}


class StudyChanged(DesignError):
    """The stored study is not the one that was made: somebody changed a row."""

    code = "study_changed"


def require_specification(study: Study) -> None:
    """Raises StudyChanged unless the row's specification is the one that its hash was made of."""
    _require(study, changes_of(study, parts=()))


def require_unchanged(study: Study) -> None:
    """The same for the specification and the whole plan; reads every planned trial."""
    _require(study, changes_of(study))


def require_slot(study: Study, slot: Slot, plans: Sequence[TrialPlan]) -> None:
    """Raises StudyChanged unless the slot's plan is the one that was made; `plans` come from `plans_of`."""
    lines = [line(plan) for plan in plans]
    arms = {plan.condition.name: arm(plan.condition) for plan in plans}
    if PLAN in study.spec and slot_digest(slot.number, slot.list_name, lines, arms) != slot.plan_hash:
        _require(study, [f"slot {slot.number} is not as it was planned"])


def plans_of(slot: Slot) -> list[TrialPlan]:
    """The slot's planned trials in order, with all that a person in it meets; one query."""
    rows = slot.plans.select_related("condition__assistant", "question")
    return list(rows.defer("question__text", "question__options", "question__extra").order_by("position"))


def changes_of(study: Study, parts: Iterable[str] = tuple(CHANGED)) -> list[str]:
    """What was changed by hand, in words; empty when all is as it was made. One or two queries for each part."""
    if hash_of_json(study.spec) != study.spec_hash:
        return [SPECIFICATION]
    made: dict[str, str] = study.spec.get(PLAN, {})
    return [CHANGED[part] for part in parts if part in made and made[part] != _digest_now(study, part)]


def seal(study: Study) -> None:
    """Put the digests of the plan, as it was just written, into the study's specification."""
    of_slots = list(study.slots.order_by("number").values_list("plan_hash", flat=True))
    digests = {part: _digest_now(study, part) for part in CHANGED if part != "slots"}
    study.spec = {**study.spec, PLAN: {**digests, "slots": _digest(of_slots)}}
    study.spec_hash = hash_of_json(study.spec)
    study.save(update_fields=["spec", "spec_hash"])


def file_part(spec: Json) -> Json:
    """The specification without the digests of the plan: what the study file alone says."""
    return {name: table for name, table in spec.items() if name != PLAN}


def slot_digest(number: int, list_name: str, lines: Sequence[Line], arms: Mapping[str, Json]) -> str:
    """A slot with its planned trials in order, and the conditions of these (`arm`)."""
    return _digest([number, list_name, lines, {line[CONDITION]: arms[line[CONDITION]] for line in lines}])


def line(plan: TrialPlan) -> Line:
    """A planned trial as its slot's digest has it; its question and condition are loaded."""
    content, condition = plan.question.content_hash, plan.condition.name
    return (plan.position, plan.block, content, condition, plan.stance, plan.time_limit_seconds)


def arm(condition: Condition) -> Json:
    """All that a condition means to a person in it, its assistant included."""
    return {
        "assistance": condition.assistance,
        "assistant": _assistant(condition.assistant) if condition.assistant else None,
        "feedback": condition.feedback,
        "passage_after_reset": condition.passage_after_reset,
        "passage_first_turn": condition.passage_first_turn,
        "position": condition.position,
    }


def _require(study: Study, problems: list[str]) -> None:
    if problems:
        why = "; ".join(problems)
        raise StudyChanged(f"{study}: {why}. Somebody changed a row by hand; create the study again from its file.")


def _digest(value: Any) -> str:
    return hash_of_json({"value": value})


def _digest_now(study: Study, part: str) -> str:
    return _digest(_PARTS[part](study))


def _assistant(assistant: Assistant) -> Json:
    return {"name": assistant.name, "backend": assistant.backend, "options": assistant.options}


def _conditions(study: Study) -> Json:
    return {each.name: arm(each) for each in study.conditions.select_related("assistant")}


def _assistants(study: Study) -> list[Json]:
    return [_assistant(each) for each in study.assistants.order_by("name")]


def _questions(study: Study) -> list[Any]:
    """The sample in order. A key or a passage that was corrected in the bank is a change too: others met another."""
    fields = ("position", "source", "question__bank__name", "question__content_hash", "question__text")
    more = ("question__options", "question__key", "question__passage__text")
    rows = StudyQuestion.objects.filter(study=study).order_by("position").values_list(*fields, *more)
    return [[position, source, bank, content, _digest(texts)] for position, source, bank, content, *texts in rows]


def _stances(study: Study) -> list[Any]:
    rows = Stance.objects.filter(assistant__study=study)
    place = F("question__studyquestion__position")
    order = ("assistant__name", "place", "option")
    own = rows.filter(question__studyquestion__study=study).annotate(place=place)
    return list(own.order_by(*order).values_list(*order))


def _slots(study: Study) -> list[Any]:
    """The digest of every slot, computed from its rows."""
    arms = _conditions(study)
    fields = ("position", "block", "question__content_hash", "condition__name", "stance", "time_limit_seconds")
    rows = TrialPlan.objects.filter(slot__study=study).order_by("slot", "position")
    lines: dict[int, list[Line]] = {}
    for slot_id, *line in rows.values_list("slot", *fields).iterator(chunk_size=2_000):
        lines.setdefault(slot_id, []).append(tuple(line))
    slots = study.slots.order_by("number").values_list("pk", "number", "list_name")
    return [slot_digest(number, name, lines.get(slot_id, []), arms) for slot_id, number, name in slots]


_PARTS: dict[str, Callable[[Study], Any]] = {
    "conditions": _conditions,
    "assistants": _assistants,
    "questions": _questions,
    "stances": _stances,
    "slots": _slots,
}
