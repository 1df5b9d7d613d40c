"""Looks before the end: at each the information, the boundary, z, and what followed."""

from math import inf

from studies.analysis import looks
from studies.analysis.blocks import How, Section, Table
from studies.analysis.data import Data
from studies.analysis.estimate import Estimate
from studies.analysis.present import number, percent
from studies.analysis.results import Results
from studies.analysis.schema import HUMAN, HUMAN_MODEL

IDS = ("look.information", "look.boundary", "look.z")
UNPLANNED = (
    "Outcomes were opened before the study was closed, and no looks were planned: the p values here do not allow for"
    " that."
)
CAUTION = (
    "z is taken from the t test's p, so that a look with few people has its own t distribution; that looks move like a"
    " Brownian motion is approximate there. Information is 1/SE², not a count of trials."
)


def section(data: Data, results: Results) -> Section | None:
    """None where no looks were planned and none was taken."""
    study = data.study
    if not study.planned_looks and not study.looks:
        return None
    title = "Looks before the end"
    if not study.planned_looks:
        return Section("looks", title, (UNPLANNED,), ())
    found = results.find(f"diff.hm_minus_human.{study.primary}", HUMAN_MODEL, baseline=HUMAN) or Estimate()
    planned = ", ".join(percent(fraction, 0) for fraction in study.planned_looks)
    try:
        every = looks.looks(found, study)
    except ValueError as why:
        return Section("looks", title, (f"Planned at {planned} of the information; {why}.",), ())
    rows = [
        ("This analysis" if each.at == "now" else each.at, percent(each.fraction), _bound(each.bound), number(each.z),
         "crossed: a difference is shown" if each.is_crossed else "not crossed")
        for each in every
    ]  # fmt: skip
    table = Table("Looks", ("", "Information", "Boundary of |z|", "z", "Decision"), rows,
                  note="Human + model − human, the primary contrast, over all looks together at"
                  f" alpha {study.alpha:g}.")  # fmt: skip
    return Section("looks", title, (f"Planned at {planned} of the information.",), (table, How(IDS, (CAUTION,))))


def _bound(bound: float) -> str:
    return "nothing left to spend" if bound == inf else number(bound)
