"""Counts that hold always and show no outcome: the two sums of a study, and its sessions with their progress."""

from dataclasses import asdict, dataclass
from datetime import datetime

from django.db.models import Count, Q

from studies.design.models import Study
from studies.runtime.models import Participant, ParticipantSession, Trial


@dataclass(frozen=True)
class SessionSum:
    """assigned = active + completed + abandoned + screened_out + withdrawn."""

    assigned: int
    active: int
    completed: int
    abandoned: int
    screened_out: int
    withdrawn: int


@dataclass(frozen=True)
class TrialSum:
    """planned = answered + answered_by_timer + timed_out + open + not_reached, over all sessions assigned."""

    planned: int
    answered: int
    answered_by_timer: int
    timed_out: int
    open: int
    not_reached: int


@dataclass(frozen=True)
class Sums:
    """The two sums. `excluded` is a flag across the sessions and no part of them; `bots` are among the sessions."""

    sessions: SessionSum
    trials: TrialSum
    excluded: int
    bots: int

    def as_json(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True)
class SessionRow:
    """One session for the console's list: no name, no answer, nothing of an outcome."""

    pk: int
    pseudonym: str
    kind: str
    slot: int
    attempt: int
    state: str
    stage: str
    planned: int
    over: int
    consented_at: datetime
    last_seen_at: datetime
    finished_at: datetime | None
    completion_code: str
    is_excluded: bool
    exclusion_reason: str


def sums(study: Study) -> Sums:
    """Two queries."""
    sessions = ParticipantSession.objects.filter(study=study)
    states = {state: Count("pk", filter=Q(state=state)) for state in ParticipantSession.State.values}
    counted = sessions.aggregate(
        assigned=Count("pk"),
        excluded=Count("pk", filter=Q(is_excluded=True)),
        bots=Count("pk", filter=Q(participant__kind=Participant.Kind.BOT)),
        **states,
    )
    excluded, bots = counted.pop("excluded"), counted.pop("bots")
    answered = Q(state=Trial.State.ANSWERED)
    trials = Trial.objects.filter(session__study=study).aggregate(
        planned=Count("pk"),
        answered=Count("pk", filter=answered & Q(submitted_by=Trial.SubmittedBy.PERSON)),
        answered_by_timer=Count("pk", filter=answered & Q(submitted_by=Trial.SubmittedBy.TIMER)),
        timed_out=Count("pk", filter=Q(state=Trial.State.TIMED_OUT)),
        open=Count("pk", filter=Q(state=Trial.State.OPEN)),
        not_reached=Count("pk", filter=Q(state=Trial.State.PLANNED)),
    )
    return Sums(SessionSum(**counted), TrialSum(**trials), excluded, bots)


def session_rows(study: Study, *, first: int = 0, at_most: int = 200) -> list[SessionRow]:
    """A page of the study's sessions, newest first; one query."""
    over = Q(trials__state__in=[Trial.State.ANSWERED, Trial.State.TIMED_OUT])
    sessions = (
        ParticipantSession.objects.filter(study=study)
        .select_related("participant", "slot")
        .annotate(planned=Count("trials"), over=Count("trials", filter=over))
        .order_by("-pk")
    )
    return [
        SessionRow(
            pk=session.pk,
            pseudonym=session.participant.pseudonym,
            kind=session.participant.kind,
            slot=session.slot.number,
            attempt=session.attempt,
            state=session.state,
            stage=session.stage,
            planned=session.planned,
            over=session.over,
            consented_at=session.consented_at,
            last_seen_at=session.last_seen_at,
            finished_at=session.finished_at,
            completion_code=session.completion_code,
            is_excluded=session.is_excluded,
            exclusion_reason=session.exclusion_reason,
        )
        for session in sessions[first : first + at_most]
    ]
