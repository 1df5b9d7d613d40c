"""What `study.json` says about a study: its name, what was fixed before the data, and who looked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from studies.analysis.errors import InputError, Problem

Primary = Literal["micro", "question_weighted"]
Subjects = Literal["exploratory", "confirmatory"]

ALLOWED: dict[str, tuple[str, ...]] = {
    "primary": ("micro", "question_weighted"),
    "subjects": ("exploratory", "confirmatory"),
}


@dataclass(frozen=True)
class Study:
    """The settings of an analysis. Everything has a default, so that a bare trials.csv needs none.

    `primary` is the form of human+model minus human that is tested first: fixed when the study is created
    (question_weighted in crossed and Latin designs), never chosen by the data. `subjects` chooses Holm (confirmatory)
    or Benjamini-Hochberg (exploratory). `baseline_protocol` names the protocol behind the `model_*` columns.
    `looks` are the times at which outcomes were opened before the study was closed. `margin` is the largest difference
    that does not matter, as a share (0.05 is five points); None where none was fixed before the data.
    """

    title: str = ""
    is_simulated: bool = False
    primary: Primary = "micro"
    subjects: Subjects = "exploratory"
    baseline_protocol: str = ""
    looks: tuple[str, ...] = ()
    margin: float | None = None


def from_json(value: Mapping[str, object]) -> Study:
    """Read the keys title, simulated, primary, subjects, baseline_protocol, looks and margin; others are not used here.

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
    study = Study(
        title=str(take("title", str, "", "text")),
        is_simulated=bool(take("simulated", bool, False, "true or false")),
        primary=cast(Primary, take("primary", str, "micro", " or ".join(ALLOWED["primary"]))),
        subjects=cast(Subjects, take("subjects", str, "exploratory", " or ".join(ALLOWED["subjects"]))),
        baseline_protocol=str(take("baseline_protocol", str, "", "the name of a protocol")),
        looks=tuple(str(look) for look in cast(list[object], take("looks", list, [], "a list of times"))),
        margin=None if margin is None else float(margin),
    )
    if problems:
        raise InputError(problems)
    return study
