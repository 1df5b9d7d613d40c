"""Whether a bundle's files are those that were written, and whether its derived tables come out the same again."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from studies.analysis import code
from studies.analysis.analyse import analyse
from studies.analysis.archive import opened
from studies.analysis.data import Data, read
from studies.analysis.errors import InputError, Problem
from studies.analysis.results import Results
from studies.analysis.study import ALLOWED, Primary

SUMS, RESULTS = "SHA256SUMS", "results/results.json"
DERIVED = ("results.csv", "results.json", "table1.csv")
Write = Callable[[Data, Results], dict[str, str]]


@dataclass(frozen=True)
class Rebuilt:
    """`tables` are those that were made again, `problems` say how they differ; none were made where there are none."""

    tables: tuple[str, ...]
    problems: tuple[str, ...]

    def __str__(self) -> str:
        if self.problems:
            return f"The derived tables do NOT come out the same: {'; '.join(self.problems)}"
        if not self.tables:
            return "No derived tables are in it: nothing to make again."
        return f"Made again, byte for byte the same: {', '.join(self.tables)}."


def checksums(source: Path) -> list[str]:
    """What SHA256SUMS says otherwise of the files, in words: changed, missing, and not named there."""
    with opened(source) as archive:
        if SUMS not in archive.names:
            return [f"there is no {SUMS}"]
        lines = archive.read(SUMS).decode("utf-8", "replace").splitlines()
        told = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
        problems = [f"{name} is missing" for name in sorted(told.keys() - set(archive.names))]
        ignored = {SUMS} | ({name for name in archive.names if "__pycache__" in name} if source.is_dir() else set())
        problems += [f"{name} is not in {SUMS}" for name in sorted(set(archive.names) - told.keys() - ignored)]
        for name in sorted(told.keys() & set(archive.names)):
            if hashlib.sha256(archive.read(name)).hexdigest() != told[name]:
                problems.append(f"{name} was changed")
        return problems


def rebuild(source: Path, write: Write) -> Rebuilt:
    """Compute the derived tables again from a bundle's own tables, the same way, and compare the bytes.

    The same way: quick or not, and with the form of the primary contrast, as results.json says. `write` turns results
    into the tables' texts. Raises InputError where the tables or results.json cannot be read.
    """
    with opened(source) as archive:
        there = {name: archive.read(f"results/{name}") for name in DERIVED if f"results/{name}" in archive.names}
    if not there:
        return Rebuilt((), ())
    told = _settings(there.get("results.json"))
    data = replace(read(source), source=told.source)
    data = replace(data, study=replace(data.study, primary=told.primary))
    made = write(data, analyse(data, is_quick=told.is_quick))
    problems = [f"{name} is missing" for name in DERIVED if name not in there]
    problems += [
        f"{name} differs from line {_first(content, made[name].encode())} on"
        for name, content in there.items()
        if content != made[name].encode()
    ]
    if problems and told.code != code.digest():
        problems.append("they were made by another version of the analysis: use the one in analysis/ of the bundle")
    return Rebuilt(tuple(there), tuple(problems))


@dataclass(frozen=True)
class _Settings:
    """What results were computed with, as far as it changes them."""

    source: str
    primary: Primary
    is_quick: bool
    code: str


def _settings(content: bytes | None) -> _Settings:
    try:
        value = json.loads(content or b"")
        found = (value["source"]["name"], value["study"]["primary"], value["quick"], value["code"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        words = f"{type(error).__name__} {error}"
        raise InputError([Problem(RESULTS, None, "", words, "what the analysis wrote")]) from error
    if found[1] not in ALLOWED["primary"] or not isinstance(found[2], bool):
        raise InputError([Problem(RESULTS, None, "", str(found), "what the analysis wrote")])
    return _Settings(*found)


def _first(one: bytes, other: bytes) -> int:
    """The first line, from 1, in which two texts differ."""
    lines, others = one.split(b"\n"), other.split(b"\n")
    same = (number for number, pair in enumerate(zip(lines, others, strict=False), start=1) if pair[0] != pair[1])
    return next(same, min(len(lines), len(others)) + 1)
