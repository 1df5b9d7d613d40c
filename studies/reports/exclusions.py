"""Leaving people out of the figures: the server says itself whether that was registered, and what could be seen before.

Nobody types `post_hoc`: a decision is post hoc once outcomes could have been seen. The last decision about a session is
marked so, whichever way it went.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from studies.analysis.deviations import plain
from studies.design.models import Study
from studies.reports import looks, registration
from studies.reports.models import AnalysisRun
from studies.runtime import exclusions
from studies.runtime.models import ParticipantSession

OPERATOR = "the operator"


@dataclass(frozen=True)
class Standing:
    """What a decision that is made now would be. `rules`: those registered; None where nothing was.

    `is_computed`: figures were asked for before, which still count as the people stood then.
    """

    is_post_hoc: bool
    is_computed: bool
    rules: tuple[str, ...] | None

    def rule(self, reason: str) -> str | None:
        """The registered rule that this reason is, in the words that were registered."""
        return next((rule for rule in self.rules or () if plain(rule) == plain(reason)), None)


def standing(study: Study) -> Standing:
    """Post hoc: outcomes may be shown, or were computed at any time. Three queries, two where the study is closed."""
    locked = registration.registered(study)
    is_computed = AnalysisRun.objects.filter(study=study).exists()
    return Standing(
        is_post_hoc=is_computed or looks.may_show_outcomes(study),
        is_computed=is_computed,
        rules=registration.rules_of(locked) if locked else None,
    )


@transaction.atomic
def exclude(*, session: ParticipantSession, reason: str, by: User | None, now: datetime) -> Standing:
    """Leave the session out from now on; by None: by whoever runs a command. Raises CannotExclude."""
    now_is = standing(session.study)
    rule = now_is.rule(reason)
    exclusions.exclude(
        session_id=session.pk,
        reason=rule or reason,
        is_post_hoc=now_is.is_post_hoc,
        is_registered=rule is not None,
        by=by,
        now=now,
    )
    return now_is


@transaction.atomic
def take_back(*, session: ParticipantSession, by: User | None, now: datetime) -> Standing:
    """Count the session again. Raises CannotExclude."""
    now_is = standing(session.study)
    exclusions.take_back(session_id=session.pk, is_post_hoc=now_is.is_post_hoc, by=by, now=now)
    return now_is


def told(session: ParticipantSession, now_is: Standing) -> str:
    """What a decision changed, for whoever made it: a sentence that goes on from the person's pseudonym, and more."""
    session.refresh_from_db()
    is_out, is_gone = session.is_excluded, session.state == ParticipantSession.State.WITHDRAWN
    words = [f"is excluded ({session.exclusion_reason})." if is_out else "is no longer excluded."]
    if is_gone:
        words.append("This person withdrew, and stays out of every table and figure.")
    elif is_out:
        words.append("The answers stay, and the report shows the figures with and without them.")
    if is_out and now_is.rules is not None and now_is.rule(session.exclusion_reason) is None:
        rules = "; ".join(f"“{rule}”" for rule in now_is.rules) or "none"
        words.append(f"That is no rule that was registered ({rules}), and the report says so.")
    if now_is.is_post_hoc and not is_gone:
        words.append("Outcomes could be seen before this was decided, and the report says so.")
    if now_is.is_computed and not is_gone:
        words.append("What was computed until now does not know of it: compute again.")
    return " ".join(words)


def decided_by(session: ParticipantSession) -> str | None:
    """Who decided last, as tables and pages name them; None where nobody decided."""
    if session.exclusion_decided_at is None:
        return None
    return session.exclusion_decided_by.get_username() if session.exclusion_decided_by else OPERATOR


def taken_back_post_hoc(sessions: Iterable[ParticipantSession]) -> int:
    """How many who are counted were excluded once, until somebody took it back who could have seen outcomes."""
    withdrawn = ParticipantSession.State.WITHDRAWN
    return sum(each.is_exclusion_post_hoc and not each.is_excluded and each.state != withdrawn for each in sessions)
