"""Who takes part in the state machine on rows: what each was told, what their rows say, what they can send."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from studies.runtime import chat, erasure, operations, sessions
from studies.runtime.models import Message, ParticipantSession, Reply, Trial
from studies.runtime.rules import DraftMark
from tests.runtime.invariants import Told, fields_of

OPERATIONS: dict[str, Callable[..., Any]] = {
    "open": operations.open_next_trial,
    "draft": operations.save_draft,
    "submit": operations.submit_answer,
    "message": chat.send_message,
    "retry": chat.retry_reply,
    "stop": chat.stop_reply,
    "reset": chat.reset_context,
    "report": lambda reported, **given: sessions.report(kind=reported, counts={"n": 1}, **given),
    "begin": sessions.begin,
    "finish": sessions.finish,
    "withdraw": sessions.withdraw,
    "erase": erasure.erase,
}
WITHOUT_ID = ("open", "begin", "finish", "withdraw", "erase")


@dataclass(frozen=True)
class Command:
    """What a browser made once and may send any number of times."""

    who: int
    kind: str
    id: UUID
    values: dict[str, Any]


class Writes:
    """Counts the statements that change rows, so that unchanged rows are not read again."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        self.count += not sql.startswith(("SELECT", "SAVEPOINT", "RELEASE"))
        return execute(sql, params, many, context)


@dataclass(frozen=True)
class Look:
    """The rows of one person at one moment; `rows` is all of them as plain data."""

    session: ParticipantSession
    trials: list[Trial]
    rows: dict[str, Any]


@dataclass
class Person:
    """One participant as the machine knows them; `standing_since`: since when their time stands still."""

    pk: int
    tab: dict[str, Any]
    writes: Writes
    told: dict[int, Told] = field(default_factory=dict)
    commands: set[UUID] = field(default_factory=set)
    done: set[UUID] = field(default_factory=set)
    kept: dict[int, tuple[DraftMark, int]] = field(default_factory=dict)
    numbers: dict[UUID, int] = field(default_factory=dict)
    standing_since: datetime | None = None
    ended: dict[str, Any] | None = None
    judged: Any = None
    _look: tuple[int, Look] | None = None

    def look(self) -> Look:
        """Their rows now."""
        if self._look is None or self._look[0] != self.writes.count:
            self._look = (self.writes.count, self._read())
        return self._look[1]

    def _read(self) -> Look:
        session = ParticipantSession.objects.select_related("study", "participant").get(pk=self.pk)
        trials = list(Trial.objects.filter(session=self.pk).order_by("position"))
        rows = {
            "session": fields_of(session),
            "trials": [fields_of(trial) for trial in trials],
            "messages": list(Message.objects.filter(trial__session=self.pk).order_by("pk").values()),
            "replies": list(Reply.objects.filter(message__trial__session=self.pk).order_by("pk").values()),
        }
        return Look(session, trials, rows)

    def open_told(self) -> Told | None:
        return next((told for told in self.told.values() if told.opened_at and not (told.closed or told.answer)), None)

    def deadline_at(self) -> datetime | None:
        told = self.open_told()
        return told.deadline_at if told is not None else None
