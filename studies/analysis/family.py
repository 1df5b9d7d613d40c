"""The contrasts that are adjusted together, as a preregistration and study.json name them.

diff.hm_minus_human                       human+model minus human, in the study's primary form
diff.hm_minus_model: careful              of one arm
diff.hm_minus_human: careful - hurried    between an arm with the assistant and one without; `human+model` or
                                          `human` in place of an arm is the whole condition
"""

from collections.abc import Iterable
from dataclasses import dataclass

from studies.analysis.schema import HUMAN, HUMAN_MODEL, MODEL

TWO_ARMS = "diff.hm_minus_human"
SIDES = {
    TWO_ARMS: (HUMAN_MODEL, HUMAN),
    "diff.hm_minus_model": (HUMAN_MODEL, MODEL),
    "diff.human_minus_model": (HUMAN, MODEL),
}
PLANNED = (TWO_ARMS, "diff.hm_minus_model")  # Holm over both; the first in the primary form
ALLOWED = f"{', '.join(SIDES)}, alone or with arms (ID: ARM, {TWO_ARMS}: ARM - ARM WITHOUT THE MODEL)"


@dataclass(frozen=True)
class Contrast:
    """One member: an id without its form, the arm ("" for the whole condition) and what it is compared with."""

    id: str
    arm: str
    baseline: str

    def __str__(self) -> str:
        condition, whole = SIDES[self.id]
        pair = "" if self.baseline == whole else f" - {self.baseline}"
        return f"{self.id}: {self.arm or condition}{pair}" if self.arm or pair else self.id

    def id_in(self, primary: str) -> str:
        """The registry's id, in the study's primary form where there are several."""
        return f"{self.id}.{primary}" if self.id == TWO_ARMS else self.id


def parse(text: str) -> Contrast:
    """One named contrast. Raises ValueError that names it and what is allowed."""
    id, has_arms, arms = (part.strip() for part in text.partition(":"))
    arm, is_pair, other = (part.strip() for part in f" {arms} ".partition(" - "))
    is_whole = bool(has_arms) == bool(arm) and bool(is_pair) == bool(other)
    if id not in SIDES or not is_whole or (other and id != TWO_ARMS):
        raise ValueError(f"{text!r} is no contrast: use {ALLOWED}")
    condition, whole = SIDES[id]
    return Contrast(id, "" if arm == condition else arm, other or whole)


def of_study(texts: Iterable[str], arms: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The names as the analysis finds them. arms: (condition, arm) of the study; an only arm is its condition.

    Raises ValueError for a contrast that is named twice, and for an arm that the study does not have.
    """
    known: dict[str, set[str]] = {HUMAN: set(), HUMAN_MODEL: set()}
    for condition, arm in arms:
        known[condition].add(arm)

    def found(condition: str, arm: str, text: str) -> str:
        names = known[condition]
        if arm and arm not in names:
            raise ValueError(f"{text!r}: {arm!r} is no arm of {condition}; use {', '.join(sorted(names)) or 'none'}")
        return "" if len(names) == 1 else arm

    family: list[str] = []
    for text in texts:
        each = parse(text)
        condition, whole = SIDES[each.id]
        other = "" if each.baseline == whole else found(HUMAN, each.baseline, text)
        name = str(Contrast(each.id, found(condition, each.arm, text), other or whole))
        if name in family:
            raise ValueError(f"{text!r} is named twice")
        family.append(name)
    return tuple(family)
