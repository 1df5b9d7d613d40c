"""`Spec` ↔ JSON, without loss, and its hash: what a study row keeps of its file.

Named tables become lists: PostgreSQL's jsonb does not keep the order of keys, and the order of conditions matters.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import MISSING, asdict
from typing import Any

from studies.design.keys import REFUSED, default_of, keys_of, kinds_of
from studies.design.problems import Problem, SpecError
from studies.design.spec import NAMED_TABLES, TABLES, Spec

Json = dict[str, Any]


def spec_to_json(spec: Spec) -> Json:
    """The specification as plain JSON; named tables are lists of objects with a `name`."""
    plain: Json = json.loads(json.dumps(asdict(spec)))
    return plain


def spec_from_json(value: Json) -> Spec:
    """The specification that was stored. A key that came later gets its default.

    Rules and ranges are not looked at again: a stored study stays readable when they change. Raises SpecError for
    a value of the wrong type or a missing required key.
    """
    problems: list[Problem] = []
    parts: dict[str, Any] = {name: _table(table, value.get(name, {}), name, problems) for name, table in TABLES.items()}
    for name, table in NAMED_TABLES.items():
        parts[name] = tuple(
            _table(table, each, f"{name}.{each['name']}", problems, name=each["name"]) for each in value.get(name, [])
        )
    if problems:
        raise SpecError(problems)
    return Spec(**parts)


def hash_of_json(value: Json) -> str:
    """sha256 of the canonical JSON: sorted keys, no blanks. The same on every database and machine."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def spec_hash(spec: Spec) -> str:
    return hash_of_json(spec_to_json(spec))


def _table(table: type, given: Json, path: str, problems: list[Problem], **named: str) -> Any:
    values: dict[str, Any] = {}
    kinds = kinds_of(table)
    for name, each in keys_of(table).items():
        value = kinds[name].convert(given[name]) if name in given else default_of(each)
        if value is MISSING or value is REFUSED:
            problems.append(Problem(f"{path}.{name}", f" is not a {kinds[name].name} in the stored specification."))
        values[name] = value
    return table(**named, **values)
