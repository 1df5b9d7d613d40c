"""What happened in each trial, rebuilt from the events alone. Pure: a log in, one timeline per opened trial out.

Fields are named as the Trial row's, so that the two can be compared. Of an erased log only what needs no data is known.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from studies.analysis.chain import ERASED, Row

NEEDS_DATA = frozenset({"deadline_at", "draft_in_grace", "in_grace", "paused_seconds", "compensated_seconds"})
BY_TIMER = frozenset({"state", "submitted_by"})  # a timeout's data say whether a draft was submitted
CONTENT: dict[str, Any] = {"draft_option": None, "draft_confidence": None, "answer": None, "confidence": None}


@dataclass(frozen=True)
class Timeline:
    """One trial as its log tells it. `unknown` names the fields that went with erased data."""

    state: str = "planned"
    opened_at: datetime | None = None
    deadline_at: datetime | None = None
    closed_at: datetime | None = None
    draft_option: int | None = None
    draft_confidence: float | None = None
    draft_at: datetime | None = None
    draft_in_grace: bool = False
    answer: int | None = None
    confidence: float | None = None
    submitted_by: str = ""
    in_grace: bool = False
    paused_seconds: float = 0.0
    compensated_seconds: float = 0.0
    context_number: int = 0
    is_erased: bool = False
    drafts: int = 0
    messages: int = 0
    replies: int = 0
    unknown: frozenset[str] = frozenset()


def rebuild(rows: Iterable[Row]) -> dict[int, Timeline]:
    """Timelines by the trial's position, from one session's events in order. Trials that were not opened have none."""
    found: dict[int, Timeline] = {}
    for row in rows:
        if row.type == ERASED:
            found = {position: _erase(timeline) for position, timeline in found.items()}
        elif row.position is not None:
            timeline = found.get(row.position, Timeline())
            found[row.position] = _after(timeline, row) if row.data is not None else _after_erased(timeline, row)
    return found


def _after(timeline: Timeline, row: Row) -> Timeline:
    data = row.data or {}
    match row.type:
        case "opened":
            limit = data["limit_seconds"]
            deadline_at = None if limit is None else row.at + timedelta(seconds=limit)
            return replace(timeline, state="open", opened_at=row.at, deadline_at=deadline_at)
        case "draft":
            return replace(
                timeline,
                drafts=timeline.drafts + 1,
                draft_at=row.at,
                draft_option=data["option"],
                draft_confidence=data["confidence"],
                draft_in_grace=data["in_grace"],
            )
        case "submit" | "timeout":
            return replace(
                timeline,
                state="timed_out" if data["answer"] is None else "answered",
                closed_at=row.at,
                answer=data["answer"],
                confidence=data["confidence"],
                submitted_by=data["submitted_by"],
                in_grace=data["in_grace"],
            )
        case "resume":
            return _given_back(timeline, data["seconds"], "paused_seconds")
        case "compensated":
            return _given_back(timeline, data["seconds"], "compensated_seconds")
    return _counted(timeline, row.type)


def _after_erased(timeline: Timeline, row: Row) -> Timeline:
    timeline = replace(timeline, unknown=timeline.unknown | NEEDS_DATA)
    match row.type:
        case "opened":
            return replace(timeline, state="open", opened_at=row.at)
        case "draft":
            return replace(timeline, drafts=timeline.drafts + 1)
        case "submit":
            return replace(timeline, state="answered", submitted_by="person", closed_at=row.at)
        case "timeout":
            return replace(timeline, closed_at=row.at, unknown=timeline.unknown | BY_TIMER)
    return _counted(timeline, row.type)


def _counted(timeline: Timeline, kind: str) -> Timeline:
    match kind:
        case "message":
            return replace(timeline, messages=timeline.messages + 1)
        case "reply_asked":
            return replace(timeline, replies=timeline.replies + 1)
        case "reset":
            return replace(timeline, context_number=timeline.context_number + 1)
    return timeline


def _given_back(timeline: Timeline, seconds: float, field: str) -> Timeline:
    """The clock stood still, or was set back: the deadline moves by as much."""
    deadline_at = timeline.deadline_at and timeline.deadline_at + timedelta(seconds=seconds)
    return replace(timeline, deadline_at=deadline_at, **{field: getattr(timeline, field) + seconds})


def _erase(timeline: Timeline) -> Timeline:
    return replace(timeline, **CONTENT, draft_at=None, is_erased=True)
