"""Where a bundle's tables stand: named as Psych-DS asks, `data/description-modelAnswers_data.csv`; older ones plainly.

Psych-DS takes as data what matches `([a-z]+-[a-zA-Z0-9]+)(_[a-z]+-[a-zA-Z0-9]+)*_data.csv` below `data/`.
"""

import re
from collections.abc import Iterable

DATA = "data"
SUFFIX = "_data.csv"
OURS = re.compile(r"description-([a-zA-Z0-9]+)_data\.csv")


def data_name(table: str) -> str:
    """`model_answers` → `description-modelAnswers_data.csv`."""
    first, *rest = table.split("_")
    return f"description-{first}{''.join(word.capitalize() for word in rest)}{SUFFIX}"


def data_file(table: str) -> str:
    """The same within a bundle, from its root."""
    return f"{DATA}/{data_name(table)}"


def candidates(table: str) -> tuple[str, str]:
    """The names under which a table may stand in its folder: Psych-DS's, and the plain one of older bundles."""
    return data_name(table), f"{table}.csv"


def is_defused(name: str) -> bool:
    """Whether cells of this file that look like formulas were written with an apostrophe (see formulas)."""
    return OURS.fullmatch(name.rpartition("/")[2]) is not None


def table_of(name: str) -> str:
    """The table that a file is: `description-modelAnswers_data.csv` and `model_answers.csv` are `model_answers`."""
    base = name.rpartition("/")[2]
    found = OURS.fullmatch(base)
    if found is None:
        return base.removesuffix(".csv")
    return re.sub(r"[A-Z]", lambda letter: f"_{letter[0].lower()}", found[1])


def find(folder: str, table: str, names: Iterable[str]) -> str | None:
    """The path of a table in a folder (`` is the root) among these names; None when it is not there."""
    known = set(names)
    paths = (f"{folder}/{name}" if folder not in ("", ".") else name for name in candidates(table))
    return next((path for path in paths if path in known), None)
