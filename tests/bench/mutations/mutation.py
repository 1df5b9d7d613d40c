"""One deliberate mistake."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """`old` stands exactly once in `file`. `needs_postgres`: on SQLite another lock hides it."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    is_named_goal: bool = False
    needs_postgres: bool = False
