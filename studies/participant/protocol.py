"""The wire of /ws/session/: JSON objects with a `kind`, one dataclass per frame that the browser sends.

From the browser (`id` is a UUID made by the browser, `at` its clock in ms). A command that is sent again with its id
changes nothing and is acknowledged again:

    hello {last_seq}                             ask for a snapshot if last_seq is behind
    open {id, position}                          start the clock of the next trial
    draft {id, position, option, confidence, writer, number, base}
                                                 keep an unsubmitted choice; `writer` is the browser's own UUID,
                                                 `number` its rising count, `base` the last seq it had seen: an
                                                 older one does not replace a newer one
    submit {id, position, option, confidence}    the answer
    message {id, position, text}                 the person's turn
    retry {id, position, reply}                  ask again for that failed or stopped reply
    stop {id, position, reply}                   stop that running reply
    reset {id, position}                         clear the model's context
    event {id, type, counts}                     focus, blur, copy, paste, instructions, reconnect, offline
    withdraw {id}                                leave the study
    resync {}                                    ask for a snapshot
    ping {at, seq}                               measure the clock; a snapshot follows if `seq` is behind

From the server:

    snapshot {seq, page, clock, draft, chat, items, session, server_at}
    event {after, seq, set, items}
    reply_state {reply, state: queued, position}
    piece {reply, offset, text}                  may be lost: the reply's end brings the whole text
    ack {id}                                     committed
    refused {id, code, sentence}                 not done, and why
    pong {at, server_at}

It is closed with 4401 (no session), 4409 (the study was changed by hand), 4429 (too many frames) or 4503 (try again
later). What breaks WebSocket itself, or is over 64 KB, or no UTF-8, ends the connection without a closing frame.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

MAX_TEXT = 10_000


class BadFrame(Exception):
    """A frame that cannot be understood; `id` is the frame's own where it could be read."""

    def __init__(self, code: str, sentence: str, id: str | None = None) -> None:
        super().__init__(sentence)
        self.code, self.sentence, self.id = code, sentence, id


@dataclass(frozen=True)
class Hello:
    last_seq: int = 0


@dataclass(frozen=True)
class Resync:
    pass


@dataclass(frozen=True)
class Ping:
    at: float = 0
    seq: int | None = None


@dataclass(frozen=True)
class Command:
    """Something that is done once and acknowledged."""

    id: UUID
    at: datetime | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class AboutTrial(Command):
    position: int


@dataclass(frozen=True)
class Open(AboutTrial):
    pass


@dataclass(frozen=True)
class Choice(AboutTrial):
    option: int | None = None
    confidence: float | None = None


@dataclass(frozen=True)
class Draft(Choice):
    writer: UUID | None = None
    number: int = 0
    base: int = 0


@dataclass(frozen=True)
class Submit(Choice):
    pass


@dataclass(frozen=True)
class Message(AboutTrial):
    text: str


@dataclass(frozen=True)
class Retry(AboutTrial):
    reply: str | None = None


@dataclass(frozen=True)
class Stop(AboutTrial):
    reply: str | None = None


@dataclass(frozen=True)
class Reset(AboutTrial):
    pass


@dataclass(frozen=True)
class Event(Command):
    type: str
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Withdraw(Command):
    pass


Frame = Hello | Resync | Ping | Command
KINDS: dict[str, type] = {
    kind.__name__.lower(): kind
    for kind in (Hello, Resync, Ping, Open, Draft, Submit, Message, Retry, Stop, Reset, Event, Withdraw)
}


def _integer(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**31:
        raise ValueError
    return value


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**53:
        raise ValueError
    return value


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not abs(value) < 1e15:  # NaN fails this too
        raise ValueError
    return float(value)


def _text(value: Any) -> str:
    if type(value) is not str or len(value) > MAX_TEXT or "\x00" in value:
        raise ValueError
    value.encode()  # a lone surrogate cannot be stored
    return value


def _instant(value: Any) -> datetime:
    return datetime.fromtimestamp(_number(value) / 1000, tz=UTC)


def _counts(value: Any) -> dict[str, int]:
    if type(value) is not dict or len(value) > 5:
        raise ValueError
    return {_text(key)[:20]: _integer(count) for key, count in value.items()}


_READERS: dict[str, Callable[[Any], Any]] = {
    "id": lambda value: UUID(_text(value)),
    "at": _instant,
    "Ping.at": _number,
    "Ping.seq": _integer,
    "position": _integer,
    "last_seq": _integer,
    "option": _integer,
    "confidence": _number,
    "writer": lambda value: UUID(_text(value)),
    "number": _count,
    "base": _integer,
    "reply": _text,
    "text": _text,
    "type": _text,
    "counts": _counts,
}


def read(raw: str) -> Frame:
    """Text from the socket → a frame; BadFrame for everything that is not one."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise BadFrame("not_json", "The frame is not JSON.") from None
    if not isinstance(body, dict):
        raise BadFrame("not_an_object", "The frame is not a JSON object.")
    own_id = body["id"] if isinstance(body.get("id"), str) and len(body["id"]) <= 64 else None
    kind = KINDS.get(body["kind"]) if isinstance(body.get("kind"), str) else None
    if kind is None:
        raise BadFrame("unknown_kind", f"kind: use one of {', '.join(KINDS)}.", own_id)
    values: dict[str, Any] = {}
    for item in fields(kind):
        given = body.get(item.name)
        if given is None:
            continue
        try:
            values[item.name] = _READERS[f"{kind.__name__}.{item.name}" if kind is Ping else item.name](given)
        except (ValueError, TypeError, OverflowError, OSError):
            raise BadFrame("bad_value", f"{body['kind']}: `{item.name}` cannot be read.", own_id) from None
    try:
        frame: Frame = kind(**values)
    except TypeError:
        raise BadFrame("missing_value", f"{body['kind']}: a required value is missing.", own_id) from None
    return frame
