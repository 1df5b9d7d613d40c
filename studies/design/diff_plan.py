"""What follows from a changed study file for the plan: questions in and out of the sample, order, slots, stances."""

from __future__ import annotations

from dataclasses import dataclass

from studies.design.models import Stance, Study, StudyQuestion, TrialPlan
from studies.design.summary import METHODS


@dataclass(frozen=True)
class StanceDifference:
    """Of an assistant's stances that both versions have, how many argue for another option now."""

    assistant: str
    changed: int
    both: int
    per: str

    def sentence(self) -> str:
        argue = f"{self.changed or 'none'} argue for another option"
        return f"Stances of {self.assistant}, on the {self.per} that both versions have ({self.both}): {argue}."


@dataclass(frozen=True)
class PlanDifference:
    """Numbers of questions (of the sample), slots and stances in an earlier and a later version.

    `methods`: of assignment, by the study file's words; `not set` for a row that somebody changed so that it has none.
    """

    questions: tuple[int, int]
    came: int
    went: int
    slots: tuple[int, int]
    methods: tuple[str, str]
    stances: tuple[StanceDifference, ...]

    def sentences(self) -> list[str]:
        """What follows, for a page or a terminal."""
        before, after = self.questions
        if self.came or self.went:
            sample = f"Questions: {before} → {after}; {self.went} left the sample, {self.came} came in."
        else:
            sample = f"Questions: the same {after}."
        old, new = self.slots
        was, is_now = self.methods
        order = [f"Order: {was} → {is_now}. {METHODS.get(is_now, '')}".rstrip()] if was != is_now else []
        return [
            sample,
            *order,
            f"Slots: {old} → {new}." if old != new else f"Slots: {new}, as before.",
            *(each.sentence() for each in self.stances),
        ]


def plan_difference(before: Study, after: Study) -> PlanDifference:
    """Counted from the rows of both versions; six queries, and two more where stances are drawn for each trial."""
    old, new = _questions(before), _questions(after)
    return PlanDifference(
        questions=(len(old), len(new)),
        came=len(new - old),
        went=len(old - new),
        slots=(before.slots.count(), after.slots.count()),
        methods=(_method(before), _method(after)),
        stances=_stances(before, after),
    )


def _questions(study: Study) -> set[int]:
    return set(StudyQuestion.objects.filter(study=study).values_list("question_id", flat=True))


def _method(study: Study) -> str:
    """Not from `spec_of`, which refuses a row that was changed by hand: the differences are shown all the same."""
    return str(study.spec.get("assignment", {}).get("method", "not set"))


def _stances(before: Study, after: Study) -> tuple[StanceDifference, ...]:
    by_question = _compared(_of_questions(before), _of_questions(after), "questions")
    found = {each.assistant for each in by_question}
    of_trials = _compared(_of_trials(before), _of_trials(after), "planned trials")
    return (*by_question, *(each for each in of_trials if each.assistant not in found))


Stances = dict[str, dict[tuple[int, ...], int]]  # assistant → what the stance is for → option


def _of_questions(study: Study) -> Stances:
    stances: Stances = {}
    rows = Stance.objects.filter(assistant__study=study).values_list("assistant__name", "question_id", "option")
    for assistant, question, option in rows:
        stances.setdefault(assistant, {})[(question,)] = option
    return stances


def _of_trials(study: Study) -> Stances:
    stances: Stances = {}
    rows = TrialPlan.objects.filter(slot__study=study, stance__isnull=False)
    fields = ("condition__assistant__name", "slot__number", "question_id", "stance")
    for assistant, slot, question, option in rows.values_list(*fields):
        stances.setdefault(assistant, {})[(slot, question)] = option
    return stances


def _compared(before: Stances, after: Stances, per: str) -> list[StanceDifference]:
    differences = []
    for assistant in sorted(before.keys() & after.keys()):
        old, new = before[assistant], after[assistant]
        both = old.keys() & new.keys()
        changed = sum(old[each] != new[each] for each in both)
        differences.append(StanceDifference(assistant, changed, len(both), per))
    return differences
