"""Where the files of an analysis run lie."""

from pathlib import Path

from django.conf import settings

from studies.reports.models import AnalysisRun


def folder_of(run: AnalysisRun) -> Path:
    """results.csv, results.json, the report and its pictures."""
    return Path(settings.DATA_DIR) / "analysis" / str(run.pk)
