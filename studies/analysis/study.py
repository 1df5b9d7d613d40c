"""What `study.json` says about a study: its name, what was fixed before the data, and who looked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Literal, cast

from studies.analysis import family
from studies.analysis.errors import InputError, Problem
from studies.analysis.estimate import Estimate
from studies.analysis.sequential import information, z_of

Primary = Literal["micro", "question_weighted"]
Subjects = Literal["exploratory", "confirmatory"]

ALLOWED: dict[str, tuple[str, ...]] = {
    "primary": ("micro", "question_weighted"),
    "subjects": ("exploratory", "confirmatory"),
}


@dataclass(frozen=True)
class LookResult:
    """The primary contrast as an earlier analysis found it; None where it had no test."""

    at: str
    information: float | None
    z: float | None


@dataclass(frozen=True)
class Study:
    """The settings of an analysis. Everything has a default, so that a bare trials.csv needs none.

    `primary` is the form of human+model minus human that is tested first: fixed when the study is created
    (question_weighted in crossed, Latin and interleaved designs), never chosen by the data. `subjects` chooses
    Holm (confirmatory) or Benjamini-Hochberg (exploratory). `baseline_protocol` names the protocol behind the
    `model_*` columns. `looks` are the times at which outcomes were opened before the study was closed.

    margin: the largest difference that does not matter, as a share (0.05 is five points); None where none was fixed
    before the data. family: contrasts adjusted together (see `family`).
    planned_looks: information fractions of the planned analyses, empty where one was planned; max_information: 1/SE²
    at the end. look_results: what earlier analyses found. spec_hash: digest of the study file and plan.
    taken_back_late: people whose exclusion was taken back after outcomes were seen.
    """

    title: str = ""
    is_simulated: bool = False
    primary: Primary = "micro"
    subjects: Subjects = "exploratory"
    baseline_protocol: str = ""
    looks: tuple[str, ...] = ()
    margin: float | None = None
    family: tuple[str, ...] = family.PLANNED
    alpha: float = 0.05
    planned_looks: tuple[float, ...] = ()
    max_information: float | None = None
    look_results: tuple[LookResult, ...] = ()
    spec_hash: str = ""
    is_closed: bool = True
    taken_back_late: int = 0


def from_json(value: Mapping[str, object]) -> Study:
    """Read the keys that `Study` names, and `state`; others are not used here.

    Raises InputError naming the key, the value and what is allowed.
    """
    problems: list[Problem] = []

    def take(key: str, kind: type, default: object, allowed: str) -> object:
        found = value.get(key, default)
        if not isinstance(found, kind) or (key in ALLOWED and found not in ALLOWED[key]):
            problems.append(Problem("study.json", None, key, repr(found), allowed))
            return default
        return found

    margin = value.get("margin")
    if margin is not None and (isinstance(margin, bool) or not isinstance(margin, int | float) or not 0 < margin < 1):
        problems.append(Problem("study.json", None, "margin", repr(margin), "a share above 0 and below 1, or null"))
        margin = None

    def number(key: str, most: float, default: float | None = None) -> float | None:
        found = value.get(key, default)
        is_number = isinstance(found, (int, float)) and not isinstance(found, bool) and 0 < found <= most
        if found is None or is_number:
            return cast(float | None, found)
        bound = f" up to {most:g}" if most < inf else ""
        problems.append(Problem("study.json", None, key, repr(found), f"a number above 0{bound}, or null"))
        return default

    def listed(key: str, default: Sequence[object], allowed: str) -> list[object]:
        return cast(list[object], take(key, list, list(default), allowed))

    fractions = listed("planned_looks", (), "a list of numbers above 0")
    if not all(isinstance(each, (int, float)) and each > 0 for each in fractions):
        problems.append(Problem("study.json", None, "planned_looks", repr(fractions), "a list of numbers above 0"))
        fractions = []
    study = Study(
        title=str(take("title", str, "", "text")),
        is_simulated=bool(take("simulated", bool, False, "true or false")),
        primary=cast(Primary, take("primary", str, "micro", " or ".join(ALLOWED["primary"]))),
        subjects=cast(Subjects, take("subjects", str, "exploratory", " or ".join(ALLOWED["subjects"]))),
        baseline_protocol=str(take("baseline_protocol", str, "", "the name of a protocol")),
        looks=tuple(str(look) for look in cast(list[object], take("looks", list, [], "a list of times"))),
        margin=None if margin is None else float(margin),
        family=_family(listed("family", family.PLANNED, "a list of contrasts"), problems),
        alpha=number("alpha", 0.5, 0.05) or 0.05,
        planned_looks=tuple(float(cast(float, each)) for each in fractions),
        max_information=number("max_information", inf),
        look_results=tuple(_look(each, problems) for each in listed("look_results", (), "a list of analyses")),
        spec_hash=str(take("spec_hash", str, "", "text")),
        is_closed=take("state", str, "closed", "text") == "closed",
        taken_back_late=cast(int, take("exclusions_taken_back_post_hoc", int, 0, "a whole number")),
    )
    if problems:
        raise InputError(problems)
    return study


def _family(values: Sequence[object], problems: list[Problem]) -> tuple[str, ...]:
    for value in values:
        try:
            family.parse(str(value))
        except ValueError:
            problems.append(Problem("study.json", None, "family", repr(value), family.ALLOWED))
    return tuple(map(str, values))


def _look(value: object, problems: list[Problem]) -> LookResult:
    """An earlier analysis: {at, estimate, se, p} of the primary contrast; numbers may be null."""
    keys = ("estimate", "se", "p")
    if not isinstance(value, dict) or not all(isinstance(value.get(key), (int, float, type(None))) for key in keys):
        allowed = "an object with at, estimate, se and p"
        problems.append(Problem("study.json", None, "look_results", repr(value), allowed))
        return LookResult("", None, None)
    found = Estimate(estimate=value.get("estimate"), se=value.get("se"), p=value.get("p"))
    return LookResult(str(value.get("at", "")), information(found), z_of(found))
