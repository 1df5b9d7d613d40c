"""Repair by looking: close what is overdue, fail what died. Any number of processes may sweep at once."""

import logging
from datetime import datetime, timedelta

from studies.design import access as design
from studies.design import operations as design_operations
from studies.design.models import Study
from studies.runtime import pauses, reply_rows, snapshot
from studies.runtime.access import current_trial
from studies.runtime.change import change
from studies.runtime.models import ParticipantSession, Reply, Trial
from studies.runtime.operations import close_if_due

log = logging.getLogger(__name__)
OVERDUE_AT_ONCE = 500


def sweep(*, now: datetime) -> dict[str, int]:
    """One round; returns how many trials were closed, replies failed and sessions paused or resumed."""
    overdue = Trial.objects.filter(
        state=Trial.State.OPEN,
        deadline_at__lt=now,
        session__state=ParticipantSession.State.ACTIVE,
        session__paused_at=None,
    ).values_list("session_id", flat=True)[:OVERDUE_AT_ONCE]
    closed = sum(_closed(session_id, now) for session_id in list(overdue))
    return {"closed": closed, "failed": reply_rows.fail_stale(now=now), "followed": pauses.follow_all(now=now)}


def _closed(session_id: int, now: datetime) -> bool:
    """Close one overdue trial; a study that somebody changed by hand must not hold up the others."""
    try:
        return close_if_due(session_id=session_id, now=now)
    except design.StudyChanged:
        log.exception("session %s: its overdue trial stays open", session_id)
        return False


def abandon_absent(*, now: datetime) -> int:
    """Give back the slots of people who stayed away longer than their study allows. Their data stay.

    In a closed study too: who was in the middle may finish, and who does not come back must not be active for ever.
    Whoever is paused cannot come back, so that their absence begins when it goes on. One query, and one more for each
    study that somebody takes part in.
    """
    abandoned = 0
    active = ParticipantSession.objects.filter(state=ParticipantSession.State.ACTIVE, paused_at=None)
    for study in Study.objects.filter(pk__in=active.values("study")).order_by("pk"):
        try:
            hours = design.spec_of(study).timing.abandon_after_hours
        except design.StudyChanged:
            log.exception("nobody's absence from this study is looked at")
            continue
        if not hours:
            continue
        absent = active.filter(study=study, last_seen_at__lt=now - timedelta(hours=hours))
        for session_id in absent.values_list("pk", flat=True):
            abandoned += _abandon(session_id, now, hours)
    return abandoned


def _abandon(session_id: int, now: datetime, hours: float) -> bool:
    with change(session_id=session_id, now=now) as made:
        session = made.session
        is_absent = session.last_seen_at < now - timedelta(hours=hours)
        if session.state != ParticipantSession.State.ACTIVE or session.paused_at is not None or not is_absent:
            return False
        session.state, session.finished_at = ParticipantSession.State.ABANDONED, now
        session.save(update_fields=["state", "finished_at"])
        Reply.objects.filter(message__trial__session=session, state__in=["queued", "streaming"]).update(
            is_stop_asked=True
        )
        made.event("abandoned", hours=hours)
        made.show("page", snapshot.page(session, current_trial(session)))
        design_operations.give_back_slot(slot_id=session.slot_id)
        return True
