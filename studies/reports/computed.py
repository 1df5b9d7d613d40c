"""The results that belong to a bundle's tables: those of the newest analysis if it read the same, else computed now."""

import hashlib
import tempfile
from pathlib import Path, PurePosixPath

from django.utils import timezone

from studies.analysis import code, filenames
from studies.design.models import Study
from studies.reports import process
from studies.reports.files import Files
from studies.reports.folder import BUNDLE, folder_of
from studies.reports.models import AnalysisRun
from studies.reports.write_zip import write_zip

LEFT_OUT = ("report.fragment.html", "error.txt", BUNDLE)


def stored_or_now(study: Study, tables: Files) -> Files:
    """The results, as files of the bundle. Raises JobFailed when the analysis refuses the tables or breaks."""
    return stored(study, tables) or now(study, tables)


def stored(study: Study, tables: Files) -> Files:
    """The files of the study's newest analysis if it read exactly these tables, with this code; else none."""
    runs = AnalysisRun.objects.filter(study=study, finished_at__isnull=False, error="", taken_away_at=None)
    newest = runs.order_by("-pk").only("pk", "results").first()
    if newest is None or newest.results is None:
        return {}
    read = newest.results.get("source", {}).get("sha256")  # runs of older versions say less
    is_same = read == digests(tables) and newest.results.get("code") == code.digest()
    return results_in(folder_of(newest)) if is_same else {}


def now(study: Study, tables: Files, *, is_quick: bool = False) -> Files:
    """Computed from the tables in a process of its own; none where nobody has answered anything."""
    if tables[filenames.data_file("trials")].count(b"\n") < 2:
        return {}
    with tempfile.TemporaryDirectory(prefix="oversight-results-") as name:
        folder = Path(name)
        write_zip(folder / process.TABLES, tables)
        process.analyse(folder / process.TABLES, folder / "out", clock=timezone.now, is_quick=is_quick)
        return results_in(folder / "out")


def digests(tables: Files) -> dict[str, str]:
    """sha256 of each of these files, as results.json names it."""
    return {PurePosixPath(name).name: hashlib.sha256(content).hexdigest() for name, content in tables.items()}


def results_in(folder: Path) -> Files:
    """What an analysis wrote there, as files of the bundle."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in LEFT_OUT)
    return {f"results/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in paths}
