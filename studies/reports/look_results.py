"""What the analyses before a study's closing found about the primary contrast: the looks that were really taken."""

from typing import Any

from studies.design.models import Study
from studies.reports.models import AnalysisRun

CONTRAST = {"condition": "human+model", "baseline": "human", "arm": None}


def before_closing(study: Study, primary: str) -> list[dict[str, Any]]:
    """Each finished analysis of before the closing, first to last: when, estimate, se and p. One query."""
    runs = AnalysisRun.objects.filter(study=study, finished_at__isnull=False, error="", results__isnull=False)
    if study.closed_at is not None:
        runs = runs.filter(created_at__lt=study.closed_at)
    found = runs.order_by("created_at", "pk").values_list("created_at", "results")
    return [{"at": at.isoformat(timespec="seconds"), **_headline(results or {}, primary)} for at, results in found]


def _headline(results: dict[str, Any], primary: str) -> dict[str, Any]:
    wanted = {"id": f"diff.hm_minus_human.{primary}", **CONTRAST, **results.get("headline", {})}
    rows = (row for row in results.get("results", []) if all(row.get(name) == v for name, v in wanted.items()))
    row: dict[str, Any] = next(rows, {})
    return {name: row.get(name) for name in ("estimate", "se", "p")}
