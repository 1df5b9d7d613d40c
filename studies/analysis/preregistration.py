"""`preregistration.json`: what was fixed before the first participant, as a file that a bundle carries unchanged."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import get_args, get_type_hints

from studies.analysis.errors import InputError, Problem

FORMAT = 1
FILE = "preregistration.json"


@dataclass(frozen=True, kw_only=True)
class Preregistration:
    """What was registered.

    study, version, spec_hash: which study, frozen by the digest of its file and plan. primary: the form of
    human+model minus human (micro, question_weighted). baseline_protocol: the model alone that people are compared
    with first. family: contrasts that are adjusted together by Holm (see `family`). subjects: exploratory or
    confirmatory. margin: of the equivalence tests, in shares. exclusions: the rules by which people may be left out.
    timeouts: how unanswered trials count. looks: information fractions of the planned analyses, the last one 1.
    max_information: 1/SE² at the end. people: how many are to take part. seed: of the study's draws. code_sha256: of
    `studies.analysis`.
    """

    study: str
    version: int
    title: str
    spec_hash: str
    primary: str
    baseline_protocol: str
    family: tuple[str, ...]
    subjects: str
    alpha: float
    margin: float | None
    exclusions: tuple[str, ...]
    timeouts: str
    looks: tuple[float, ...]
    max_information: float | None
    people: int
    seed: int
    code_sha256: str
    locked_at: str

    def to_json(self) -> dict[str, object]:
        """Plain values, lists in place of tuples, and the number of the file's format."""
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}
        return {"format": FORMAT, **plain}


def from_json(value: Mapping[str, object]) -> Preregistration:
    """The same read back. Raises InputError naming each key that is missing or of another kind."""
    kinds = get_type_hints(Preregistration)
    problems = [
        Problem(FILE, None, field.name, repr(value.get(field.name)), _allowed(kinds[field.name]))
        for field in fields(Preregistration)
        if field.name not in value or not _fits(value[field.name], kinds[field.name])
    ]
    if value.get("format") != FORMAT:
        problems.append(Problem(FILE, None, "format", repr(value.get("format")), str(FORMAT)))
    if problems:
        raise InputError(problems)
    read = {field.name: value[field.name] for field in fields(Preregistration)}
    return Preregistration(**{name: tuple(v) if isinstance(v, list) else v for name, v in read.items()})  # type: ignore[arg-type]


def _fits(value: object, kind: object) -> bool:
    if value is None:
        return type(None) in get_args(kind)
    if isinstance(value, bool):
        return False
    if kind in (str, int):
        return isinstance(value, kind)
    if kind == tuple[str, ...]:
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    if kind == tuple[float, ...]:
        return isinstance(value, list) and all(isinstance(each, (int, float)) for each in value)
    return isinstance(value, (int, float))


def _allowed(kind: object) -> str:
    names = {str: "text", int: "a whole number", float: "a number", tuple[str, ...]: "a list of texts",
             tuple[float, ...]: "a list of numbers"}  # fmt: skip
    return names.get(kind, "a number or null")  # type: ignore[call-overload,no-any-return]
