"""Values that nobody should send: for JSON fields, form fields, headers and paths."""

import json
import random
import uuid
from typing import Any

TEXTS = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "é𝔘\u202e\u200b",
    "\ud800",
    "\udfff\ud800",
    "0",
    "-1",
    "1e999",
    "NaN",
    "true",
    "null",
    "' OR 1=1 --",
    "{{ 7*7 }}{% debug %}",
    "<script>alert(1)</script>",
    "../../../../etc/passwd",
    "%s%n%x",
    "\r\nSet-Cookie: a=b",
    "__class__",
    "x" * 300,
    "x" * 10_000,
    "x" * 10_001,
    "é" * 20_000,
)
NUMBERS = (
    0,
    -0.0,
    1,
    -1,
    1.5,
    2**31 - 1,
    2**31,
    2**53,
    2**53 + 1,
    2**63,
    2**64,
    10**30,
    -(10**30),
    1e308,
    -1e308,
    1e15,
)
RAW = ("NaN", "Infinity", "-Infinity", "1e999", "1" * 4_000, "1" * 6_000, "-", "01", "0x1", "tru", "'a'", "{}", "[]")
METHODS = (
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "PROPFIND",
    "get",
    "É",
    "X" * 300,
)


def scalar(rng: random.Random) -> Any:
    """A value that JSON can carry."""
    return rng.choice(
        (
            None,
            True,
            False,
            rng.choice(NUMBERS),
            rng.choice(TEXTS),
            rng.randint(-5, 12),
            rng.uniform(-1, 2),
            str(uuid.UUID(int=rng.getrandbits(128))),
            rng.getrandbits(rng.choice((8, 40, 70, 2_000))),
        )
    )


def value(rng: random.Random) -> Any:
    """A scalar, or a small structure of them."""
    return rng.choice(
        (
            scalar(rng),
            scalar(rng),
            [scalar(rng) for _ in range(rng.randint(0, 6))],
            {str(scalar(rng))[:40]: scalar(rng) for _ in range(rng.randint(0, 8))},
            nested(rng.randint(1, 60)),
        )
    )


def nested(depth: int) -> Any:
    made: Any = 0
    for place in range(depth):
        made = [made] if place % 2 else {"a": made}
    return made


def as_json(body: Any, rng: random.Random) -> str:
    """JSON text, sometimes with a value that JSON does not know put in as it is."""
    text = json.dumps(body, ensure_ascii=rng.random() < 0.7)
    if rng.random() < 0.15:
        text = text.replace(": 1", f": {rng.choice(RAW)}", 1)
    return text


def noise(rng: random.Random, most: int) -> bytes:
    return rng.randbytes(rng.randint(0, most))


def bent(raw: bytes, rng: random.Random) -> bytes:
    """The same bytes with a few of them changed, doubled, cut out or moved."""
    made = bytearray(raw)
    for _ in range(rng.randint(1, 6)):
        if not made:
            break
        at = rng.randrange(len(made))
        match rng.randrange(4):
            case 0:
                made[at] = rng.randrange(256)
            case 1:
                del made[at : at + rng.randint(1, 9)]
            case 2:
                made[at:at] = made[at : at + rng.randint(1, 30)]
            case 3:
                made[at:at] = noise(rng, 8)
    return bytes(made)
