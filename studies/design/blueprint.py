"""Everything that a study plans before anybody comes, in one value: pure, and the same for the same seed and sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from studies.design.assignment import Item, SlotPlan, plan_slots, split_into_groups
from studies.design.problems import Problem, SpecError, nearest
from studies.design.sampling import Drawn
from studies.design.spec import AssistantTable, Spec
from studies.design.spec_rules import is_controlled
from studies.design.stance import Arguable, draw_stances
from studies.design.streams import stream


@dataclass(frozen=True)
class Blueprint:
    """The manifest, the slots' plans, and the stances of controlled assistants.

    `stances`: assistant → question → option, for assistants with one stance per question. `trial_stances`: (slot,
    question) → option, for every planned trial with a controlled assistant.
    """

    manifest: tuple[Drawn, ...]
    slots: tuple[SlotPlan, ...]
    stances: dict[str, dict[int, int]]
    trial_stances: dict[tuple[int, int], int]


def make_blueprint(spec: Spec, manifest: Sequence[Drawn]) -> Blueprint:
    """Deal the questions to the conditions, plan every slot, draw every stance.

    Raises SpecError for an `accuracy_by_subject` that names a subject without a question in the manifest.
    """
    _require_subjects(spec, manifest)
    seed = spec.study.seed
    items = [Item(each.candidate.question_id, each.source, each.stratum) for each in manifest]
    groups = split_into_groups(items, len(spec.conditions), stream(seed, "groups"))
    slots = plan_slots(
        groups=groups,
        conditions=[condition.name for condition in spec.conditions],
        slots=spec.study.slots,
        method=spec.assignment.method,
        seed=seed,
    )
    group_of = {item.question_id: number for number, group in enumerate(groups) for item in group}
    stances: dict[str, dict[int, int]] = {}
    trial_stances: dict[tuple[int, int], int] = {}
    for assistant in spec.assistants:
        if not is_controlled(assistant):
            continue
        trials = _assisted(spec, assistant, slots)
        if assistant.stance_per == "trial":
            trial_stances |= dict(zip(trials, _draw(spec, assistant, manifest, trials), strict=True))
        else:
            meant = [(group_of[each.candidate.question_id], each.candidate.question_id) for each in manifest]
            drawn = _draw(spec, assistant, manifest, meant)
            own = {question: option for (_, question), option in zip(meant, drawn, strict=True)}
            stances[assistant.name] = own
            trial_stances |= {(slot, question): own[question] for slot, question in trials}
    return Blueprint(tuple(manifest), tuple(slots), stances, trial_stances)


def _assisted(spec: Spec, assistant: AssistantTable, slots: Sequence[SlotPlan]) -> list[tuple[int, int]]:
    """(slot, question) of every planned trial with this assistant."""
    own = {condition.name for condition in spec.conditions if condition.assistant == assistant.name}
    return [(slot.number, trial.question_id) for slot in slots for trial in slot.trials if trial.condition in own]


def _draw(
    spec: Spec, assistant: AssistantTable, manifest: Sequence[Drawn], wanted: Sequence[tuple[int, int]]
) -> list[int]:
    """A stance for each (spread over, question)."""
    by_id = {each.candidate.question_id: each.candidate for each in manifest}
    return draw_stances(
        items=[
            Arguable(by_id[question].subject, by_id[question].option_count, by_id[question].key, spread)
            for spread, question in wanted
        ],
        accuracy=assistant.accuracy or 0.0,
        accuracy_by_subject=assistant.accuracy_by_subject,
        random=stream(spec.study.seed, "stance", assistant.name),
    )


def _require_subjects(spec: Spec, manifest: Sequence[Drawn]) -> None:
    there = sorted({each.candidate.subject for each in manifest})
    problems = [
        Problem(
            f"assistants.{assistant.name}.accuracy_by_subject.{subject}",
            f"={share}: the study has no question of this subject. {nearest(subject, there)}",
        )
        for assistant in spec.assistants
        for subject, share in assistant.accuracy_by_subject.items()
        if subject not in there
    ]
    if problems:
        raise SpecError(problems)
