"""A key of the study file: its type, default, allowed values and one sentence of documentation, held by its field."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, get_type_hints

REFUSED = object()  # what a kind answers for a value that is not of it


@dataclass(frozen=True)
class Key:
    """What one key allows. `least` and `most` count characters of a text or entries of a list."""

    doc: str
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    least: int | None = None
    most: int | None = None
    pattern: str = ""
    pattern_words: str = ""
    names: tuple[str, ...] = ()  # the names that a table of numbers may have; empty: any
    only: tuple[str, ...] = ()  # the backends that know the key; empty: all

    def accepts(self, value: Any) -> bool:
        """Whether a value of the right type is allowed."""
        if self.choices and value not in self.choices:
            return False
        if self.pattern and value != "" and not re.fullmatch(self.pattern, value):
            return False
        if self.names and not set(value) <= set(self.names):
            return False
        size = len(value.strip()) if isinstance(value, str) else len(value) if hasattr(value, "__len__") else None
        if size is not None and not self._holds(size, self.least, self.most):
            return False
        return all(self._holds(number, self.low, self.high) for number in _numbers(value))

    def allowed(self, kind: Kind) -> str:
        """What is allowed, to be read after the word `use`."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        words = self.pattern_words or kind.words
        if self.names:
            words = f"a table of numbers with names out of {', '.join(self.names)}"
        if self.low is not None or self.high is not None:
            words += f", {_range(self.low, self.high)}"
        if self.least is not None or self.most is not None:
            words += f" ({_range(self.least, self.most)} {kind.unit})"
        return words

    @staticmethod
    def _holds(number: float, low: float | None, high: float | None) -> bool:
        return (low is None or number >= low) and (high is None or number <= high)


@dataclass(frozen=True)
class Kind:
    """A type that a key can have. `convert` takes what TOML or JSON gave and answers the value or REFUSED."""

    name: str
    words: str
    convert: Callable[[Any], Any]
    unit: str = ""


def key(doc: str, *, default: Any = MISSING, **limits: Any) -> Any:
    """A dataclass field for a key; without a default the key must be given."""
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata={"key": Key(doc, **limits)})
    return field(default=default, metadata={"key": Key(doc, **limits)})


def keys_of(table: type) -> dict[str, Field[Any]]:
    """The keys of a table, by name. The `name` of a named table is not a key: it stands in the table's heading."""
    return {each.name: each for each in fields(table) if "key" in each.metadata}


def key_of(each: Field[Any]) -> Key:
    found: Key = each.metadata["key"]
    return found


def default_of(each: Field[Any]) -> Any:
    """The key's default, or MISSING for a key that must be given."""
    return each.default_factory() if each.default_factory is not MISSING else each.default


def kinds_of(table: type) -> dict[str, Kind]:
    """The kind of each key of a table, from the type hints."""
    hints = get_type_hints(table)
    return {name: KINDS[hints[name]] for name in keys_of(table)}


def _numbers(value: Any) -> list[float]:
    if isinstance(value, bool):
        return []
    if isinstance(value, int | float):
        return [value]
    if isinstance(value, tuple):
        return [each for each in value if isinstance(each, int | float)]
    return list(value.values()) if isinstance(value, dict) else []


def _range(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {_plain(high)}"
    return f"{_plain(low)} to {_plain(high)}" if high is not None else f"{_plain(low)} or more"


def _plain(number: float | None) -> str:
    return str(number) if isinstance(number, int) else f"{number:g}"


def _text(value: Any) -> Any:
    return value if isinstance(value, str) and "\x00" not in value else REFUSED


def _whole(value: Any) -> Any:
    return value if isinstance(value, int) and not isinstance(value, bool) else REFUSED


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else REFUSED


def _list_of(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def converted(value: Any) -> Any:
        if not isinstance(value, list | tuple):
            return REFUSED
        entries = tuple(convert(each) for each in value)
        return REFUSED if REFUSED in entries else entries

    return converted


def _table_of_numbers(value: Any) -> Any:
    if not isinstance(value, dict):
        return REFUSED
    entries = {str(name): _number(each) for name, each in value.items()}
    return REFUSED if REFUSED in entries.values() else entries


KINDS: dict[Any, Kind] = {
    str: Kind("text", "text", _text, "characters"),
    int: Kind("whole number", "a whole number", _whole),
    float: Kind("number", "a number", _number),
    float | None: Kind("number", "a number", lambda value: None if value is None else _number(value)),
    bool: Kind("true or false", "true or false", lambda value: value if isinstance(value, bool) else REFUSED),
    tuple[str, ...]: Kind("list of texts", 'a list of texts such as ["one", "two"]', _list_of(_text), "entries"),
    tuple[float, ...]: Kind("list of numbers", "a list of numbers such as [0.5, 1.0]", _list_of(_number), "entries"),
    dict[str, float]: Kind("table of numbers", "a table such as { anatomy = 0.5 }", _table_of_numbers, "entries"),
}
