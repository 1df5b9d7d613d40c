"""A session's own life: join, begin, finish, withdraw, and the events that the browser reports."""

import hashlib
import secrets
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from studies.design import access as design
from studies.design import frozen
from studies.design import operations as design_operations
from studies.design.models import Study, TrialPlan
from studies.runtime import events, pauses, snapshot
from studies.runtime.access import current_trial, spec_of, token_hash, token_of
from studies.runtime.change import Change, change
from studies.runtime.models import Participant, ParticipantIdentity, ParticipantSession, Reply, Trial
from studies.runtime.operations import close_if_due, require_active
from studies.runtime.rules import Refusal

REPORTED = {"focus", "blur", "copy", "paste", "instructions", "reconnect", "offline"}
CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # no digits: spreadsheet programs take 1234E567 for a number; no vowels: no words
CODE_LENGTH = 8
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
    join_key: UUID | None = None,
) -> tuple[ParticipantSession, str]:
    """Take a slot after consent. Returns the session and its token, which only the person's cookie holds.

    `entry` is (source, id) from a recruitment platform: the same id comes back to the same session. `join_key` is the
    consent form's own: a form that is sent twice takes one slot (with an entry id, the id itself sees to that).
    Raises the design's StudyFull and StudyNotOpen, StudyPaused, and StudyChanged: what a person would meet must be what
    was launched.
    """
    asked: dict[str, Any] = {"study": study, "entry": entry, "join_key": join_key if entry is None else None}
    known = _known(**asked)
    if known is None:
        if pauses.is_study_paused(study):
            raise pauses.StudyPaused(f"{study} is paused; people can join when it goes on.")
        try:
            return _join(**asked, now=now, kind=kind, slot_number=slot_number)
        except IntegrityError:
            known = _known(**asked)  # the other tab, or the other click, was first
            if known is None:
                raise
    return known, returning_token(known)


def returning_token(session: ParticipantSession) -> str:
    """The token for somebody who came back by their own link; the row follows a SECRET_KEY that was changed since."""
    token = token_of(session.token_nonce)
    if session.token_hash != token_hash(token):
        ParticipantSession.objects.filter(pk=session.pk).update(token_hash=token_hash(token))
    return token


def _known(*, study: Study, entry: tuple[str, str] | None, join_key: UUID | None) -> ParticipantSession | None:
    if entry is not None:
        return session_of_entry(study=study, entry=entry)
    if join_key is not None:
        return ParticipantSession.objects.filter(study=study, join_key=join_key).first()
    return None


@transaction.atomic
def _join(
    *,
    study: Study,
    now: datetime,
    kind: str,
    entry: tuple[str, str] | None,
    slot_number: int | None,
    join_key: UUID | None,
) -> tuple[ParticipantSession, str]:
    nonce = secrets.token_hex(32)
    token = token_of(nonce)
    frozen.require_specification(study)
    slot = design_operations.take_slot(study=study, number=slot_number)
    plans = frozen.plans_of(slot)
    frozen.require_slot(study, slot, plans)
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
        join_key=join_key,
        last_seen_at=now,
        head=events.origin(spec_hash=study.spec_hash, pseudonym=participant.pseudonym),
    )
    Trial.objects.bulk_create(trial_of(session, plan) for plan in plans)
    with change(session_id=session.pk, now=now) as made:
        made.event("consent", version=session.consent_version, slot=slot.number)
        return made.session, token


def trial_of(session: ParticipantSession, plan: TrialPlan) -> Trial:
    """The planned trial as the person meets it; not saved."""
    return Trial(
        session=session,
        position=plan.position,
        block=plan.block,
        question=plan.question,
        condition=plan.condition,
        assistant_id=plan.condition.assistant_id,
        stance=plan.stance,
        time_limit_seconds=plan.time_limit_seconds,
    )


def session_of_entry(*, study: Study, entry: tuple[str, str]) -> ParticipantSession | None:
    """The session of somebody who came before with the same id from the same platform."""
    return (
        ParticipantSession.objects.select_related("study", "participant", "slot")
        .filter(study=study, participant__identity__source=entry[0], participant__identity__entry_id=entry[1])
        .order_by("-pk")
        .first()
    )


def is_somebody_else(*, session: ParticipantSession, entry: tuple[str, str] | None) -> bool:
    """Whether a link's id is another person's than the one whose session the browser has: two share a computer.

    A link without an id, and a session without one, are the browser's own person's.
    """
    if entry is None:
        return False
    theirs = ParticipantIdentity.objects.filter(participant=session.participant_id).first()
    return theirs is not None and (theirs.source, theirs.entry_id) != entry


def begin(*, session_id: int, now: datetime) -> None:
    """Leave the instructions, for the check questions where the study has some. No clock starts."""
    with change(session_id=session_id, now=now) as made:
        session = made.session
        if session.stage != Stage.INSTRUCTIONS:
            return
        require_active(session)
        if not spec_of(session).checks:
            start_trials(made)
            return
        session.stage = Stage.CHECK
        session.save(update_fields=["stage"])
        made.event("instructions_read")
        made.show("page", snapshot.page(session, None))


def start_trials(made: Change) -> None:
    """Go on to the study's own questions."""
    session = made.session
    session.stage, session.started_at = Stage.TRIALS, made.now
    session.save(update_fields=["stage", "started_at"])
    made.event("begin")
    made.show("page", snapshot.page(session, None))


def finish(*, session_id: int, now: datetime) -> None:
    """After the last trial: show the survey where the study has one, otherwise end the session."""
    close_if_due(session_id=session_id, now=now)
    with change(session_id=session_id, now=now) as made:
        session = made.session
        if session.stage in (Stage.SURVEY, Stage.DEBRIEF):
            return
        require_active(session)
        if session.trials.filter(state__in=[Trial.State.PLANNED, Trial.State.OPEN]).exists():
            raise Refusal("questions_left")
        if not spec_of(session).survey:
            end(made)
            return
        session.stage = Stage.SURVEY
        session.save(update_fields=["stage"])
        made.event("survey_shown")
        made.show("page", snapshot.page(session, current_trial(session)))


def end(made: Change) -> None:
    """Complete the session and give it a completion code."""
    session = made.session
    session.stage, session.state, session.finished_at = Stage.DEBRIEF, State.COMPLETED, made.now
    session.completion_code = new_code()
    session.save(update_fields=["stage", "state", "finished_at", "completion_code"])
    made.event("finish")
    made.show("page", snapshot.page(session, current_trial(session)))


def new_code() -> str:
    """What a person gives to the recruitment platform to show how far they came."""
    return "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))


def withdraw(*, session_id: int, now: datetime) -> None:
    """The person stops and nothing of theirs is used. Possible at every point, also after the end."""
    close_if_due(session_id=session_id, now=now)
    with change(session_id=session_id, now=now) as made:
        leave(made)


def leave(made: Change) -> None:
    """End a session as withdrawn; one that is changes no more. What was given stays (erasure.py takes it away)."""
    session = made.session
    if session.state == State.WITHDRAWN:
        return
    is_active = session.state == State.ACTIVE
    session.state, session.finished_at = State.WITHDRAWN, made.now
    session.save(update_fields=["state", "finished_at"])
    Reply.objects.filter(message__trial__session=session, state__in=["queued", "streaming"]).update(is_stop_asked=True)
    if is_active:
        design_operations.give_back_slot(slot_id=session.slot_id)
    made.event("withdraw")
    made.show("page", snapshot.page(session, current_trial(session)))


def report(
    *,
    session_id: int,
    kind: str,
    counts: dict[str, int],
    now: datetime,
    command_id: UUID | None = None,
    client_at: datetime | None = None,
) -> None:
    """Log what the browser noticed (REPORTED): kinds and counts, never content."""
    if kind not in REPORTED:
        raise ValueError(f"event kind {kind!r}: use one of {', '.join(sorted(REPORTED))}")
    close_if_due(session_id=session_id, now=now)
    with change(session_id=session_id, now=now, command_id=command_id) as made:
        if made.session.state != State.ACTIVE:
            raise Refusal("session_over")
        if made.is_repeated:
            return
        made.event(kind, trial=current_trial(made.session), client_at=client_at, counts=_only_numbers(counts))


def _only_numbers(counts: dict[str, int]) -> dict[str, Any]:
    return {str(key)[:20]: int(value) for key, value in list(counts.items())[:5]}
