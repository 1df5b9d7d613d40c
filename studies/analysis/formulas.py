"""Cells that a spreadsheet program would take for a formula: made harmless when written, and the same again when read.

A text that begins with = + - @, a tab or a carriage return is written with an apostrophe before it, unless it is a
number. Texts that have apostrophes before such a character get one more, so that reading takes away exactly one and
nothing is ambiguous. Only tables that a bundle names `…_data.csv`, and results.csv and table1.csv, are written so;
Parquet has every text as it is.
"""

import re

RISKY = re.compile(r"'*[=+\-@\t\r]")
DEFUSED = re.compile(r"'+[=+\-@\t\r]")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def defuse(text: str) -> str:
    """`=1+1` → `'=1+1`, `'=x` → `''=x`; `-5`, `+1e3` and all other texts stay."""
    return f"'{text}" if RISKY.match(text) and not NUMBER.fullmatch(text) else text


def restore(text: str) -> str:
    """The text that `defuse` was given."""
    return text[1:] if DEFUSED.match(text) else text
