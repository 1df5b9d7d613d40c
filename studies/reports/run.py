"""Analysis runs: the tables go to the analysis as a process of its own, its results into a row and a folder."""

import json
import shutil
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from studies.design.models import Study
from studies.jobs import operations as jobs
from studies.jobs.work import Clock, JobFailed, JobInterrupted, Report, Work, working
from studies.reports import process, source
from studies.reports.bundle import one_instant
from studies.reports.computed import results_in
from studies.reports.files import Files, bundle_files, read_by_analysis, table_files, with_sums
from studies.reports.folder import BUNDLE, folder_of
from studies.reports.looks import Asked, open_outcomes
from studies.reports.models import AnalysisRun
from studies.reports.taken_away import remove_files
from studies.reports.write_zip import write_zip

TASK = "studies.tasks.analyse"
FILES = ("results.json", "report.fragment.html", "report.html")


def start_analysis(*, study: Study, now: datetime, look: Asked | None = None) -> AnalysisRun:
    """Ask for an analysis of the study as it is now. While it is open it takes a look; without one: OutcomesSealed."""
    with transaction.atomic():
        open_outcomes(study, look)
        run = AnalysisRun.objects.create(study=study, created_at=now)
        run.job = jobs.enqueue(task=TASK, arguments={"run_id": run.pk}, now=now)
        run.save(update_fields=["job"])
    return run


def work_analysis(*, job_id: int, clock: Clock, report: Report | None = None) -> None:
    """Work the job's run. Does nothing when the job is somebody else's or over: safe to call twice."""
    with working(job_id=job_id, clock=clock, report=report) as work:
        if work is None:
            return
        run = AnalysisRun.objects.select_related("study").get(pk=work.job.arguments["run_id"])
        try:
            _analyse(run, work)
        except JobInterrupted:
            raise
        except Exception as error:
            is_expected = isinstance(error, JobFailed)
            words = str(error) if is_expected else f"Unexpected {type(error).__name__}: {error}"
            AnalysisRun.objects.filter(pk=run.pk).update(error=words, finished_at=work.clock())
            raise


def _analyse(run: AnalysisRun, work: Work) -> None:
    work.progress(0, 3)
    remove_files()
    AnalysisRun.objects.filter(pk=run.pk).update(taken_away_at=None)  # who was erased before now is not in the rows
    out = folder_of(run)
    shutil.rmtree(out, ignore_errors=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="oversight-tables-") as name:
        files = _files(run.study)
        tables = Path(name) / process.TABLES
        write_zip(tables, read_by_analysis(files))
        work.progress(1, 3)
        process.analyse(tables, out, clock=work.clock, beat=work.beat)
    if run.study.state != Study.State.CLOSED:
        write_zip(out / BUNDLE, with_sums(files | results_in(out)))
    work.progress(2, 3)
    results, fragment, report = (_read(out / file) for file in FILES)
    is_stored = _store(
        run,
        results=json.loads(results, parse_constant=_refuse_constant),
        fragment=fragment,
        report=report,
        error="",
        finished_at=work.clock(),
    )
    if not is_stored:
        shutil.rmtree(out, ignore_errors=True)
        raise JobFailed("Somebody's data were erased while this was computed. Compute it again.")
    work.progress(3, 3)


def _files(study: Study) -> Files:
    """What the analysis reads; for a look all of a bundle, since later there is none of this moment."""
    with one_instant():
        rows = source.read(study)
        if not rows.trials:
            raise JobFailed(f"Nobody has answered a question of {study} yet: there is nothing to analyse.")
        return table_files(rows) if study.state == Study.State.CLOSED else bundle_files(rows)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise JobFailed(f"The analysis ended well but wrote no {path.name}.") from None


def _refuse_constant(constant: str) -> Any:
    raise JobFailed(f"results.json has {constant}: an undefined figure must be null, with a reason.")


def _store(run: AnalysisRun, **values: Any) -> bool:
    """False when the run was taken away since it read its rows, so that nothing of it may stay."""
    return AnalysisRun.objects.filter(pk=run.pk, taken_away_at=None).update(**values) > 0
