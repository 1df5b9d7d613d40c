"""Counts that hold always and show no outcome: the two sums of a study, and its sessions with their progress."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, Sum

from studies.analysis.sums import broken
from studies.design.models import Study
from studies.runtime.models import Participant, ParticipantSession, Reply, Trial


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
    """planned = answered + answered_by_timer + timed_out + open + not_reached, over all sessions assigned.

    `planned` is counted in the plans of the slots that were given out, the parts in the trials' own rows.
    """

    planned: int
    answered: int
    answered_by_timer: int
    timed_out: int
    open: int
    not_reached: int


@dataclass(frozen=True)
class Sums:
    """The two sums. `excluded` is a flag across the sessions and no part of them; `bots` are among the sessions.

    `over_of_withdrawn` counts the trials that were answered or timed out in sessions that were withdrawn later: they
    are in the second sum, and in no table.
    """

    sessions: SessionSum
    trials: TrialSum
    excluded: int
    bots: int
    over_of_withdrawn: int

    def as_json(self) -> dict[str, Any]:
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
    paused_at: datetime | None
    finished_at: datetime | None
    completion_code: str
    is_excluded: bool
    exclusion_reason: str


@dataclass(frozen=True)
class Failures:
    """Replies of the assistant that failed with one error code, and how many of them lately."""

    code: str
    number: int
    lately: int


def failures(study: Study, *, lately_since: datetime) -> list[Failures]:
    """Failed replies by error code, the most frequent first; one query."""
    failed = Reply.objects.filter(state=Reply.State.FAILED, message__trial__session__study=study)
    by_code = failed.values_list("error_code").annotate(
        number=Count("pk"), lately=Count("pk", filter=Q(finished_at__gte=lately_since))
    )
    return [Failures(*row) for row in by_code.order_by("-number", "error_code")]


def sums(study: Study) -> Sums:
    """Three queries."""
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
    over = answered | Q(state=Trial.State.TIMED_OUT)
    planned = sessions.aggregate(planned=Count("slot__plans"))
    trials = Trial.objects.filter(session__study=study).aggregate(
        answered=Count("pk", filter=answered & Q(submitted_by=Trial.SubmittedBy.PERSON)),
        answered_by_timer=Count("pk", filter=answered & Q(submitted_by=Trial.SubmittedBy.TIMER)),
        timed_out=Count("pk", filter=Q(state=Trial.State.TIMED_OUT)),
        open=Count("pk", filter=Q(state=Trial.State.OPEN)),
        not_reached=Count("pk", filter=Q(state=Trial.State.PLANNED)),
        over_of_withdrawn=Count("pk", filter=over & Q(session__state=ParticipantSession.State.WITHDRAWN)),
    )
    over_of_withdrawn = trials.pop("over_of_withdrawn")
    return Sums(SessionSum(**counted), TrialSum(**planned, **trials), excluded, bots, over_of_withdrawn)


def sums_hold(study: Study) -> list[str]:
    """What does not add up, in words; empty when all does. Four queries.

    Beside the two sums: every attempt that the slots counted is a session, so that a lost session shows too.
    """
    counted = sums(study)
    attempts = study.slots.aggregate(attempts=Sum("attempts"))["attempts"] or 0
    problems = broken(counted.as_json())
    if attempts != counted.sessions.assigned:
        problems.append(f"the slots counted {attempts} attempts, but there are {counted.sessions.assigned} sessions")
    return problems


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
            paused_at=session.paused_at if session.state == ParticipantSession.State.ACTIVE else None,
            finished_at=session.finished_at,
            completion_code=session.completion_code,
            is_excluded=session.is_excluded,
            exclusion_reason=session.exclusion_reason,
        )
        for session in sessions[first : first + at_most]
    ]
