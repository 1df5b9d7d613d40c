"""Whatever is sent, the engine answers it or refuses it: it never fails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from studies.assistant.engine import fields

ODD = (
    float("inf"), float("-inf"), float("nan"), 10**400, -(10**400), 2**63, 1e-50, -1, 0, 0.5, "", "\ud800", "\x00",
    [], {}, True, None, "\ue000", "<|end|>", "x" * 9000,
)  # fmt: skip
TEXTS = st.text(st.characters(codec=None), max_size=8)  # lone surrogates too
VALUES = st.recursive(
    st.sampled_from(ODD) | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "user", "assistant", "tool"]), "content": VALUES | TEXTS | TEXTS}
    ),
    max_size=3,
)
NAMES = st.sampled_from([*fields.CHAT, *fields.SCORE, *fields._HARMLESS, *fields._WITHOUT_EFFECT]) | TEXTS
GOOD = st.fixed_dictionaries(
    {"messages": MESSAGES | VALUES},
    optional={
        "prompt": TEXTS,
        "continuations": st.lists(TEXTS | VALUES, max_size=3),
        "max_tokens": st.integers(1, 3) | VALUES,
        "temperature": st.floats(0, 2) | VALUES,
        "top_p": st.floats(0, 1) | VALUES,
        "seed": st.integers() | VALUES,
        "stop": TEXTS | st.lists(TEXTS, max_size=3) | VALUES,
        "deadline_seconds": st.floats(0, 1) | VALUES,
        "stream": st.booleans() | VALUES,
        "stream_options": VALUES,
    },
)
BODIES = GOOD | st.dictionaries(NAMES, VALUES, max_size=4) | VALUES


@pytest.fixture(scope="module")
def http(engine_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=engine_url, timeout=60, trust_env=False) as client:
        yield client


@pytest.mark.parametrize("path", ["chat/completions", "score", "warm"])
@given(body=BODIES)
@example(body={"messages": [{"role": "user", "content": "a"}], "max_tokens": float("inf")})
@example(body={"messages": [{"role": "user", "content": "a"}], "seed": 1e400})
@example(body={"messages": [{"role": "user", "content": "\ud800"}], "continuations": ["A"]})
@example(body={"prompt": "a", "continuations": ["\ud800"]})
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
def test_no_body_makes_the_engine_fail(http: httpx.Client, path: str, body: Any) -> None:
    sent = json.dumps(body)
    reply = http.post(f"/v1/{path}", content=sent, headers={"content-type": "application/json"})
    assert reply.status_code in (200, 400, 413), (sent, reply.text)
    if reply.status_code != 200:
        assert reply.json()["error"]["message"]
    else:
        assert '"code": "internal"' not in reply.text
