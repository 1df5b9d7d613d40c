"""Where the files of an analysis run lie."""

from pathlib import Path

from django.conf import settings

from studies.reports.models import AnalysisRun

BUNDLE = "bundle.zip"


def folder_of(run: AnalysisRun) -> Path:
    """results.csv, results.json, the report and its pictures."""
    return Path(settings.DATA_DIR) / "analysis" / str(run.pk)


def bundle_of(run: AnalysisRun) -> Path | None:
    """The bundle of the rows that a look's analysis read; None where it wrote none, or on another machine."""
    path = folder_of(run) / BUNDLE
    return path if path.is_file() else None
