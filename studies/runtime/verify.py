"""Whether a study's logs are whole, and whether the rows say what the logs say; each problem in words.

A log that was rewritten as a whole has a valid chain again: only heads that were anchored before, in a bundle, show it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from string import ascii_uppercase
from typing import Any

from django.db import transaction
from django.db.models import Count, F

from studies.analysis import chain
from studies.analysis.chain import Row
from studies.design.models import Slot, Study
from studies.runtime import events, exclusions, screening, survey, timeline
from studies.runtime.models import Message, ParticipantIdentity, ParticipantSession, Reply, SurveyAnswer, Trial
from studies.runtime.timeline import Timeline

COMPARED = (
    *("state", "opened_at", "deadline_at", "closed_at", "draft_option", "draft_confidence", "draft_at"),
    *("draft_in_grace", "answer", "confidence", "submitted_by", "in_grace", "paused_seconds", "compensated_seconds"),
    *("context_number", "is_erased", "messages", "replies"),
)


@dataclass(frozen=True)
class Anchor:
    """How a session's chain ended when a bundle was made."""

    last_seq: int
    head: str


Anchors = Mapping[tuple[str, int], Anchor]  # by pseudonym and attempt


@dataclass(frozen=True)
class Verdict:
    """One session's log: its events, how many of them were erased, and its problems; none means whole."""

    pseudonym: str
    attempt: int
    events: int
    erased: int
    problems: tuple[str, ...]


def verify(study: Study, anchors: Anchors | None = None) -> Iterator[Verdict]:
    """Check every session of the study, one after the other; each is locked only while it is read."""
    sessions = ParticipantSession.objects.filter(study=study).order_by("slot__number", "attempt")
    for session_id in list(sessions.values_list("pk", flat=True)):
        yield _verify(session_id, anchors or {})


def lost_sessions(study: Study, anchors: Anchors | None = None) -> list[str]:
    """Sessions that must have been and are not: counted by their slot, or known to the bundle."""
    slots = Slot.objects.filter(study=study).annotate(there=Count("sessions")).exclude(attempts=F("there"))
    lost = [
        f"slot {slot.number} was taken {slot.attempts} times, but has {slot.there} sessions"
        for slot in slots.order_by("number")
    ]
    there = set(ParticipantSession.objects.filter(study=study).values_list("participant__pseudonym", "attempt"))
    gone = sorted(set(anchors or {}) - there)
    return lost + [f"{pseudonym} (attempt {attempt}) is in the bundle and not here" for pseudonym, attempt in gone]


@transaction.atomic
def _verify(session_id: int, anchors: Anchors) -> Verdict:
    locked = ParticipantSession.objects.select_for_update(of=("self",)).select_related("participant")
    session = locked.get(pk=session_id)
    rows = [events.chain_row(event) for event in session.events.select_related("trial").order_by("seq")]
    start, name = events.origin_of(session), session.participant.pseudonym
    checked = chain.check(rows, start=start, last_seq=session.last_seq, head=session.head)
    problems = [
        *checked.problems,
        *_trials(session, rows),
        *_leftovers(session, rows),
        *_survey(session, rows),
        *_exclusion(session, rows),
        *_checks(session, rows),
        *_anchored(anchors.get((name, session.attempt)), rows, start),
    ]
    return Verdict(name, session.attempt, checked.events, checked.erased, tuple(problems))


def _trials(session: ParticipantSession, rows: list[Row]) -> list[str]:
    """Where a Trial row says something else than the trial's events."""
    try:
        told = timeline.rebuild(rows)
    except (KeyError, TypeError, ValueError) as error:
        return [f"the events do not tell what happened: {type(error).__name__} {error}"]
    trials = session.trials.order_by("position").annotate(
        messages_there=Count("messages", distinct=True), replies_there=Count("messages__replies", distinct=True)
    )
    return [
        f"trial {trial.position}: {problem}"
        for trial in trials
        for problem in _differences(trial, told.get(trial.position, Timeline()))
    ]


def _differences(trial: Trial, told: Timeline) -> list[str]:
    row = {name: getattr(trial, name, None) for name in COMPARED}
    row |= {"messages": trial.messages_there, "replies": trial.replies_there}  # type: ignore[attr-defined]
    return [
        f"{name.replace('_', ' ')} {_shown(name, row[name])} in the row, {_shown(name, said)} in the log"
        for name in COMPARED
        if name not in told.unknown and not _same(row[name], said := getattr(told, name))
    ]


def _same(row: Any, said: Any) -> bool:
    if isinstance(row, float) and isinstance(said, float):
        return abs(row - said) < 1e-6
    return bool(row == said)


def _shown(name: str, value: Any) -> str:
    if value is None or value == "":
        return "none"
    if name in ("answer", "draft_option") and 0 <= value < len(ascii_uppercase):
        return ascii_uppercase[value]
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _checks(session: ParticipantSession, rows: list[Row]) -> list[str]:
    """How often the check questions were answered."""
    logged = sum(row.type == screening.ATTEMPT for row in rows)
    if logged == session.check_attempts:
        return []
    return [f"{session.check_attempts} attempts at the check questions in the row, {logged} in the log"]


def _leftovers(session: ParticipantSession, rows: list[Row]) -> list[str]:
    """What an erasure should have taken; and a row or a log that knows nothing of the other's erasure."""
    is_logged = any(row.type == chain.ERASED for row in rows)
    if is_logged != (session.erased_at is not None):
        return ["erased in the log, not in the row" if is_logged else "erased in the row, not in the log"]
    if not is_logged:
        return []
    texts = {
        "messages": Message.objects.filter(trial__session=session).exclude(text="").count(),
        "replies": Reply.objects.filter(message__trial__session=session).exclude(text="").count(),
        "survey answers": SurveyAnswer.objects.filter(session=session).count(),
        "identities": ParticipantIdentity.objects.filter(participant=session.participant_id).count(),
    }
    return [f"erased, but {count} {what} are still there" for what, count in texts.items() if count]


def _survey(session: ParticipantSession, rows: list[Row]) -> list[str]:
    """Where the survey's rows say something else than the event that it was sent; of an erased one nothing is known."""
    sent = next((row for row in reversed(rows) if row.type == survey.SENT), None)
    log: Mapping[str, object] | None = survey.said_of([]) if sent is None else sent.data
    if log is None:
        return []
    there = survey.said_of(list(session.survey_answers.all()))
    return [
        f"survey, {name}: {there[name]} in the rows, {log.get(name)} in the log"
        for name in there
        if there[name] != log.get(name)
    ]


def _exclusion(session: ParticipantSession, rows: list[Row]) -> list[str]:
    """Whether the row says of its exclusion what the last decision in the log says."""
    decision = next((row for row in reversed(rows) if row.type in exclusions.DECISIONS), None)
    is_logged = decision is not None and decision.type == exclusions.EXCLUDED
    if is_logged != session.is_excluded:
        return ["excluded in the log, not in the row" if is_logged else "excluded in the row, not in the log"]
    pairs: list[tuple[str, object, object]] = [
        ("time", session.exclusion_decided_at, decision.at if decision else None)
    ]
    if decision is None or decision.data is not None:
        said = (decision.data if decision else None) or {}
        pairs += [
            ("reason", session.exclusion_reason, said.get("reason", "")),
            ("post hoc", session.is_exclusion_post_hoc, said.get("post_hoc", False)),
            ("decided by", session.exclusion_decided_by_id, said.get("by")),
        ]
    return [f"exclusion, {name}: {row!s} in the row, {log!s} in the log" for name, row, log in pairs if row != log]


def _anchored(anchor: Anchor | None, rows: list[Row], start: str) -> list[str]:
    """Whether the chain still goes through the head that a bundle anchored."""
    if anchor is None or chain.head_at(rows, anchor.last_seq, start) == anchor.head:
        return []
    return [f"rewritten: after event {anchor.last_seq} the chain no longer goes through the head that the bundle has"]
