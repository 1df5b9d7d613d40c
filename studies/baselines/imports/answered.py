"""One answer as a file made elsewhere tells it, and what is wrong with a file that cannot be read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MISSING = object()


class BadFile(ValueError):
    """A file is not what it should be; the sentence names file, place, field, value and what is allowed."""

    def __init__(self, place: str, name: str, value: object, allowed: str) -> None:
        shown = "nothing" if value is MISSING else repr(value)
        super().__init__(f"{place}: {name}={shown if len(shown) <= 80 else f'{shown[:77]}…'}: {allowed}")


@dataclass(frozen=True)
class Answered:
    """A question as the file has it, and the answer to it.

    `place`: file and line or sample, for messages. `key`: the right option by the file, None where it does not say.
    `passage_id`, `subject`: empty where the file does not say. `option`: None where no option could be told.
    `probabilities`: of every option, normalised over them; None without likelihoods. `failure`: why there is no answer
    at all; empty when there is one.
    """

    place: str
    text: str
    options: tuple[str, ...]
    option: int | None
    probabilities: tuple[float, ...] | None = None
    sample: int = 0
    key: int | None = None
    passage_id: str = ""
    subject: str = ""
    model: str = ""
    failure: str = ""
    raw: dict[str, Any] = field(default_factory=dict)


def parsed(place: str, text: str | bytes) -> Any:
    """JSON, or BadFile with where it breaks."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise BadFile(place, "content", text[:60], f"JSON is needed ({error})") from error


def taken(place: str, name: str, value: object, kind: type | tuple[type, ...], allowed: str) -> Any:
    """The value when it is of the kind (a truth value is no number); BadFile otherwise."""
    if not isinstance(value, kind) or isinstance(value, bool):
        raise BadFile(place, name, value, allowed)
    return value


def field_of(place: str, record: Mapping[str, Any], name: str, kind: type | tuple[type, ...], allowed: str) -> Any:
    """The same for a field of a record; the last part of a dotted name is the field."""
    return taken(place, name, record.get(name.rpartition(".")[2], MISSING), kind, allowed)


def texts_of(place: str, name: str, value: object) -> tuple[str, ...]:
    """Two or more texts."""
    allowed = "a list of 2 to 26 texts, the options"
    found = taken(place, name, value, list, allowed)
    if not 2 <= len(found) <= 26 or not all(isinstance(each, str) for each in found):
        raise BadFile(place, name, value, allowed)
    return tuple(found)


def text_or_nothing(record: Mapping[str, Any], *names: str) -> str:
    """The first of these fields that is a text; empty without one."""
    return next((value for name in names if isinstance(value := record.get(name), str)), "")
