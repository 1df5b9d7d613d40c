"""Every figure of a stored analysis in one chosen version: of which trials, with timeouts and exclusions or without."""

from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

VERSIONS = {
    "timeouts": {"wrong": "count as wrong", "excluded": "are left out"},
    "exclusions": {"applied": "are applied", "none": "are not applied"},
}
DEFAULT = {"timeouts": "wrong", "exclusions": "applied", "subset": "all", "population": "random"}
PERSON = "participant="
PARTS = {
    "acc": "Right answers", "diff": "Contrasts", "es": "Effect sizes", "perm": "Randomisation tests",
    "mcnemar": "Paired tests", "glmm": "Mixed models", "gee": "Estimating equations", "cal": "Calibration",
    "vote": "Votes", "rel": "Reliance", "agree": "Protocols compared", "place": "Places", "dose": "Time and use",
    "power": "Power", "look": "Looks",
}  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """One thing to choose: its name in the address, its label, (value, words) for each option, and what is chosen."""

    name: str
    label: str
    options: tuple[tuple[str, str], ...]
    chosen: str


@dataclass(frozen=True)
class Figure:
    """One row: what it is about, the figure with its uncertainty as text, and how it was computed."""

    title: str
    about: str
    estimate: str
    interval: str
    p: str
    p_adj: str
    n: str
    remarks: str
    id: str
    definition: str
    method: str


@dataclass(frozen=True)
class Part:
    """Figures of one kind."""

    title: str
    figures: tuple[Figure, ...]


def choices(results: dict[str, Any], asked: QueryDict) -> list[Choice]:
    """What can be chosen of these results, and what is; anything that is not there is the headline instead."""
    rows = results.get("results", [])
    found = []
    for name, label in (("timeouts", "Trials without an answer"), ("exclusions", "Exclusions"), ("subset", "Trials")):
        there = dict.fromkeys(str(row.get(name)) for row in rows if not str(row.get(name)).startswith(PERSON))
        options = tuple((value, VERSIONS.get(name, {}).get(value, value.replace("_", " "))) for value in there)
        headline = results.get("headline", DEFAULT).get(name, DEFAULT[name])
        asked_for = asked.get(name, headline)
        found.append(Choice(name, label, options, asked_for if asked_for in there else headline))
    return found


def parts(results: dict[str, Any], chosen: list[Choice]) -> list[Part]:
    """The figures of that version for new people and new questions, in the order of the registry, by kind."""
    version = {choice.name: choice.chosen for choice in chosen} | {"population": "random"}
    kinds: dict[str, list[Figure]] = {}
    for row in results.get("results", []):
        if all(row.get(name) == value for name, value in version.items()):
            kinds.setdefault(str(row["id"]).partition(".")[0], []).append(_figure(row, results.get("definitions", {})))
    return [Part(PARTS.get(kind, kind), tuple(figures)) for kind, figures in kinds.items()]


def _figure(row: dict[str, Any], definitions: dict[str, Any]) -> Figure:
    described = definitions.get(row["id"], {})
    ends = (row.get("low"), row.get("high"))
    against = f" − {row['baseline']}" if row.get("baseline") else ""
    return Figure(
        title=described.get("title", row["id"]),
        about=", ".join(filter(None, [row["condition"], row.get("arm")])) + against,
        estimate=_number(row.get("estimate")),
        interval="–" if None in ends else f"{_number(ends[0])} to {_number(ends[1])}",
        p=_p(row.get("p")),
        p_adj=_p(row.get("p_adj")),
        n=f"{row.get('n_trials') or 0:,.0f}",
        remarks="; ".join(filter(None, [row.get("reason"), (row.get("flags") or "").replace("_", " ")])),
        id=row["id"],
        definition=described.get("definition", ""),
        method=row.get("method") or "",
    )


def _number(value: float | None) -> str:
    """On the figure's own scale, as results.csv has it, three decimals."""
    return "–" if value is None else f"{value:.3f}".replace("-", "−")


def _p(value: float | None) -> str:
    return "" if value is None else "< .001" if value < 0.0005 else f"{value:.3f}"
