"""What differs between two versions of a study file, key by key, in the file's own words. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import MISSING, dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import Any

from studies.design.keys import default_of, keys_of
from studies.design.spec import NAMED_TABLES, TABLES
from studies.design.spec_json import Json

CONTEXT = 1  # unchanged lines that are shown around a changed one
LONG = 70  # characters: a longer text is shown line by line
KEPT, REMOVED, ADDED, SKIPPED = " ", "-", "+", "…"


@dataclass(frozen=True)
class TextLine:
    """A line of a text: kept, removed, added, or `…` for lines in between that did not change."""

    mark: str
    text: str


@dataclass(frozen=True)
class Change:
    """One key that differs. `before` or `after` is None where that version has no such table.

    Values are as in the study file (TOML). `lines` is filled for long texts, and is what should be shown then.
    """

    table: str
    key: str
    before: str | None
    after: str | None
    lines: tuple[TextLine, ...] = ()


def changes(before: Json, after: Json) -> list[Change]:
    """Every key that differs between two stored specifications, in the order of the page of all keys.

    A table that only one version has is told by its keys that are not at their default. A change of nothing but the
    order of conditions, questions or assistants is told as the key `(order)`.
    """
    found: list[Change] = []
    for name, table in TABLES.items():
        found += _changed_keys(name, table, before.get(name, {}), after.get(name, {}))
    for name, table in NAMED_TABLES.items():
        old, new = _by_name(before, name), _by_name(after, name)
        for own in [*old, *(each for each in new if each not in old)]:
            found += _changed_keys(f"{name}.{own}", table, old.get(own), new.get(own))
        found += _order(name, [each for each in old if each in new], [each for each in new if each in old])
    return found


def toml(value: Any) -> str:
    """A value as it stands in a study file."""
    if value is None:
        return "not set"
    if isinstance(value, dict):
        inner = ", ".join(f"{name} = {toml(each)}" for name, each in sorted(value.items()))
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml(each) for each in value)}]"
    return json.dumps(value, ensure_ascii=False)


def text_lines(before: str, after: str) -> tuple[TextLine, ...]:
    """The lines that went and came, with a little of what stands around them."""
    old, new = before.splitlines(), after.splitlines()
    lines: list[TextLine] = []
    for what, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            lines += _context(old[i1:i2], is_first=i1 == 0 and j1 == 0, is_last=i2 == len(old) and j2 == len(new))
        else:
            lines += [TextLine(REMOVED, line) for line in old[i1:i2]]
            lines += [TextLine(ADDED, line) for line in new[j1:j2]]
    return tuple(lines)


def by_table(found: list[Change]) -> Iterator[tuple[str, list[Change]]]:
    """(table, its changes), in order."""
    for table, own in groupby(found, key=lambda change: change.table):
        yield table, list(own)


def _changed_keys(path: str, table: type, old: Json | None, new: Json | None) -> Iterator[Change]:
    for key, field in keys_of(table).items():
        default = _plain(default_of(field))
        before = default if old is None else old.get(key, default)
        after = default if new is None else new.get(key, default)
        if before == after:
            continue
        lines: tuple[TextLine, ...] = ()
        if old is not None and new is not None and _is_long(before, after):
            lines = text_lines(before, after)
        shown = (None if old is None else toml(before), None if new is None else toml(after))
        yield Change(path, key, *shown, lines)


def _is_long(before: Any, after: Any) -> bool:
    texts = isinstance(before, str) and isinstance(after, str)
    return texts and any("\n" in text.strip() or len(text) > LONG for text in (before, after))


def _plain(default: Any) -> Any:
    """A default as JSON would have it; a key without a default has none that could be equal."""
    if default is MISSING:
        return None
    return list(default) if isinstance(default, tuple) else default


def _by_name(spec: Json, name: str) -> dict[str, Json]:
    return {each["name"]: each for each in spec.get(name, [])}


def _order(name: str, old: list[str], new: list[str]) -> Iterator[Change]:
    if old != new:
        yield Change(name, "(order)", ", ".join(old), ", ".join(new))


def _context(same: list[str], *, is_first: bool, is_last: bool) -> list[TextLine]:
    head = [] if is_first else same[:CONTEXT]
    rest = same[len(head) :]
    tail = [] if is_last else rest[max(0, len(rest) - CONTEXT) :]
    between = len(rest) - len(tail)
    kept = [[TextLine(KEPT, line) for line in part] for part in (head, tail)]
    return [*kept[0], *([TextLine(SKIPPED, f"{between} lines unchanged")] if between else []), *kept[1]]
