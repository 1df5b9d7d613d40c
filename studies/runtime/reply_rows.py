"""A reply's row from claim to end; each step is a compare-and-set, so that two processes cannot both write it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from studies.runtime import outages, snapshot
from studies.runtime.change import Change, change
from studies.runtime.models import Reply, Trial


@dataclass(frozen=True)
class Outcome:
    """How a reply ended: its state, text (None: as the row has it) and what is known of the model call."""

    state: str
    text: str | None
    finish_reason: str = ""
    error_code: str = ""
    details: dict[str, Any] = field(default_factory=dict)


def claim(*, reply_id: int, now: datetime, sent: dict[str, Any]) -> bool:
    """Take a queued reply for this process and record what is sent to the model; False: somebody else has it."""
    with change(session_id=_session_id(reply_id), now=now) as made:
        claimed = Reply.objects.filter(pk=reply_id, state=Reply.State.QUEUED, is_stop_asked=False).update(
            state=Reply.State.STREAMING, started_at=now, heartbeat_at=now, **sent
        )
        if claimed:
            _tell(made, reply_id, "reply_started")
        return bool(claimed)


@dataclass(frozen=True)
class Beat:
    """What a running reply learns once a second: whether to go on, and until when (a pause moves the deadline)."""

    goes_on: bool
    deadline_at: datetime | None = None


def heartbeat(*, reply_id: int, text: str, now: datetime) -> Beat:
    """Keep the text so far. While the session is paused there is no deadline."""
    rows = Reply.objects.filter(pk=reply_id, state=Reply.State.STREAMING)
    rows.update(heartbeat_at=now, text=text)
    found = (
        rows.filter(is_stop_asked=False)
        .values_list("message__trial__deadline_at", "message__trial__session__paused_at")
        .first()
    )
    if found is None:
        return Beat(goes_on=False)
    deadline_at, paused_at = found
    return Beat(goes_on=True, deadline_at=deadline_at if paused_at is None else None)


def end(*, reply_id: int, outcome: Outcome, now: datetime) -> bool:
    """Write the reply's end once; False: it had ended before (as failed, say, when its heartbeat was old)."""
    with change(session_id=_session_id(reply_id), now=now) as made:
        ended = Reply.objects.filter(pk=reply_id, state__in=[Reply.State.QUEUED, Reply.State.STREAMING]).update(
            state=outcome.state,
            finish_reason=outcome.finish_reason,
            error_code=outcome.error_code,
            finished_at=now,
            heartbeat_at=now,
            **outcome.details,
            **({} if outcome.text is None else {"text": outcome.text}),
        )
        if ended:
            reply = _tell(made, reply_id, "reply_failed" if outcome.state == Reply.State.FAILED else "reply")
            if outcome.state == Reply.State.FAILED and outcome.error_code in outages.OUTAGES:
                outages.note(made, reply)
        return bool(ended)


def end_unclaimed(*, reply_id: int, now: datetime) -> bool:
    """End a reply that was stopped before anybody took it; False: it is somebody's, or over."""
    asked = Reply.objects.filter(pk=reply_id, state=Reply.State.QUEUED, is_stop_asked=True)
    return asked.exists() and end(reply_id=reply_id, outcome=Outcome(Reply.State.STOPPED, "", "stopped"), now=now)


def _session_id(reply_id: int) -> int:
    return Reply.objects.values_list("message__trial__session_id", flat=True).get(pk=reply_id)


def _tell(made: Change, reply_id: int, kind: str) -> Reply:
    reply = Reply.objects.select_related("message__trial").get(pk=reply_id)
    trial = reply.message.trial
    made.event(
        kind,
        trial=trial,
        message=reply.message.number,
        attempt=reply.attempt,
        state=reply.state,
        reason=reply.finish_reason,
        error=reply.error_code,
        characters=len(reply.text),
    )
    if _is_shown(made.session.pk, trial.position):
        made.put(snapshot.reply_item(reply, reply.message))
    return reply


def _is_shown(session_id: int, position: int) -> bool:
    """Whether the reply belongs to the trial that the tabs show: a late end must not appear under the next question."""
    return not (
        Trial.objects.filter(session_id=session_id, position__gt=position).exclude(state=Trial.State.PLANNED).exists()
    )


def fail_stale(*, now: datetime) -> int:
    """Fail replies whose process died (no heartbeat for REPLY_STALE_SECONDS), keeping their text. Returns how many."""
    limit = now - timedelta(seconds=settings.REPLY_STALE_SECONDS)
    stale = Reply.objects.filter(
        state__in=[Reply.State.QUEUED, Reply.State.STREAMING], heartbeat_at__lt=limit
    ).values_list("pk", "text")
    outcomes = [(pk, Outcome(Reply.State.FAILED, text, error_code=outages.INTERRUPTED)) for pk, text in stale]
    return sum(end(reply_id=pk, outcome=outcome, now=now) for pk, outcome in outcomes)
