"""Hostile frames for the participant's socket, each with the close codes that it may meet."""

import json
import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from studies.participant.protocol import KINDS
from tests.bench.fuzz import values

FIELDS = ("id", "at", "seq", "last_seq", "position", "option", "confidence", "writer", "number", "base")
FIELDS += ("reply", "text", "type", "counts", "kind")
MAX_BYTES = 64 * 1024
DROPPED = None  # what breaks the socket's own protocol (size, UTF-8) ends the connection without a closing frame
NO_SESSION, TOO_MANY = 4401, 4429  # as participant/consumers.py says


@dataclass(frozen=True)
class HostileFrame:
    """What goes over the socket: text as bytes (perhaps no UTF-8), or a binary frame."""

    attack: str
    payload: bytes
    is_binary: bool = False
    may_close: frozenset[int | None] = field(default_factory=frozenset)


@dataclass
class Aim:
    """What a hostile client knows: its own place, and ids that honest people use."""

    position: int = 1
    seq: int = 0
    honest_ids: list[str] = field(default_factory=list)


def valid(rng: random.Random, aim: Aim) -> dict[str, Any]:
    """A frame that would be understood, at a random moment: also out of order, and for positions not there yet."""
    kind = rng.choice([name for name in KINDS if name != "withdraw"] + ["withdraw"] * (rng.random() < 0.02))
    position = max(0, aim.position + rng.choice((0, 0, 0, 0, 1, 1, -1, 2, 7)))
    return {
        "kind": kind,
        "id": str(uuid.UUID(int=rng.getrandbits(128))),
        "position": position,
        "option": rng.randrange(5),
        "confidence": rng.choice((0.25, 0.42, 0.6, 0.8, 1.0)),
        "text": rng.choice(("Why?", "Which one?", "B?")),
        "writer": str(uuid.UUID(int=rng.getrandbits(2))),
        "number": rng.randrange(2_000),
        "base": max(0, aim.seq - rng.randrange(4)),
        "last_seq": rng.randrange(50),
        "seq": rng.randrange(50),
        "type": rng.choice(("focus", "blur", "copy", "paste", "nothing")),
        "counts": {"n": rng.randrange(9)},
        "reply": rng.choice((None, "r1.1", "r9.9")),
        "at": time.time() * 1000 + rng.uniform(-1e5, 1e5),
    }


def _text(attack: str, body: str, *may_close: int | None) -> HostileFrame:
    return HostileFrame(attack, body.encode("utf-8", "surrogatepass"), may_close=frozenset(may_close))


def _utf8(attack: str, payload: bytes) -> HostileFrame:
    """Bytes as a text frame; those that are no UTF-8, or too many, end the connection."""
    if len(payload) > MAX_BYTES:
        return HostileFrame(attack, payload, may_close=frozenset({DROPPED}))
    try:
        payload.decode()
    except UnicodeDecodeError:
        return HostileFrame(attack, payload, may_close=frozenset({DROPPED}))
    return HostileFrame(attack, payload)


def in_any_order(rng: random.Random, aim: Aim) -> HostileFrame:
    return _text("valid, in any order", json.dumps(valid(rng, aim)))


def wrong_value(rng: random.Random, aim: Aim) -> HostileFrame:
    frame = valid(rng, aim)
    for name in rng.sample(FIELDS, rng.choice((1, 1, 1, 2, 5))):
        frame[name] = values.value(rng)
    return _utf8("wrong values", values.as_json(frame, rng).encode("utf-8", "surrogatepass"))


def odd_numbers(rng: random.Random, aim: Aim) -> HostileFrame:
    frame = valid(rng, aim)
    name = rng.choice(("at", "seq", "last_seq", "position", "option", "confidence", "number", "base"))
    frame[name] = 1
    return _text("odd numbers", json.dumps(frame).replace(f'"{name}": 1', f'"{name}": {rng.choice(values.RAW)}'))


def missing(rng: random.Random, aim: Aim) -> HostileFrame:
    frame = valid(rng, aim)
    for name in rng.sample(sorted(frame), rng.randint(1, len(frame))):
        del frame[name]
    return _text("missing fields", json.dumps(frame))


def extra(rng: random.Random, aim: Aim) -> HostileFrame:
    frame = json.dumps(valid(rng, aim))
    more = json.dumps({rng.choice(FIELDS + values.TEXTS[:4]): values.value(rng) for _ in range(rng.randint(1, 40))})
    return _utf8("extra and doubled fields", f"{frame[:-1]}, {more[1:]}".encode("utf-8", "surrogatepass"))


def unknown_kind(rng: random.Random, aim: Aim) -> HostileFrame:
    frame = valid(rng, aim) | {"kind": rng.choice((values.value(rng), "snapshot", "event", "ack", "Submit", "frame"))}
    return _utf8("unknown kinds", json.dumps(frame).encode())


def no_object(rng: random.Random, aim: Aim) -> HostileFrame:
    return _utf8("not an object", values.as_json(values.value(rng), rng).encode("utf-8", "surrogatepass"))


def truncated(rng: random.Random, aim: Aim) -> HostileFrame:
    raw = json.dumps(valid(rng, aim))
    return _text("truncated", raw[: rng.randrange(len(raw))])


def deep(rng: random.Random, aim: Aim) -> HostileFrame:
    depth = rng.choice((10, 900, 1_100, 9_000, 30_000))
    opening = rng.choice(("[", '{"a":', '[{"kind":', "[[["))
    body = (opening * depth)[:60_000]
    return _text("deeply nested", rng.choice((body, '{"kind": "draft", "text": ' + body)))


def bent(rng: random.Random, aim: Aim) -> HostileFrame:
    return _utf8("valid with bent bytes", values.bent(json.dumps(valid(rng, aim)).encode(), rng))


def random_bytes(rng: random.Random, aim: Aim) -> HostileFrame:
    return _utf8("random bytes as text", values.noise(rng, 300))


def binary(rng: random.Random, aim: Aim) -> HostileFrame:
    payload = rng.choice((values.noise(rng, 300), json.dumps(valid(rng, aim)).encode()))
    return HostileFrame("binary", payload, is_binary=True)


def big(rng: random.Random, aim: Aim) -> HostileFrame:
    frame = valid(rng, aim) | {
        "kind": "message",
        "text": rng.choice("xé\n") * rng.choice((8_001, 9_999, 10_001, 30_000)),
    }
    raw = json.dumps(frame, ensure_ascii=False)
    return _text("long texts", raw, *([DROPPED] if len(raw.encode()) > MAX_BYTES else []))


def oversized(rng: random.Random, aim: Aim) -> HostileFrame:
    frame = valid(rng, aim) | {"text": "x" * rng.choice((65_536, 70_000, 300_000, 1_000_000))}
    return _text("over the frame limit", json.dumps(frame), DROPPED)


def somebody_elses(rng: random.Random, aim: Aim) -> HostileFrame:
    frame = valid(rng, aim)
    ids = aim.honest_ids[-200:] or [frame["id"]]
    frame |= {"id": rng.choice(ids), "writer": rng.choice(ids), "session": 1, "session_id": rng.randint(1, 9)}
    return _text("other people's ids", json.dumps(frame))


ATTACKS: dict[Callable[[random.Random, Aim], HostileFrame], int] = {
    in_any_order: 22,
    wrong_value: 22,
    odd_numbers: 8,
    missing: 6,
    extra: 5,
    unknown_kind: 4,
    no_object: 4,
    truncated: 5,
    deep: 3,
    bent: 8,
    random_bytes: 3,
    binary: 3,
    big: 2,
    oversized: 1,
    somebody_elses: 8,
}


def hostile(rng: random.Random, aim: Aim) -> HostileFrame:
    (attack,) = rng.choices(list(ATTACKS), list(ATTACKS.values()))
    return attack(rng, aim)
