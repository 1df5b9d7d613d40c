"""What the database holds at the end, as plain frozen rows; nothing here decides anything."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class TrialRow:
    entry: str
    position: int
    state: str
    opened_at: datetime | None
    deadline_at: datetime | None
    closed_at: datetime | None
    draft_id: str
    draft_at: datetime | None
    draft_in_grace: bool
    draft: tuple[int | None, float | None]
    answer: tuple[int | None, float | None]
    submitted_by: str
    in_grace: bool
    submit_id: str
    resets: int


@dataclass(frozen=True)
class MessageRow:
    entry: str
    position: int
    id: str
    text: str
    replies: tuple[str, ...]


@dataclass(frozen=True)
class EventRow:
    entry: str
    position: int | None
    seq: int
    type: str
    at: datetime
    data: dict[str, Any]
    command_id: str


@dataclass(frozen=True)
class SessionRow:
    entry: str
    state: str
    code: str


@dataclass(frozen=True)
class BaselineRow:
    """A run of the model alone."""

    is_finished: bool
    answers: int
    questions: int


@dataclass(frozen=True)
class Rows:
    """`broken` are sentences about logs that do not verify, `sums` about sums that do not hold."""

    sessions: tuple[SessionRow, ...]
    trials: tuple[TrialRow, ...]
    messages: tuple[MessageRow, ...]
    events: tuple[EventRow, ...]
    broken: tuple[str, ...]
    sums: tuple[str, ...]
    baselines: tuple[BaselineRow, ...]


def read() -> Rows:
    """All rows of the study; call it when no server writes any more."""
    from studies.baselines.models import BaselineRun
    from studies.runtime.models import Event, Message, ParticipantSession, Trial

    sessions = list(ParticipantSession.objects.select_related("participant__identity").order_by("pk"))
    entry = {session.pk: _entry(session) for session in sessions}
    events = list(Event.objects.select_related("trial").order_by("session", "seq"))
    commands = {(each.session_id, each.seq): str(each.command_id or "") for each in events}
    submits = {each.trial_id: str(each.command_id or "") for each in events if each.type == "submit"}
    return Rows(
        sessions=tuple(SessionRow(entry[each.pk], each.state, each.completion_code) for each in sessions),
        trials=tuple(
            TrialRow(
                entry=entry[each.session_id],
                position=each.position,
                state=each.state,
                opened_at=each.opened_at,
                deadline_at=each.deadline_at,
                closed_at=each.closed_at,
                draft_id=commands.get((each.session_id, each.draft_seq), ""),
                draft_at=each.draft_at,
                draft_in_grace=each.draft_in_grace,
                draft=(each.draft_option, each.draft_confidence),
                answer=(each.answer, each.confidence),
                submitted_by=each.submitted_by,
                in_grace=each.in_grace,
                submit_id=submits.get(each.pk, ""),
                resets=each.context_number,
            )
            for each in Trial.objects.order_by("session", "position")
        ),
        messages=tuple(
            MessageRow(
                entry[each.trial.session_id],
                each.trial.position,
                str(each.client_id),
                each.text,
                tuple(reply.state for reply in each.replies.all()),
            )
            for each in Message.objects.select_related("trial").prefetch_related("replies").order_by("pk")
        ),
        events=tuple(
            EventRow(
                entry[each.session_id],
                each.trial.position if each.trial else None,
                each.seq,
                each.type,
                each.at,
                each.data or {},
                str(each.command_id or ""),
            )
            for each in events
        ),
        broken=tuple(_broken()),
        sums=tuple(_sums()),
        baselines=tuple(
            BaselineRow(run.finished_at is not None, run.answers.count(), run.study.manifest.count())
            for run in BaselineRun.objects.select_related("study")
        ),
    )


def _entry(session: Any) -> str:
    """The id of the recruitment link."""
    return str(session.participant.identity.entry_id)


def _broken() -> list[str]:
    """Every chain once more, and every row against its own log: what `manage.py verify_log` looks at."""
    from studies.design.models import Study
    from studies.runtime import verify

    broken = []
    for study in Study.objects.all():
        broken += verify.lost_sessions(study)
        for verdict in verify.verify(study):
            broken += [f"{verdict.pseudonym} attempt {verdict.attempt}: {problem}" for problem in verdict.problems]
    return broken


def _sums() -> list[str]:
    from studies.design.models import Study
    from studies.reports import queries

    off = []
    for study in Study.objects.all():
        found = queries.sums(study)
        for name, total, parts in (
            ("sessions", found.sessions.assigned, found.sessions),
            ("trials", found.trials.planned, found.trials),
        ):
            summed = sum(vars(parts).values()) - total
            if summed != total:
                off.append(f"{study.name} {name}: {total} are not {summed}: {parts}")
    return off
