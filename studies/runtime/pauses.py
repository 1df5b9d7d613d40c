"""Pauses: intervals in which a session's time stands still, for one person or for a whole study.

A Pause row says what is wanted; `follow` brings one session to it, under its lock, and gives the time back when it
ends. A session that was missed, because the server died in between or because somebody joined at that moment, is
brought along by the sweep.
"""

import logging
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from studies.design.access import StudyChanged
from studies.design.models import Study
from studies.runtime.access import current_trial
from studies.runtime.change import Change, change
from studies.runtime.models import ParticipantSession, Pause, Trial
from studies.runtime.operations import close_if_due

log = logging.getLogger(__name__)

REASON_MAX = 200
AT_ONCE = 100


class CannotPause(Exception):
    """A refusal in words: it is paused already, it runs already, or it is over."""


class StudyPaused(Exception):
    """Nobody joins a study while it is paused: they would consent, take a slot, and find nothing that they can do."""


def pause(*, study: Study, session: ParticipantSession | None, reason: str, now: datetime) -> Pause:
    """Stop the time of one session, or with None of all sessions of the study. Raises CannotPause."""
    made = want_pause(study=study, session=session, reason=reason, now=now)
    follow_all(now=now, study=study)
    return made


def resume(*, study: Study, session: ParticipantSession | None, now: datetime) -> None:
    """Let time run again and give back what was lost. Raises CannotPause when there is no pause of that kind."""
    want_resume(study=study, session=session, now=now)
    follow_all(now=now, study=study)


def want_pause(*, study: Study, session: ParticipantSession | None, reason: str, now: datetime) -> Pause:
    """Only say so: a process that no tab listens to leaves it to the server's sweep to stop the sessions."""
    if session is None and study.state != Study.State.OPEN and not _active(study).exists():
        raise CannotPause(f"{study} is {study.state} and nobody takes part; there is nothing to pause.")
    if session is not None and session.state != ParticipantSession.State.ACTIVE:
        raise CannotPause(f"this session is {session.state}; only an active one can be paused.")
    reason = reason.strip()
    if not 1 <= len(reason) <= REASON_MAX:
        raise CannotPause(f"the reason has {len(reason)} characters; write 1 to {REASON_MAX}.")
    try:
        with transaction.atomic():
            return Pause.objects.create(study=study, session=session, reason=reason, started_at=now)
    except IntegrityError:
        raise CannotPause("it is paused already.") from None


def want_resume(*, study: Study, session: ParticipantSession | None, now: datetime) -> None:
    """Only say so, as `want_pause` does."""
    if not Pause.objects.filter(study=study, session=session, ended_at=None).update(ended_at=now):
        raise CannotPause("it is not paused.")


def open_pauses(study: Study) -> QuerySet[Pause]:
    """The pauses that hold now, the study's own (without a session) among them."""
    return Pause.objects.filter(study=study, ended_at=None)


def is_study_paused(study: Study) -> bool:
    return open_pauses(study).filter(session=None).exists()


def behind(study: Study | None = None) -> QuerySet[ParticipantSession]:
    """The active sessions (of a study) that do not stand as their pauses say."""
    wanted = Pause.objects.filter(study=OuterRef("study"), ended_at=None).filter(
        Q(session=None) | Q(session=OuterRef("pk"))
    )
    active = (
        ParticipantSession.objects.filter(state=ParticipantSession.State.ACTIVE) if study is None else _active(study)
    )
    return active.filter(Q(Exists(wanted), paused_at=None) | Q(~Exists(wanted), paused_at__isnull=False))


def follow_all(*, now: datetime, study: Study | None = None) -> int:
    """Bring along the sessions that are behind, at most AT_ONCE; returns how many. The next sweep takes the others.

    The database thread is held meanwhile. Whoever waits works on, and only the time that stood still is given back.
    """
    found = behind(study).order_by("pk").values_list("pk", flat=True)
    return sum(_followed(pk, now) for pk in list(found[:AT_ONCE]))


def _followed(session_id: int, now: datetime) -> bool:
    """Bring one session along; a study that somebody changed by hand must not hold up the others."""
    try:
        return follow(session_id=session_id, now=now)
    except StudyChanged:
        log.exception("session %s does not follow its pauses", session_id)
        return False


def follow(*, session_id: int, now: datetime) -> bool:
    """Pause or resume one session as its Pause rows say; whether anything changed."""
    close_if_due(session_id=session_id, now=now)
    with change(session_id=session_id, now=now) as made:
        session = made.session
        if session.state != ParticipantSession.State.ACTIVE:
            return False
        held = open_pauses(session.study).filter(Q(session=None) | Q(session=session)).order_by("started_at").first()
        if (held is None) == (session.paused_at is None):
            return False
        if held is not None:
            session.paused_at = now
            made.event("pause", scope="session" if held.session_id else "study", pause=held.pk)
        else:
            given_back = _give_back(made)
            session.paused_at = None
            made.event("resume", trial=current_trial(session), seconds=given_back)
        session.save(update_fields=["paused_at"])
        made.show_all(current_trial(session))
        return True


def _give_back(made: Change) -> float:
    """Move the open trial's deadline by the time that the session stood still; the seconds."""
    session = made.session
    assert session.paused_at is not None
    trial = Trial.objects.filter(session=session, state=Trial.State.OPEN).first()
    stood = max(made.now - session.paused_at, timedelta(0))
    if trial is None:
        return 0.0
    trial.paused_seconds += stood.total_seconds()
    trial.deadline_at = trial.deadline_at + stood if trial.deadline_at else None
    trial.save(update_fields=["paused_seconds", "deadline_at"])
    return stood.total_seconds()


def _active(study: Study) -> QuerySet[ParticipantSession]:
    return ParticipantSession.objects.filter(study=study, state=ParticipantSession.State.ACTIVE)
