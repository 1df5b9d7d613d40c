"""Analyses that counted somebody who is erased are taken away; what they found of all together stays for the looks."""

import logging
import shutil
from datetime import datetime
from typing import Any

from django.db import transaction
from django.dispatch import receiver

from studies.reports.folder import folder_of
from studies.reports.models import AnalysisRun
from studies.runtime.erasure import erased

log = logging.getLogger(__name__)


@receiver(erased)
def take_away(*, study_id: int, now: datetime, **_: Any) -> None:
    """In the erasure's transaction; the files go once it is committed. A run under way finds out when it stores."""
    for run in AnalysisRun.objects.select_for_update().filter(study_id=study_id, taken_away_at=None):
        run.results, run.fragment, run.report, run.taken_away_at = _of_nobody(run.results), "", "", now
        run.save(update_fields=["results", "fragment", "report", "taken_away_at"])
    transaction.on_commit(remove_files)


def remove_files() -> None:
    """Whatever this machine's disk still has of analyses that were taken away, here or by a process elsewhere.

    A run under way removes its own. What cannot be removed is logged, and tried again at every analysis and erasure.
    """
    for run in AnalysisRun.objects.exclude(taken_away_at=None).exclude(finished_at=None).only("pk"):
        folder = folder_of(run)
        if folder.exists():
            try:
                shutil.rmtree(folder)
            except OSError as error:
                log.error("files of erased people are still in %s, remove them by hand: %s", folder, error)


def _of_nobody(results: dict[str, Any] | None) -> dict[str, Any] | None:
    """Without the figures of single persons."""
    if results is None:
        return None
    rows = [row for row in results.get("results", []) if not str(row.get("subset")).startswith("participant=")]
    return results | {"results": rows}
