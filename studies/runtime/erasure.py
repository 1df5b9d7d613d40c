"""Erasure: what a person gave is taken away; what stays is that somebody took part, when, and how much there was.

Gone: answers, confidence, drafts, what the check questions and the survey were answered, the texts of messages and
replies, the data of every event, and who the person is elsewhere. Kept: the session and its trials as a tombstone (both
sums count them), times, numbers of messages and of attempts at the check questions, why somebody was excluded, and the
completion code, which says nothing of what was given and by which people are paid.
"""

from datetime import datetime

from django.dispatch import Signal

from studies.analysis.chain import ERASED
from studies.runtime import sessions
from studies.runtime.access import current_trial
from studies.runtime.change import Change, change
from studies.runtime.models import Event, Message, ParticipantIdentity, ParticipantSession, Reply, SurveyAnswer, Trial
from studies.runtime.operations import close_if_due

# Sent with `study_id` and `now` in the erasure's transaction, for those above who keep what was computed from the rows.
erased = Signal()
RUNNING = (Reply.State.QUEUED, Reply.State.STREAMING)


def erase(*, session_id: int, now: datetime) -> bool:
    """Withdraw the session if it was not, and erase it, in one transaction. False: it was erased before."""
    close_if_due(session_id=session_id, now=now)
    with change(session_id=session_id, now=now) as made:
        if made.session.erased_at is not None:
            return False
        sessions.leave(made)
        _erase_rows(made)
        made.session.erased_at = now
        made.session.save(update_fields=["erased_at"])
        made.event(ERASED, through=made.session.last_seq)
        made.show_all(current_trial(made.session))
        erased.send(sender=ParticipantSession, study_id=made.session.study_id, now=now)
        return True


def _erase_rows(made: Change) -> None:
    """A running reply is ended here, before its text is taken: whoever writes it finds it over and writes no more."""
    session = made.session
    replies = Reply.objects.filter(message__trial__session=session)
    replies.filter(state__in=RUNNING).update(
        state=Reply.State.STOPPED, finish_reason="stopped", finished_at=made.now, is_stop_asked=True
    )
    replies.update(text="")
    Message.objects.filter(trial__session=session).update(text="")
    Trial.objects.filter(session=session).exclude(state=Trial.State.PLANNED).update(
        answer=None,
        confidence=None,
        draft_option=None,
        draft_confidence=None,
        draft_at=None,
        draft_in_grace=False,
        draft_writer=None,
        draft_number=0,
        draft_seq=0,
        is_erased=True,
    )
    SurveyAnswer.objects.filter(session=session).delete()
    ParticipantIdentity.objects.filter(participant=session.participant_id).delete()
    Event.objects.filter(session=session, salt__isnull=False).update(data=None, salt=None)
