"""What is wrong with a study file: each problem names the key, the value and what is allowed; all are told at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True)
class Problem:
    """`key` is dotted (`questions.general.count`); `sentence` goes on after it, with =value first where there is one.

    `about` lists further keys that the problem rests on: it is not told while one of them is wrong itself.
    """

    key: str
    sentence: str
    about: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.key}{self.sentence}"


class DesignError(Exception):
    """A refusal; `code` is for machines, the text for people."""

    code = "design"


class SpecError(Exception):
    """A study file that cannot be used, with everything that is wrong with it."""

    code = "study_file"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def wrong_value(key: str, value: object, allowed: str) -> Problem:
    return Problem(key, f"={shown(value)}: use {allowed}.")


def shown(value: object) -> str:
    """A value as it can be quoted in one line, with TOML's words for yes and no."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(list(value)) if isinstance(value, tuple) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def nearest(name: str, known: Sequence[str], prefix: str = "") -> str:
    """A sentence that suggests the known name nearest to this one, or lists what there is."""
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {prefix}{near[0]}?"
    return f"There is: {', '.join(known)}." if known else "There is none."
