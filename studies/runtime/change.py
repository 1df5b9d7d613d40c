"""One change of a session: its lock, its events, what its tabs are told, all in one transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from studies.runtime import events, live, snapshot
from studies.runtime.models import Event, ParticipantSession, Trial


class Change:
    """Collects what happens under the session's lock. `show` sets a section of the snapshot, `put` adds a chat item.

    While the session is paused its tabs are shown no turns: those that came meanwhile are shown when it goes on.
    What an experimenter decides about the session is no sign of life of the person, and sets `is_sign_of_life` False.
    """

    def __init__(self, session: ParticipantSession, now: datetime, command_id: UUID | None) -> None:
        self.session = session
        self.now = now
        self._command_id = command_id
        self.is_repeated = command_id is not None and session.events.filter(command_id=command_id).exists()
        self.after = session.last_seq
        self.is_sign_of_life = True
        self.sections: dict[str, Any] = {}
        self.items: list[dict[str, Any]] = []

    def event(self, kind: str, *, trial: Trial | None = None, client_at: datetime | None = None, **data: Any) -> None:
        """Append an event to the log; `data` holds ids and counts, never what participants wrote."""
        session, salt = self.session, events.new_salt()
        command_id, self._command_id = self._command_id, None  # a command is known by its first event
        hashed = events.data_hash(data, salt)
        session.last_seq += 1
        session.head = events.chained(
            head=session.head,
            seq=session.last_seq,
            kind=kind,
            at=self.now,
            client_at=client_at,
            position=trial.position if trial else None,
            command_id=command_id,
            hashed_data=hashed,
        )
        Event.objects.create(
            session=session,
            trial=trial,
            seq=session.last_seq,
            type=kind,
            at=self.now,
            client_at=client_at,
            command_id=command_id,
            data=data,
            data_hash=hashed,
            salt=salt,
            hash=session.head,
        )

    def show(self, section: str, value: Any) -> None:
        self.sections[section] = value

    def show_all(self, trial: Trial | None) -> None:
        """Every section, as a fresh snapshot would have it."""
        for section, value in snapshot.sections(self.session, trial).items():
            self.show(section, value)

    def put(self, item: dict[str, Any]) -> None:
        self.items.append(item)

    def _finish(self) -> None:
        session = self.session
        if session.last_seq == self.after:
            return
        if self.is_sign_of_life:
            session.last_seen_at = self.now
        session.save(update_fields=["last_seq", "head", "last_seen_at"])
        frame = {
            "kind": "event",
            "after": self.after,
            "seq": session.last_seq,
            "set": self.sections,
            "items": self.items if session.paused_at is None else [],
        }
        live.publish(live.session_group(session.pk), frame)


@contextmanager
def change(*, session_id: int, now: datetime, command_id: UUID | None = None) -> Iterator[Change]:
    """Lock the session, let the caller change it, then save the end of its chain and tell its tabs on commit.

    A command that carries the browser's UUID is known by it when it comes again: the caller looks at `is_repeated`.
    """
    with transaction.atomic():
        session = ParticipantSession.objects.select_for_update(of=("self",)).select_related("study").get(pk=session_id)
        made = Change(session, now, command_id)
        yield made
        made._finish()
