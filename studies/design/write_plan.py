"""A blueprint → rows: assistants, conditions, manifest, stances, slots and their planned trials."""

from __future__ import annotations

from typing import Any

from studies.design.blueprint import Blueprint
from studies.design.frozen import Line, arm, slot_digest
from studies.design.keys import key_of, keys_of
from studies.design.models import Assistant, Condition, Slot, Stance, Study, StudyQuestion, TrialPlan
from studies.design.spec import AssistantTable, Spec
from studies.design.spec_json import spec_to_json


def write_plan(*, study: Study, spec: Spec, plan: Blueprint) -> None:
    """Write everything that hangs on the study's row; call it in the transaction that made the row."""
    assistants = {table.name: _assistant(study, table) for table in spec.assistants}
    options = {each["name"]: each for each in spec_to_json(spec)["assistants"]}
    for table in spec.assistants:
        assistants[table.name].options = {key: options[table.name][key] for key in _known_keys(table)}
    Assistant.objects.bulk_create(assistants.values())
    conditions = {
        table.name: Condition(
            study=study,
            name=table.name,
            position=position,
            assistance=table.assistance,
            assistant=assistants.get(table.assistant),
            feedback=table.feedback,
            passage_first_turn=table.passage_first_turn,
            passage_after_reset=table.passage_after_reset,
        )
        for position, table in enumerate(spec.conditions, start=1)
    }
    Condition.objects.bulk_create(conditions.values())
    StudyQuestion.objects.bulk_create(
        StudyQuestion(study=study, question_id=drawn.candidate.question_id, position=position, source=drawn.source)
        for position, drawn in enumerate(plan.manifest, start=1)
    )
    Stance.objects.bulk_create(
        Stance(assistant=assistants[name], question_id=question, option=option)
        for name, stances in plan.stances.items()
        for question, option in stances.items()
    )
    _write_slots(study, spec, plan, conditions)


def _write_slots(study: Study, spec: Spec, plan: Blueprint, conditions: dict[str, Condition]) -> None:
    limits = {source.name: source.time_limit_seconds or None for source in spec.questions}
    limit_of = {drawn.candidate.question_id: limits[drawn.source] for drawn in plan.manifest}
    content_of = {drawn.candidate.question_id: drawn.candidate.content for drawn in plan.manifest}
    arms = {name: arm(condition) for name, condition in conditions.items()}
    slots: list[Slot] = []
    trials: list[TrialPlan] = []
    for planned in plan.slots:
        slot = Slot(study=study, number=planned.number, list_name=planned.list_name)
        lines: list[Line] = []
        for trial in planned.trials:
            stance = plan.trial_stances.get((planned.number, trial.question_id))
            limit, content = limit_of[trial.question_id], content_of[trial.question_id]
            lines.append((trial.position, trial.block, content, trial.condition, stance, limit))
            trials.append(
                TrialPlan(
                    slot=slot,
                    position=trial.position,
                    block=trial.block,
                    question_id=trial.question_id,
                    condition=conditions[trial.condition],
                    stance=stance,
                    time_limit_seconds=limit,
                )
            )
        slot.plan_hash = slot_digest(slot.number, slot.list_name, lines, arms)
        slots.append(slot)
    Slot.objects.bulk_create(slots)
    for trial_plan in trials:
        trial_plan.slot_id = trial_plan.slot.pk
    TrialPlan.objects.bulk_create(trials, batch_size=2_000)


def _assistant(study: Study, table: AssistantTable) -> Assistant:
    return Assistant(study=study, name=table.name, backend=table.backend)


def _known_keys(table: AssistantTable) -> list[str]:
    """The keys that mean something to the assistant's backend."""
    keys: dict[str, Any] = keys_of(AssistantTable)
    return [
        name
        for name, each in keys.items()
        if name != "backend" and (table.backend in (key_of(each).only or (table.backend,)))
    ]
