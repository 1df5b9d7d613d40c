"""A study file (TOML) → `Spec`. Every problem of the file is found before any is told."""

from __future__ import annotations

import re
import tomllib
from dataclasses import MISSING
from typing import Any

from studies.design import overrides as settings
from studies.design.keys import REFUSED, default_of, key_of, keys_of, kinds_of
from studies.design.overrides import Deviation, Overrides, Tables
from studies.design.problems import Problem, SpecError, nearest, shown, wrong_value
from studies.design.spec import NAME, NAME_WORDS, NAMED_TABLES, TABLES, Spec
from studies.design.spec_rules import broken_rules

# Stands in for a required value that is wrong or missing, so that the rules between keys can still be looked at.
_STAND_IN: dict[str, Any] = {
    "text": "",
    "whole number": 1,
    "number": 1.0,
    "true or false": False,
    "list of texts": (),
}


def read_spec(text: str, overrides: Overrides = ()) -> Spec:
    """The study file with the overrides applied (`KEY=VALUE` texts, or dotted keys with values).

    Raises SpecError with all that is wrong.
    """
    return read_with_deviations(text, overrides)[0]


def read_with_deviations(text: str, overrides: Overrides = ()) -> tuple[Spec, list[Deviation]]:
    """The same, with the record of what the overrides changed: [{key, from, to}]."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError([Problem("the study file", f" is not TOML: {error}.")]) from error
    tables, deviations, problems = settings.apply(tables, overrides)
    spec, wrong = _read(tables)
    problems += wrong
    told = {problem.key for problem in problems}
    problems += [rule for rule in broken_rules(spec) if not told & {rule.key, *rule.about}]
    if problems:
        raise SpecError(problems)
    return spec, deviations


def _read(tables: Tables) -> tuple[Spec, list[Problem]]:
    problems: list[Problem] = []
    known = [*TABLES, *NAMED_TABLES]
    for name in tables:
        if name not in known:
            problems.append(Problem(name, f": no such table. {nearest(name, known)}"))
    parts: dict[str, Any] = {}
    for name, table in TABLES.items():
        parts[name], wrong = _table(table, name, tables.get(name, {}))
        problems += wrong
    for name, table in NAMED_TABLES.items():
        parts[name], wrong = _named_tables(table, name, tables.get(name, {}))
        problems += wrong
    return Spec(**parts), problems


def _named_tables(table: type, path: str, given: Any) -> tuple[tuple[Any, ...], list[Problem]]:
    if not isinstance(given, dict):
        return (), [wrong_value(path, given, f"tables with a name, [{path}.NAME]")]
    read: list[Any] = []
    problems: list[Problem] = []
    for name, inner in given.items():
        if not re.fullmatch(NAME, name) or len(name) > 80:
            problems.append(Problem(f"{path}.{name}", f": as a table's name use {NAME_WORDS}, at most 80 characters."))
        elif not isinstance(inner, dict):
            problems.append(wrong_value(f"{path}.{name}", inner, f"a table with a name, [{path}.NAME]"))
        else:
            one, wrong = _table(table, f"{path}.{name}", inner, name=name)
            read.append(one)
            problems += wrong
    return tuple(read), problems


def _table(table: type, path: str, given: Any, **named: str) -> tuple[Any, list[Problem]]:
    """One table; a key that is wrong gets its default, or a stand-in, and a problem."""
    if not isinstance(given, dict):
        return _table(table, path, {}, **named)[0], [wrong_value(path, given, f"a table, [{path}]")]
    keys, kinds = keys_of(table), kinds_of(table)
    problems = [
        Problem(f"{path}.{name}", f"={shown(value)}: no such key. {nearest(name, list(keys), f'{path}.')}")
        for name, value in given.items()
        if name not in keys
    ]
    values: dict[str, Any] = {}
    for name, each in keys.items():
        key, kind, default = key_of(each), kinds[name], default_of(each)
        value = kind.convert(given[name]) if name in given else default
        if value is MISSING:
            problems.append(Problem(f"{path}.{name}", f": missing. Use {key.allowed(kind)}."))
        elif value is REFUSED or (name in given and not key.accepts(value)):
            problems.append(wrong_value(f"{path}.{name}", given[name], key.allowed(kind)))
            value = MISSING
        values[name] = value if value is not MISSING else default
        if values[name] is MISSING:
            values[name] = _STAND_IN[kind.name]
    return table(**named, **values), problems
