"""The files that a stored analysis wrote, for downloading: tables, report in other forms, pictures."""

from pathlib import Path

from studies.reports.folder import folder_of
from studies.reports.models import AnalysisRun

TYPES = {
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
    ".md": "text/markdown; charset=utf-8",
    ".tex": "application/x-tex; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
LEFT_OUT = {"report.fragment.html", "error.txt"}


def names(run: AnalysisRun) -> list[str]:
    """What lies in the run's folder, as paths from there, pictures last; nothing where another machine computed it."""
    folder = folder_of(run)
    paths = (path for path in folder.rglob("*") if path.suffix in TYPES and path.is_file() and not path.is_symlink())
    found = (name for path in paths if (name := path.relative_to(folder).as_posix()) not in LEFT_OUT)
    return sorted(found, key=lambda name: ("/" in name, name))


def find(run: AnalysisRun, name: str) -> Path | None:
    """The file of that name; None for every other path, wherever it may lead."""
    return folder_of(run) / name if name in names(run) else None
