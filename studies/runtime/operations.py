"""What a participant can do with a trial: open it, draft, submit; and how the server closes it when time is over.

Each operation takes `now` from its entrance, locks the session, asks `rules`, and writes rows and events in one
transaction. Each may be called twice: a command that is repeated with its id answers as the first did and changes
nothing.
"""

from datetime import datetime
from uuid import UUID

from studies.runtime import rules, snapshot
from studies.runtime.access import current_trial, next_trial, state_of
from studies.runtime.change import Change, change
from studies.runtime.models import ParticipantSession, Reply, Trial
from studies.runtime.rules import DraftMark, Refusal

IN_ORDER = DraftMark()
DRAFT_FIELDS = [f"draft_{name}" for name in ("option", "confidence", "at", "in_grace", "writer", "number", "seq")]


def require_active(session: ParticipantSession) -> None:
    if session.state != ParticipantSession.State.ACTIVE:
        raise Refusal("session_over")
    if session.paused_at is not None:
        raise Refusal("paused")


def locked_trial(made: Change, position: int) -> Trial:
    """The current trial, which must be the one that the command means."""
    require_active(made.session)
    trial = current_trial(made.session)
    if trial is None:
        raise Refusal("not_open")
    if trial.position != position:
        raise Refusal("wrong_question")
    return trial


def open_next_trial(*, session_id: int, position: int, now: datetime) -> Trial:
    """Start the clock of the trial at `position`, which must be the next one. Opening it again changes nothing."""
    close_if_due(session_id=session_id, now=now)
    with change(session_id=session_id, now=now) as made:
        session = made.session
        require_active(session)
        if session.stage != ParticipantSession.Stage.TRIALS:
            raise Refusal("wrong_stage")
        current = current_trial(session)
        if current is not None and current.position == position:
            return current
        if current is not None and current.state == Trial.State.OPEN:
            raise Refusal("another_open")
        trial = next_trial(session)
        if trial is None:
            raise Refusal("nothing_left")
        if trial.position != position:
            raise Refusal("wrong_question")
        trial.state = Trial.State.OPEN
        trial.opened_at = now
        trial.deadline_at = rules.deadline(opened_at=now, limit_seconds=trial.time_limit_seconds)
        trial.save(update_fields=["state", "opened_at", "deadline_at"])
        made.event(
            "opened",
            trial=trial,
            position=position,
            limit_seconds=trial.time_limit_seconds,
            deadline_at=snapshot.milliseconds(trial.deadline_at),
        )
        made.show_all(trial)
        return trial


def save_draft(
    *,
    session_id: int,
    position: int,
    command_id: UUID,
    option: int | None,
    confidence: float | None,
    now: datetime,
    mark: DraftMark = IN_ORDER,
    client_at: datetime | None = None,
) -> None:
    """Keep an unsubmitted choice, unless a newer one is kept; at the deadline the server submits the last one."""
    close_if_due(session_id=session_id, now=now)
    with change(session_id=session_id, now=now, command_id=command_id) as made:
        if made.is_repeated:
            return
        trial = locked_trial(made, position)
        state = state_of(trial, made.session)
        accepted = rules.draft(state, option=option, confidence=confidence, now=now)
        if not rules.is_newer(state, mark):
            return
        made.event(
            "draft",
            trial=trial,
            client_at=client_at,
            option=accepted.option,
            confidence=accepted.confidence,
            in_grace=accepted.in_grace,
        )
        trial.draft_option, trial.draft_confidence = accepted.option, accepted.confidence
        trial.draft_at, trial.draft_in_grace = now, accepted.in_grace
        trial.draft_writer, trial.draft_number, trial.draft_seq = mark.writer, mark.number, made.session.last_seq
        trial.save(update_fields=DRAFT_FIELDS)
        made.show("draft", snapshot.draft(trial))


def submit_answer(
    *,
    session_id: int,
    position: int,
    command_id: UUID,
    option: int | None,
    confidence: float | None,
    now: datetime,
    client_at: datetime | None = None,
) -> None:
    """Store the person's answer and close the trial. Refused after deadline + grace, whatever the browser's clock."""
    close_if_due(session_id=session_id, now=now)
    with change(session_id=session_id, now=now, command_id=command_id) as made:
        if made.is_repeated:
            return
        trial = locked_trial(made, position)
        closing = rules.submission(state_of(trial, made.session), option=option, confidence=confidence, now=now)
        _close(made, trial, closing, client_at=client_at)


def close_if_due(*, session_id: int, now: datetime) -> bool:
    """Close the open trial when deadline + grace is over: the next command, a timer and the sweep all call this."""
    is_candidate = Trial.objects.filter(
        session_id=session_id,
        state=Trial.State.OPEN,
        deadline_at__lt=now,
        session__state=ParticipantSession.State.ACTIVE,
        session__paused_at=None,
    ).exists()
    if not is_candidate:
        return False
    with change(session_id=session_id, now=now) as made:
        trial = current_trial(made.session)
        if trial is None or not rules.is_due(state_of(trial, made.session), now):
            return False
        _close(made, trial, rules.expiry(state_of(trial, made.session)))
        return True


def _close(made: Change, trial: Trial, closing: rules.Closing, client_at: datetime | None = None) -> None:
    is_answered = closing.answer is not None
    made.now = max(made.now, trial.opened_at or made.now)  # the clock of the process that opened it may be ahead
    trial.state = Trial.State.ANSWERED if is_answered else Trial.State.TIMED_OUT
    trial.answer, trial.confidence = closing.answer, closing.confidence
    trial.submitted_by, trial.in_grace, trial.closed_at = closing.submitted_by, closing.in_grace, made.now
    trial.save(update_fields=["state", "answer", "confidence", "submitted_by", "in_grace", "closed_at"])
    Reply.objects.filter(message__trial=trial, state__in=["queued", "streaming"]).update(is_stop_asked=True)
    made.event(
        "submit" if closing.submitted_by == "person" else "timeout",
        trial=trial,
        client_at=client_at,
        answer=closing.answer,
        confidence=closing.confidence,
        submitted_by=closing.submitted_by,
        in_grace=closing.in_grace,
    )
    made.show_all(trial)
