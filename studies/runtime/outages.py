"""An assistant that is down: what counts as that, and giving the time back where the study says so (rule 11)."""

import logging
from datetime import timedelta

from studies.assistant.types import ErrorCode
from studies.design import access as design
from studies.runtime import snapshot
from studies.runtime.access import spec_of
from studies.runtime.change import Change
from studies.runtime.models import Event, ParticipantSession, Reply, Trial

log = logging.getLogger(__name__)
INTERRUPTED = "interrupted"  # the process that ran the reply died

# Whoever had asked would have got nothing. Not here: what the assistant answers to this one conversation (`capacity`,
# `refused`, `unsupported`), which a person could bring about by what they write, and win time with it.
OUTAGES = frozenset(
    {
        ErrorCode.UNREACHABLE.value,
        ErrorCode.TIMEOUT.value,
        ErrorCode.RATE_LIMITED.value,
        ErrorCode.BAD_RESPONSE.value,
        ErrorCode.MISCONFIGURED.value,
        ErrorCode.INTERNAL.value,
        INTERRUPTED,
    }
)


def note(made: Change, reply: Reply) -> None:
    """Log the outage that failed this reply, and move the open trial's deadline when the study compensates it."""
    trial = reply.message.trial
    made.event(
        "outage",
        trial=trial,
        message=reply.message.number,
        attempt=reply.attempt,
        assistant=trial.assistant_id,
        code=reply.error_code,
        seconds=(made.now - reply.queued_at).total_seconds(),
    )
    lost = _to_give_back(made, reply)
    if not lost or trial.deadline_at is None:
        return
    trial.deadline_at += lost
    trial.compensated_seconds += lost.total_seconds()
    trial.save(update_fields=["deadline_at", "compensated_seconds"])
    deadline_at = snapshot.milliseconds(trial.deadline_at)
    made.event("compensated", trial=trial, seconds=lost.total_seconds(), deadline_at=deadline_at)
    made.show_all(trial)


def _to_give_back(made: Change, reply: Reply) -> timedelta:
    """The time from asking to failing in which the trial's clock ran, at most one reply's longest time.

    Nothing after the deadline: a question whose time is over is not opened again.
    """
    session, trial = made.session, reply.message.trial
    try:
        timing = spec_of(session).timing
    except design.StudyChanged:  # the reply has failed whatever the study says now; what it gives back nobody knows
        log.exception("session %s is given no time back for an outage", session.pk)
        return timedelta(0)
    stands_at = session.paused_at or made.now
    if not timing.compensates_outages or session.state != ParticipantSession.State.ACTIVE:
        return timedelta(0)
    if trial.state != Trial.State.OPEN or trial.deadline_at is None or stands_at > trial.deadline_at:
        return timedelta(0)
    lost = stands_at - reply.queued_at - _paused_since_asked(reply)
    return max(timedelta(0), min(lost, timedelta(seconds=timing.reply_max_seconds)))


def _paused_since_asked(reply: Reply) -> timedelta:
    """Nobody can ask in a pause, so that a pause which ended since then also began since then."""
    resumed = Event.objects.filter(trial=reply.message.trial, type="resume", at__gt=reply.queued_at)
    return timedelta(seconds=sum(data["seconds"] for data in resumed.values_list("data", flat=True) if data))
