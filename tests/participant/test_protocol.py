"""Frames from the browser: read exactly, or refused with a code; never an exception of another kind."""

import json
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.participant import protocol

ID = str(uuid.uuid4())


def read(**body: object) -> protocol.Frame:
    return protocol.read(json.dumps(body))


def code_of(raw: str) -> str:
    with pytest.raises(protocol.BadFrame) as bad:
        protocol.read(raw)
    return bad.value.code


def test_a_submit_is_read() -> None:
    frame = read(kind="submit", id=ID, position=3, option=0, confidence=1, at=1_700_000_000_000)
    assert frame == protocol.Submit(uuid.UUID(ID), 3, 0, 1.0, at=frame.at)  # type: ignore[union-attr]
    assert frame.at is not None
    assert frame.at.year == 2023


def test_a_draft_may_leave_things_out() -> None:
    assert read(kind="draft", id=ID, position=1, option=None) == protocol.Draft(uuid.UUID(ID), 1, None, None)


def test_a_message_keeps_its_text() -> None:
    text = "  <b>é\n𝔘</b> "
    assert read(kind="message", id=ID, position=1, text=text) == protocol.Message(uuid.UUID(ID), 1, text)


@pytest.mark.parametrize(
    ("code", "raw"),
    [
        ("not_json", ""),
        ("not_json", "{"),
        ("not_json", "[" * 50_000),
        ("not_an_object", "[]"),
        ("not_an_object", "3"),
        ("unknown_kind", "{}"),
        ("unknown_kind", '{"kind": "frame"}'),
        ("unknown_kind", '{"kind": ["submit"]}'),
        ("missing_value", '{"kind": "submit"}'),
        ("missing_value", f'{{"kind": "submit", "id": "{ID}"}}'),
        ("bad_value", '{"kind": "submit", "id": "7", "position": 1}'),
        ("bad_value", f'{{"kind": "submit", "id": "{ID}", "position": true}}'),
        ("bad_value", f'{{"kind": "submit", "id": "{ID}", "position": 1, "option": -1}}'),
        ("bad_value", f'{{"kind": "submit", "id": "{ID}", "position": 1, "option": 1e9}}'),
        ("bad_value", f'{{"kind": "draft", "id": "{ID}", "position": 1, "confidence": NaN}}'),
        ("bad_value", f'{{"kind": "draft", "id": "{ID}", "position": 1, "confidence": "0.6"}}'),
        ("bad_value", f'{{"kind": "message", "id": "{ID}", "position": 1, "text": "\\u0000"}}'),
        ("bad_value", f'{{"kind": "message", "id": "{ID}", "position": 1, "text": "\\ud800"}}'),
        ("bad_value", f'{{"kind": "message", "id": "{ID}", "position": 1, "text": "{"x" * 10_001}"}}'),
        ("bad_value", f'{{"kind": "draft", "id": "{ID}", "position": 1, "at": 1e300}}'),
        ("bad_value", f'{{"kind": "event", "id": "{ID}", "type": "copy", "counts": [1]}}'),
        ("bad_value", '{"kind": "ping", "at": [1]}'),
        ("bad_value", '{"kind": "ping", "at": NaN}'),  # it would be sent back, and no browser reads it
        ("bad_value", '{"kind": "ping", "at": "Infinity"}'),
    ],
)
def test_a_bad_frame_is_refused(code: str, raw: str) -> None:
    assert code_of(raw) == code


def test_a_refusal_names_the_frame_it_refuses() -> None:
    with pytest.raises(protocol.BadFrame) as bad:
        read(kind="submit", id=ID)
    assert bad.value.id == ID


JSON = st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.lists(st.text()) | st.just({"a": {}})
FIELDS = st.dictionaries(
    st.sampled_from(["id", "position", "option", "confidence", "text", "at", "type", "counts"]), JSON
)


def code_or_frame(raw: str) -> str:
    try:
        return type(protocol.read(raw)).__name__
    except protocol.BadFrame as bad:
        return bad.code


CODES = {"not_json", "not_an_object", "unknown_kind", "missing_value", "bad_value"}


@given(kind=st.sampled_from(list(protocol.KINDS)), values=FIELDS)
def test_whatever_comes_is_a_frame_or_a_bad_frame(kind: str, values: dict[str, object]) -> None:
    assert code_or_frame(json.dumps({"kind": kind, **values})) in CODES | {kind.capitalize()}


@given(st.text())
def test_whatever_text_comes_is_refused_politely(raw: str) -> None:
    assert code_or_frame(raw) in CODES
