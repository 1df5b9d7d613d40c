"""A session's own life: join, begin, finish, withdraw, and the events that the browser reports."""

import hashlib
import secrets
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from studies.design import access as design
from studies.design import operations as design_operations
from studies.design.models import Study
from studies.runtime import snapshot
from studies.runtime.access import current_trial, token_hash, token_of
from studies.runtime.change import change
from studies.runtime.models import Participant, ParticipantIdentity, ParticipantSession, Reply, Trial
from studies.runtime.operations import close_if_due, require_active
from studies.runtime.rules import Refusal

REPORTED = {"focus", "blur", "copy", "paste", "instructions", "reconnect", "offline"}
Stage, State = ParticipantSession.Stage, ParticipantSession.State


def consent_version(study: Study) -> str:
    """Which text was agreed to: the first 16 hex digits of its sha256."""
    return hashlib.sha256(design.spec_of(study).texts.consent.encode()).hexdigest()[:16]


def join(
    *,
    study: Study,
    now: datetime,
    kind: str = Participant.Kind.PERSON,
    entry: tuple[str, str] | None = None,
    slot_number: int | None = None,
) -> tuple[ParticipantSession, str]:
    """Take a slot after consent. Returns the session and its token, which only the person's cookie holds.

    `entry` is (source, id) from a recruitment platform: the same id comes back to the same session.
    Raises the design's StudyFull and StudyNotOpen.
    """
    try:
        return _join(study=study, now=now, kind=kind, entry=entry, slot_number=slot_number)
    except IntegrityError:
        if entry is None:
            raise
        return _join(study=study, now=now, kind=kind, entry=entry, slot_number=slot_number)  # the other tab was first


@transaction.atomic
def _join(
    *, study: Study, now: datetime, kind: str, entry: tuple[str, str] | None, slot_number: int | None
) -> tuple[ParticipantSession, str]:
    known = session_of_entry(study=study, entry=entry) if entry else None
    if known is not None:
        return known, token_of(known.token_nonce)
    nonce = secrets.token_hex(32)
    token = token_of(nonce)
    slot = design_operations.take_slot(study=study, number=slot_number)
    participant = Participant.objects.create(study=study, pseudonym=secrets.token_hex(6), kind=kind, created_at=now)
    if entry is not None:
        ParticipantIdentity.objects.create(study=study, participant=participant, source=entry[0], entry_id=entry[1])
    session = ParticipantSession.objects.create(
        study=study,
        participant=participant,
        slot=slot,
        attempt=slot.attempts,
        token_nonce=nonce,
        token_hash=token_hash(token),
        spec_hash=study.spec_hash,
        consent_version=consent_version(study),
        consented_at=now,
        last_seen_at=now,
    )
    Trial.objects.bulk_create(
        Trial(
            session=session,
            position=plan.position,
            block=plan.block,
            question_id=plan.question_id,
            condition=plan.condition,
            assistant_id=plan.condition.assistant_id,
            stance=plan.stance,
            time_limit_seconds=plan.time_limit_seconds,
        )
        for plan in slot.plans.select_related("condition").order_by("position")
    )
    with change(session_id=session.pk, now=now) as made:
        made.event("consent", version=session.consent_version, slot=slot.number)
        return made.session, token


def session_of_entry(*, study: Study, entry: tuple[str, str]) -> ParticipantSession | None:
    """The session of somebody who came before with the same id from the same platform."""
    return (
        ParticipantSession.objects.select_related("study", "participant", "slot")
        .filter(study=study, participant__identity__source=entry[0], participant__identity__entry_id=entry[1])
        .order_by("-pk")
        .first()
    )


def begin(*, session_id: int, now: datetime) -> None:
    """Leave the instructions for the questions. No clock starts."""
    with change(session_id=session_id, now=now) as made:
        session = made.session
        require_active(session)
        if session.stage != Stage.INSTRUCTIONS:
            return
        session.stage, session.started_at = Stage.TRIALS, now
        session.save(update_fields=["stage", "started_at"])
        made.event("begin")
        made.show("page", snapshot.page(session, None))


def finish(*, session_id: int, now: datetime) -> None:
    """End the session after its last trial and give it a completion code."""
    close_if_due(session_id=session_id, now=now)
    with change(session_id=session_id, now=now) as made:
        session = made.session
        if session.stage == Stage.DEBRIEF:
            return
        require_active(session)
        if session.trials.filter(state__in=[Trial.State.PLANNED, Trial.State.OPEN]).exists():
            raise Refusal("questions_left")
        session.stage, session.state, session.finished_at = Stage.DEBRIEF, State.COMPLETED, now
        session.completion_code = secrets.token_hex(4).upper()
        session.save(update_fields=["stage", "state", "finished_at", "completion_code"])
        made.event("finish")
        made.show("page", snapshot.page(session, current_trial(session)))


def withdraw(*, session_id: int, now: datetime) -> None:
    """The person stops and asks that nothing of theirs is used. Possible at every point, also after the end."""
    with change(session_id=session_id, now=now) as made:
        session = made.session
        if session.state == State.WITHDRAWN:
            return
        is_active = session.state == State.ACTIVE
        session.state, session.finished_at = State.WITHDRAWN, now
        session.save(update_fields=["state", "finished_at"])
        Reply.objects.filter(message__trial__session=session, state__in=["queued", "streaming"]).update(
            is_stop_asked=True
        )
        if is_active:
            design_operations.give_back_slot(slot_id=session.slot_id)
        made.event("withdraw")
        made.show("page", snapshot.page(session, current_trial(session)))


def report(
    *, session_id: int, kind: str, counts: dict[str, int], now: datetime, client_at: datetime | None = None
) -> None:
    """Log what the browser noticed (REPORTED): kinds and counts, never content."""
    if kind not in REPORTED:
        raise ValueError(f"event kind {kind!r}: use one of {', '.join(sorted(REPORTED))}")
    with change(session_id=session_id, now=now) as made:
        require_active(made.session)
        made.event(kind, trial=current_trial(made.session), client_at=client_at, counts=_only_numbers(counts))


def _only_numbers(counts: dict[str, int]) -> dict[str, Any]:
    return {str(key)[:20]: int(value) for key, value in list(counts.items())[:5]}
