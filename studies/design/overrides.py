"""`--set KEY=VALUE`: change a key of the study file by hand, and keep a record of what was changed."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING
from typing import Any

from studies.design.keys import default_of, keys_of, kinds_of
from studies.design.problems import Problem, nearest
from studies.design.spec import NAMED_TABLES, TABLES

Tables = dict[str, Any]
Deviation = dict[str, Any]  # {"key", "from", "to"}: it is stored as JSON
Overrides = Sequence[str] | Mapping[str, Any]  # KEY=VALUE texts as typed, or dotted keys with values


def apply(tables: Tables, overrides: Overrides) -> tuple[Tables, list[Deviation], list[Problem]]:
    """The tables with every override applied, the record of what that changed, and the overrides that cannot be read.

    The value of a KEY=VALUE is TOML (`18`, `0.8`, `true`, `["one"]`); anything else is taken as text, quotes or not.
    Whether the key exists and the value is allowed is for the reader to say; only a named table that the file lacks is
    refused here.
    """
    changed, deviations, problems = copy.deepcopy(tables), list[Deviation](), list[Problem]()
    seen: set[tuple[str, ...]] = set()
    for path, after, given in _read(overrides):
        if len(path) < 2:
            problems.append(Problem(f"--set {given}", ": use KEY=VALUE, for example --set study.slots=5."))
            continue
        if path in seen:
            problems.append(Problem(f"--set {given}", f": {'.'.join(path)} was already set; give it once."))
            continue
        seen.add(path)
        missing = _missing_table(tables, path)
        if missing:
            problems.append(missing)
            continue
        before = _now(tables, path)
        _put(changed, path, after)
        if before != after:
            deviations.append({"key": ".".join(path), "from": before, "to": after})
    return changed, deviations, problems


def _read(overrides: Overrides) -> Iterator[tuple[tuple[str, ...], Any, str]]:
    """(path, value, as it was given) of each; the path is empty where it cannot be read."""
    if isinstance(overrides, Mapping):
        for name, value in overrides.items():
            yield _path(name), list(value) if isinstance(value, tuple) else value, f"{name}={value}"
        return
    for override in overrides:
        name, equals, raw = (part.strip() for part in override.partition("="))
        path = _path(name) if equals else ()
        yield path, _value(raw, is_text=_is_text(path)), override


def _path(name: str) -> tuple[str, ...]:
    """The parts of a dotted key, in TOML's own syntax (a part may stand in quotes); empty when it is none."""
    try:
        table: Any = tomllib.loads(f"{name} = 0")
    except tomllib.TOMLDecodeError:
        return ()
    path: list[str] = []
    while isinstance(table, dict):
        if len(table) != 1:
            return ()
        [(part, table)] = table.items()
        path.append(part)
    return tuple(path)


def _value(raw: str, *, is_text: bool) -> Any:
    try:
        read = tomllib.loads(f"value = {raw}")
    except tomllib.TOMLDecodeError:
        return raw
    value = read["value"] if set(read) == {"value"} else raw
    return raw if is_text and not isinstance(value, str) else value


def _field_of(path: tuple[str, ...]) -> tuple[type, str] | None:
    """The table's class and the key's name, for a path that leads to a key."""
    if not path:
        return None
    head, *rest = path
    if head in NAMED_TABLES:
        rest = rest[1:]
    table = NAMED_TABLES.get(head) or TABLES.get(head)
    return (table, rest[0]) if table is not None and rest and rest[0] in keys_of(table) else None


def _is_text(path: tuple[str, ...]) -> bool:
    found = _field_of(path)
    return found is not None and kinds_of(found[0])[found[1]].name == "text"


def _now(tables: Tables, path: tuple[str, ...]) -> Any:
    """The value before: the file's, else the default, else None."""
    value: Any = tables
    for part in path:
        if not isinstance(value, dict) or part not in value:
            break
        value = value[part]
    else:
        return value
    found = _field_of(path)
    if found is None or len(path) > (3 if path[0] in NAMED_TABLES else 2):
        return None
    default = default_of(keys_of(found[0])[found[1]])
    return None if default is MISSING else list(default) if isinstance(default, tuple) else default


def _put(tables: Tables, path: tuple[str, ...], value: Any) -> None:
    *parents, last = path
    for part in parents:
        inner = tables.get(part)
        if not isinstance(inner, dict):
            inner = tables[part] = {}
        tables = inner
    tables[last] = value


def _missing_table(tables: Tables, path: tuple[str, ...]) -> Problem | None:
    if path[0] not in NAMED_TABLES:
        return None
    there = tables.get(path[0])
    names = list(there) if isinstance(there, dict) else []
    if path[1] in names:
        return None
    advice = nearest(path[1], names, f"{path[0]}.")
    return Problem(".".join(path[:2]), f": the file has no such table, and --set cannot add one. {advice}")
