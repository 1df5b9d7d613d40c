"""Make a study from its file, launch it, close it, and give its slots to people, each of them once."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Exists, F

from studies.design.blueprint import make_blueprint
from studies.design.frozen import file_part, require_unchanged, seal
from studies.design.models import Slot, Study
from studies.design.overrides import Deviation, Overrides
from studies.design.pool import sample
from studies.design.problems import DesignError
from studies.design.spec import Spec
from studies.design.spec_json import hash_of_json, spec_to_json
from studies.design.spec_read import read_with_deviations
from studies.design.write_plan import write_plan

_CODE_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none of them looks like another: people read codes aloud
_CODE_LENGTH = 12  # 31 ** 12 is more than 2 ** 59


class StudyNotOpen(DesignError):
    code = "study_not_open"


class StudyFull(DesignError):
    code = "study_full"


class SlotTaken(StudyFull):
    """The slot that was asked for by number is taken, or there is none of that number."""

    code = "slot_taken"


class WrongState(DesignError):
    """A study is launched once, from draft, and closed once, from open."""

    code = "wrong_state"


def create_study(*, spec_text: str, overrides: Overrides = (), now: datetime) -> Study:
    """Make the study of a study file, as a draft: conditions, assistants, sample, stances, slots and plans.

    When the newest version of that name is a draft of exactly this file and these overrides, it is returned as it is
    and nothing is written. Otherwise a version with the next number is made; earlier ones, drafts too, stay untouched.
    Raises SpecError for the file and CannotSample for banks that are too small.
    """
    spec, deviations = read_with_deviations(spec_text, overrides)
    made_of = (hash_of_json(spec_to_json(spec)), spec_text, deviations)
    while True:
        last = Study.objects.filter(name=spec.study.name).order_by("-version").first()
        if last is not None and last.state == Study.State.DRAFT and _made_of(last) == made_of:
            return last
        version = last.version + 1 if last else 1
        try:
            return _write(spec, version=version, spec_text=spec_text, deviations=deviations, now=now)
        except IntegrityError:  # did somebody make that version at the same moment?
            if not Study.objects.filter(name=spec.study.name, version=version).exists():
                raise


@transaction.atomic
def _write(spec: Spec, *, version: int, spec_text: str, deviations: list[Deviation], now: datetime) -> Study:
    plan = make_blueprint(spec, sample(spec))
    stored = spec_to_json(spec)
    study = Study.objects.create(
        name=spec.study.name,
        version=version,
        title=spec.study.title,
        join_code="".join(secrets.choice(_CODE_LETTERS) for _ in range(_CODE_LENGTH)),
        spec=stored,
        spec_text=spec_text,
        spec_hash=hash_of_json(stored),
        deviations=deviations,
        seed=spec.study.seed,
        created_at=now,
    )
    write_plan(study=study, spec=spec, plan=plan)
    seal(study)
    return study


def _made_of(study: Study) -> tuple[str, str, list[Deviation]]:
    return hash_of_json(file_part(study.spec)), study.spec_text, study.deviations


@transaction.atomic
def launch_study(*, study_id: int, now: datetime) -> Study:
    """Open a draft for participants. From here on it is frozen. Raises WrongState and StudyChanged."""
    study = Study.objects.select_for_update().get(pk=study_id)
    if study.state == Study.State.DRAFT:
        require_unchanged(study)
    return _move(study, Study.State.DRAFT, Study.State.OPEN, "launched", "launched_at", now)


@transaction.atomic
def close_study(*, study_id: int, now: datetime) -> Study:
    """End taking participants. Who is in the middle may finish. Raises WrongState."""
    study = Study.objects.select_for_update().get(pk=study_id)
    return _move(study, Study.State.OPEN, Study.State.CLOSED, "closed", "closed_at", now)


def _move(study: Study, before: str, after: str, word: str, field: str, now: datetime) -> Study:
    if study.state != before:
        raise WrongState(f"{study} is {study.state}; only a study that is {before} can be {word}.")
    study.state = after
    setattr(study, field, now)
    study.save(update_fields=["state", field])
    return study


def take_slot(*, study: Study, number: int | None = None) -> Slot:
    """Take the lowest free slot, or the one of that number, and count the attempt.

    Compare-and-set in one statement, which also looks at the study's state: two people never get one slot, and nobody
    gets one after closing. Raises StudyNotOpen, StudyFull and (with a number) SlotTaken.
    """
    free = Slot.objects.filter(study=study, is_taken=False)
    is_open = Exists(Study.objects.filter(pk=study.pk, state=Study.State.OPEN))
    wanted = free if number is None else free.filter(number=number)
    while True:
        state = Study.objects.values_list("state", flat=True).get(pk=study.pk)
        if state != Study.State.OPEN:
            raise StudyNotOpen(f"{study} is {state}; people can join while it is open.")
        slot_id = wanted.order_by("number").values_list("pk", flat=True).first()
        if slot_id is None:
            raise _no_slot(study, number)
        # No join here: Django would put all of it into a subquery, and PostgreSQL looks at a row that somebody else has
        # just changed again only through the outer WHERE, where is_taken must therefore stand.
        if free.filter(is_open, pk=slot_id).update(is_taken=True, attempts=F("attempts") + 1):
            return Slot.objects.get(pk=slot_id)


def _no_slot(study: Study, number: int | None) -> StudyFull:
    if number is None:
        return StudyFull(f"{study}: all {study.slots.count()} slots are taken.")
    is_there = study.slots.filter(number=number).exists()
    why = "is taken" if is_there else f"does not exist; there are 1 to {study.slots.count()}"
    return SlotTaken(f"{study}: slot {number} {why}.")


def give_back_slot(*, slot_id: int) -> bool:
    """Free a taken slot for another attempt; False when it was free already. The data of its people stay."""
    return bool(Slot.objects.filter(pk=slot_id, is_taken=True).update(is_taken=False))
