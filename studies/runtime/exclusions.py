"""Exclusion: a session's data stay, and are left out where exclusions are applied. Each decision is in the log.

Whether outcomes could have been seen by then, and which rules were registered, is known above: `reports/exclusions.py`
decides it and calls these.
"""

from datetime import datetime

from django.contrib.auth.models import User

from studies.runtime.change import Change, change
from studies.runtime.models import ParticipantSession

EXCLUDED, INCLUDED = "excluded", "included"
DECISIONS = (EXCLUDED, INCLUDED)
REASON_MAX = 300


class CannotExclude(Exception):
    """A refusal in words: no reason that fits, excluded already, not excluded, or withdrawn."""


def exclude(
    *, session_id: int, reason: str, is_post_hoc: bool, is_registered: bool, by: User | None, now: datetime
) -> None:
    """Leave the session out, whatever its state. Raises CannotExclude, also for whoever withdrew: they are out anyway.

    The first decision stands: another reason needs this one to be taken back before.
    """
    reason = reason.strip()
    if not 1 <= len(reason) <= REASON_MAX:
        raise CannotExclude(f"the reason has {len(reason)} characters; write 1 to {REASON_MAX}.")
    with change(session_id=session_id, now=now) as made:
        session = made.session
        if session.state == ParticipantSession.State.WITHDRAWN:
            raise CannotExclude("this person withdrew, and whoever withdrew is in no table and no figure anyway.")
        if session.is_excluded:
            raise CannotExclude(
                f"excluded already ({session.exclusion_reason or 'no reason was given'}). For another reason, take "
                "that back first."
            )
        _decide(made, is_excluded=True, reason=reason, is_post_hoc=is_post_hoc, by=by)
        made.event(EXCLUDED, reason=reason, post_hoc=is_post_hoc, registered=is_registered, by=by.pk if by else None)


def take_back(*, session_id: int, is_post_hoc: bool, by: User | None, now: datetime) -> None:
    """Count the session again. Raises CannotExclude where it is not excluded."""
    with change(session_id=session_id, now=now) as made:
        if not made.session.is_excluded:
            raise CannotExclude("not excluded, so there is nothing to take back.")
        _decide(made, is_excluded=False, reason="", is_post_hoc=is_post_hoc, by=by)
        made.event(INCLUDED, post_hoc=is_post_hoc, by=by.pk if by else None)


def _decide(made: Change, *, is_excluded: bool, reason: str, is_post_hoc: bool, by: User | None) -> None:
    session = made.session
    session.is_excluded, session.exclusion_reason, session.is_exclusion_post_hoc = is_excluded, reason, is_post_hoc
    session.exclusion_decided_at, session.exclusion_decided_by = made.now, by
    session.save(
        update_fields=[
            "is_excluded",
            "exclusion_reason",
            "is_exclusion_post_hoc",
            "exclusion_decided_at",
            "exclusion_decided_by",
        ]
    )
    made.is_sign_of_life = False
