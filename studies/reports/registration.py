"""Preregistration: written from the study as it stands, locked before its launch, and never changed."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from studies.analysis import code, family, preregistration
from studies.analysis.schema import HUMAN, HUMAN_MODEL
from studies.design.access import spec_of
from studies.design.assignment import ROTATING
from studies.design.frozen import require_unchanged
from studies.design.models import Study
from studies.design.spec import Spec
from studies.reports.models import Preregistration
from studies.runtime.exclusions import REASON_MAX

LEAST_ALPHA, MOST_ALPHA = 0.0001, 0.5
MOST_LOOKS, LONGEST_RULE = 10, REASON_MAX  # a rule is the reason of the exclusions that follow it
SUBJECTS = ("exploratory", "confirmatory")
TIMEOUTS = "unanswered trials count as wrong; without them as a second analysis"


class CannotRegister(Exception):
    """A preregistration that is refused; the text says why, and what is allowed."""


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What the study file does not say. looks: information fractions, the last one 1. family: see analysis.family."""

    margin: float | None = None
    exclusions: tuple[str, ...] = ()
    subjects: str = "exploratory"
    alpha: float = 0.05
    looks: tuple[float, ...] = (1.0,)
    max_information: float | None = None
    people: int | None = None
    family: tuple[str, ...] = family.PLANNED


@transaction.atomic
def preregister(*, study: Study, choices: Choices, by: User | None, now: datetime) -> Preregistration:
    """Write and lock it. Raises CannotRegister after the launch, a second time, and for choices that do not fit;
    StudyChanged where the stored study is not the one that was made."""
    locked = Study.objects.select_for_update().get(pk=study.pk)
    if locked.state != Study.State.DRAFT:
        raise CannotRegister(f"{locked} is {locked.state}: only a draft can be preregistered. Make a new version.")
    if Preregistration.objects.filter(study=locked).exists():
        raise CannotRegister(f"{locked} has a preregistration, and it stays. A changed study file makes a new version.")
    _require(choices, slots=locked.slots.count())
    require_unchanged(locked)
    content = text_of(written(locked, choices, now=now))
    digest = hashlib.sha256(content.encode()).hexdigest()
    try:
        with transaction.atomic():
            return Preregistration.objects.create(study=locked, by=by, locked_at=now, content=content, sha256=digest)
    except IntegrityError as error:
        raise CannotRegister(f"{locked} has just been preregistered by somebody else.") from error


def written(study: Study, choices: Choices, *, now: datetime) -> preregistration.Preregistration:
    """The preregistration of a study as it stands; locks nothing."""
    spec = spec_of(study)
    return preregistration.Preregistration(
        study=study.name,
        version=study.version,
        title=study.title,
        spec_hash=study.spec_hash,
        primary=primary_form(spec),
        baseline_protocol=spec.analysis.primary_baseline,
        family=_family(choices, spec),
        subjects=choices.subjects,
        alpha=choices.alpha,
        margin=choices.margin,
        exclusions=tuple(rule.strip() for rule in choices.exclusions),
        timeouts=TIMEOUTS,
        looks=choices.looks,
        max_information=choices.max_information,
        people=choices.people or study.slots.count(),
        seed=study.seed,
        code_sha256=code.digest(),
        locked_at=now.isoformat(timespec="seconds"),
    )


def text_of(plan: preregistration.Preregistration) -> str:
    """The file's text: JSON in the order of its keys' meaning."""
    return json.dumps(plan.to_json(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def registered(study: Study) -> Preregistration | None:
    """The study's preregistration; one query."""
    return Preregistration.objects.filter(study=study).first()


def changes_of(locked: Preregistration | None) -> list[str]:
    """Whether somebody changed the row's text, in words."""
    if locked is None or hashlib.sha256(locked.content.encode()).hexdigest() == locked.sha256:
        return []
    return ["the preregistration's text was changed"]


def settings_of(locked: Preregistration | None) -> dict[str, Any]:
    """The keys of study.json that the analysis takes from it; none without one."""
    if locked is None:
        return {}
    plan = preregistration.from_json(json.loads(locked.content))
    return {
        "subjects": plan.subjects,
        "margin": plan.margin,
        "family": list(plan.family),
        "alpha": plan.alpha,
        "planned_looks": list(plan.looks) if len(plan.looks) > 1 else [],
        "max_information": plan.max_information,
        "preregistration": {"sha256": locked.sha256, "locked_at": locked.locked_at.isoformat()},
    }


def registered_rules(study: Study) -> frozenset[str]:
    """The exclusion rules that were registered; one query."""
    locked = registered(study)
    return frozenset(rules_of(locked)) if locked else frozenset()


def rules_of(locked: Preregistration) -> tuple[str, ...]:
    """The exclusion rules of a preregistration, as they were written."""
    return preregistration.from_json(json.loads(locked.content)).exclusions


def primary_form(spec: Spec) -> str:
    """Fixed by the design, never by the data: within-question differences where everything is met in each condition."""
    return "question_weighted" if spec.assignment.method in ROTATING else "micro"


def _family(choices: Choices, spec: Spec) -> tuple[str, ...]:
    """The contrasts by the names that the analysis uses. Raises CannotRegister for one that the study does not have."""
    arms = [(HUMAN if each.assistance == "none" else HUMAN_MODEL, each.name) for each in spec.conditions]
    try:
        return family.of_study(choices.family, arms)
    except ValueError as error:
        raise CannotRegister(f"Contrast {error}.") from None


def _require(choices: Choices, *, slots: int) -> None:
    looks = choices.looks
    rising = all(early < late for early, late in zip((0.0, *looks), looks, strict=False))
    refusals = [
        (choices.margin is not None and not 0 < choices.margin < 1,
         f"margin {choices.margin:g}: use a share above 0 and below 1, such as 0.05" if choices.margin else
         "margin 0: use a share above 0 and below 1, such as 0.05"),
        (not LEAST_ALPHA <= choices.alpha <= MOST_ALPHA,
         f"alpha {choices.alpha:g}: use a number from {LEAST_ALPHA:g} to {MOST_ALPHA:g}"),
        (choices.subjects not in SUBJECTS, f"subjects {choices.subjects!r}: use {' or '.join(SUBJECTS)}"),
        (not rising or not looks or looks[-1] != 1 or len(looks) > MOST_LOOKS,
         f"looks {', '.join(f'{each:g}' for each in looks)}: use at most {MOST_LOOKS} rising fractions of the"
         " information that end with 1, such as 0.5,1"),
        (len(looks) > 1 and choices.max_information is None,
         "looks need the information at the end (1/SE²): plan_power with --looks prints what it expects"),
        (choices.max_information is not None and not 0 < choices.max_information < 1e12,
         f"information {choices.max_information}: use a number above 0"),
        (choices.people is not None and not 0 < choices.people <= slots,
         f"people {choices.people}: use a whole number from 1 to {slots}, the number of slots"),
        (not choices.family, f"no contrast: use {family.ALLOWED}"),
        (any(not rule.strip() or len(rule) > LONGEST_RULE for rule in choices.exclusions),
         f"exclusions: use rules of 1 to {LONGEST_RULE} characters"),
    ]  # fmt: skip
    problems = [words for is_wrong, words in refusals if is_wrong]
    if problems:
        raise CannotRegister(". ".join(f"{words[0].upper()}{words[1:]}" for words in problems) + ".")
