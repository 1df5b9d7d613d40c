"""The event log's chain: what is hashed, how a row follows from the one before, and what is wrong with a log.

The server writes and verifies its logs with it, and a bundle's `--check` does the same without the server.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

MANY = 50  # a log with more doubtful rows than this is not searched for where each of them belongs
ERASED = "erased"  # the type of the event after which rows before it may have no data


@dataclass(frozen=True)
class Row:
    """One event. `position` is its trial's; `data` and `salt` are both None where they were erased or withheld."""

    seq: int
    type: str
    at: datetime
    client_at: datetime | None
    position: int | None
    command_id: UUID | None
    data: dict[str, Any] | None
    salt: str | None
    data_hash: str
    hash: str


@dataclass(frozen=True)
class Checked:
    """What a check of one log found: its rows, those without data, and problems in words (none: the log is whole)."""

    events: int
    erased: int
    problems: tuple[str, ...]


def origin(*, spec_hash: str, pseudonym: str) -> str:
    """The head before the first event: a session's chain begins with whose it is, so that no other can stand for it."""
    return hashlib.sha256(json.dumps([spec_hash, pseudonym]).encode()).hexdigest()


def data_text(data: dict[str, Any]) -> str:
    """The data as they are hashed and exported: JSON with sorted keys and no spaces."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def data_hash(data: dict[str, Any], salt: str) -> str:
    """sha256(salt + data); hex, 64 characters. The salt makes data that were erased impossible to guess."""
    return hashlib.sha256((salt + data_text(data)).encode()).hexdigest()


def chained(
    *,
    head: str,
    seq: int,
    kind: str,
    at: datetime,
    client_at: datetime | None,
    position: int | None,
    command_id: UUID | None,
    hashed_data: str,
) -> str:
    """sha256 over the head before and the row: seq, type, times, the trial's position, command and hashed data."""
    row = [head, seq, kind, instant(at), instant(client_at), position, str(command_id) if command_id else None]
    return hashlib.sha256(json.dumps([*row, hashed_data]).encode()).hexdigest()


def instant(at: datetime | None) -> str | None:
    """A time as it is hashed: ISO 8601, UTC."""
    return at.astimezone(UTC).isoformat() if at else None


def check(rows: Sequence[Row], *, start: str, last_seq: int, head: str, is_withheld: bool = False) -> Checked:
    """Check one session's log. `start` is its origin; `last_seq` and `head` are how it must end.

    `is_withheld` says that every row may be without its data. Each problem names the events that it is about.
    """
    problems = [
        *_order(rows),
        *_data(rows, is_withheld),
        *_chain({row.seq: row for row in rows}, start),
        *_end(rows, start, last_seq, head),
    ]
    return Checked(len(rows), sum(row.data is None for row in rows), tuple(problems))


def head_at(rows: Sequence[Row], seq: int, start: str) -> str | None:
    """The chain's head after event `seq`, the origin for 0; None where there is no such event."""
    return start if seq == 0 else next((row.hash for row in rows if row.seq == seq), None)


def _order(rows: Sequence[Row]) -> list[str]:
    """Rows that stand twice or, in a file, not in their order."""
    seqs = [row.seq for row in rows]
    twice = sorted({seq for seq in seqs if seqs.count(seq) > 1}) if len(set(seqs)) < len(seqs) else []
    problems = [f"twice: {spans(twice)}"] if twice else []
    return problems if seqs == sorted(seqs) else [*problems, "the events are not in their order"]


def _data(rows: Sequence[Row], is_withheld: bool) -> list[str]:
    """Data that do not fit their hash, or are gone although nothing was erased after them."""
    erased_until = max((row.seq for row in rows if row.type == ERASED), default=0)
    changed, gone = [], []
    for row in rows:
        if row.data is None and row.salt is None:
            if not is_withheld and row.seq >= erased_until:
                gone.append(row.seq)
        elif row.data is None or row.salt is None or data_hash(row.data, row.salt) != row.data_hash:
            changed.append(row.seq)
    problems = [f"data changed: {spans(changed)}"] if changed else []
    return [*problems, f"data gone although nothing was erased: {spans(gone)}"] if gone else problems


def _chain(by_seq: dict[int, Row], start: str) -> list[str]:
    """Walk from the origin: at each place the row that follows from the one before must stand, and no other."""
    doubtful = _doubtful(by_seq, start)
    head: str | None = start
    place, removed, changed, moved = 1, list[tuple[int, int]](), list[int](), list[str]()

    def other() -> Row | None:
        return next((row for row in doubtful if head and row.seq != place and _follows(row, place, head)), None)

    for seq, row in sorted(by_seq.items()):
        while place < seq and (found := other()) is not None:
            moved.append(f"event {place} stands at place {found.seq}")
            head, place = found.hash, place + 1
        if place < seq:
            removed.append((place, seq - 1))
            head, place = None, seq  # what follows a gap cannot be compared with what was there
        if seq == place and (head is None or _follows(row, place, head)):
            head = row.hash
        elif (found := other()) is not None:
            moved.append(f"event {place} stands at place {found.seq}")
            head = found.hash
        else:
            changed.append(seq)
            head = row.hash
        place = max(place, seq + 1)
    problems = [f"removed: {_runs(removed)}"] if removed else []
    problems += [f"changed: {spans(changed)}"] if changed else []
    return [*problems, f"reordered: {', '.join(moved)}"] if moved else problems


def _doubtful(by_seq: dict[int, Row], start: str) -> list[Row]:
    """Rows that do not follow from the row numbered before them: only these can belong to another place."""
    heads = {0: start} | {seq: row.hash for seq, row in by_seq.items()}
    found = [row for seq, row in by_seq.items() if seq - 1 not in heads or not _follows(row, seq, heads[seq - 1])]
    return found if len(found) <= MANY else []


def _follows(row: Row, place: int, head: str) -> bool:
    return row.hash == chained(
        head=head,
        seq=place,
        kind=row.type,
        at=row.at,
        client_at=row.client_at,
        position=row.position,
        command_id=row.command_id,
        hashed_data=row.data_hash,
    )


def _end(rows: Sequence[Row], start: str, last_seq: int, head: str) -> list[str]:
    end = max((row.seq for row in rows), default=0)
    if end < last_seq:
        return [f"cut off: it ends with event {end} of {last_seq}"]
    if end > last_seq:
        return [f"it goes on to event {end}, but the session's end is {last_seq}"]
    return [] if head_at(rows, end, start) == head else ["its last hash is not the session's head"]


def spans(seqs: Iterable[int]) -> str:
    """Numbers in words: `event 5`, `events 5, 8-12`."""
    runs: list[tuple[int, int]] = []
    for seq in seqs:
        if runs and seq == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], seq)
        else:
            runs.append((seq, seq))
    return _runs(runs)


def _runs(runs: Sequence[tuple[int, int]]) -> str:
    named = ", ".join(f"{first}-{last}" if last > first else str(first) for first, last in runs)
    return f"event {named}" if len(runs) == 1 and runs[0][0] == runs[0][1] else f"events {named}"
