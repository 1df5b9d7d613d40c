"""The page of all keys of a study file, made from the code: `manage.py create_study --keys`."""

from __future__ import annotations

import json
from dataclasses import MISSING
from pathlib import Path
from typing import Any

from studies.design.keys import default_of, key_of, keys_of, kinds_of
from studies.design.spec import NAMED_TABLES, TABLES

PAGE = Path(__file__).with_name("KEYS.md")

_ORDER = (
    *("study", "texts", "checks", "screening", "questions", "conditions", "assistants"),
    *("answers", "timing", "assignment", "analysis", "survey"),
)
_HEAD = """\
# Every key of a study file

Made from `studies/design/spec.py` by `manage.py create_study --keys`; a test fails when this page is not current.
A study file is TOML; the shipped ones are in `studies/design/files/`. Any key can be changed by hand with
`manage.py create_study FILE --set KEY=VALUE`, where KEY is dotted as below (`study.slots`, `questions.general.count`)
and VALUE is TOML or bare text; each change is recorded with the study as a deviation.
"""


def keys_page() -> str:
    """The whole page as Markdown."""
    parts = [_HEAD]
    for name in _ORDER:
        table = TABLES.get(name) or NAMED_TABLES[name]
        heading = f"[{name}.NAME]" if name in NAMED_TABLES else f"[{name}]"
        rows = [_row(table, key) for key in keys_of(table)]
        head = "| key | type | default | allowed | meaning |\n|---|---|---|---|---|"
        parts.append(f"## `{heading}`\n{_first_line(table)}\n\n{head}\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


def _row(table: type, name: str) -> str:
    each = keys_of(table)[name]
    key, kind = key_of(each), kinds_of(table)[name]
    default = default_of(each)
    allowed = key.allowed(kind).replace("|", "\\|")
    if key.only:
        allowed += f"; only with backend {' or '.join(key.only)}"
    return f"| `{name}` | {kind.name} | {_shown(default)} | {allowed} | {key.doc} |"


def _shown(default: Any) -> str:
    if default is MISSING:
        return "**required**"
    return "not set" if default is None else f"`{json.dumps(default)}`"


def _first_line(table: type) -> str:
    return " ".join((table.__doc__ or "").split())
