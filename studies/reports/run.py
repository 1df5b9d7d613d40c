"""Analysis runs: the tables go to `python -m studies.analysis` as a process of its own, its results into a row.

Never in the web process: the analysis would hold its memory and its interpreter. The process is given the tables and
no secret: neither the database's address nor a key is in its environment.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

from django.conf import settings
from django.db import transaction

from studies.design.models import Study
from studies.jobs import operations as jobs
from studies.jobs.work import Clock, JobFailed, JobInterrupted, Report, Work, working
from studies.reports import looks, source
from studies.reports.bundle import write_zip
from studies.reports.files import table_files
from studies.reports.models import AnalysisRun

TASK = "studies.tasks.analyse"
LIMIT = timedelta(minutes=15)
POLL_SECONDS = 0.2
REFUSED = 2  # the analysis's exit code for tables that it does not accept
WORDS = 4000  # characters of what the analysis said
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "VIRTUAL_ENV")
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")  # a page must not wait for a matrix
FILES = ("results.json", "report.fragment.html", "report.html")


def start_analysis(*, study: Study, now: datetime) -> AnalysisRun:
    """Ask for an analysis of the study as it is now. Raises OutcomesSealed without a look since the last one."""
    looks.require_outcomes(looks.may_compute_outcomes(study), study)
    with transaction.atomic():
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
            _store(run, error=words, finished_at=work.clock())
            raise


def folder_of(run: AnalysisRun) -> Path:
    """Where the run's files lie: results.csv, results.json, the report and its pictures."""
    return Path(settings.DATA_DIR) / "analysis" / str(run.pk)


def _analyse(run: AnalysisRun, work: Work) -> None:
    work.progress(0, 3)
    out = folder_of(run)
    shutil.rmtree(out, ignore_errors=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="oversight-tables-") as name:
        rows = source.read(run.study)
        if not rows.trials:
            raise JobFailed(f"Nobody has answered a question of {run.study} yet: there is nothing to analyse.")
        tables = Path(name) / "bundle.zip"  # the report names its input as a person who reruns it will
        write_zip(tables, table_files(rows))
        work.progress(1, 3)
        _run_process(tables, out, work)
    work.progress(2, 3)
    results, fragment, report = (_read(out / file) for file in FILES)
    _store(
        run,
        results=json.loads(results, parse_constant=_refuse_constant),
        fragment=fragment,
        report=report,
        error="",
        finished_at=work.clock(),
    )
    work.progress(3, 3)


def _run_process(tables: Path, out: Path, work: Work) -> None:
    """Raises JobFailed with what the analysis said when it refuses the tables, breaks or takes too long."""
    began = work.clock()
    with tempfile.TemporaryFile() as said:
        command = [sys.executable, "-m", "studies.analysis", str(tables), "--out", str(out)]
        process = subprocess.Popen(  # noqa: S603  our own interpreter and module, no shell
            command, cwd=settings.BASE_DIR, env=quiet_environment(), stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
        try:
            while process.poll() is None:
                time.sleep(POLL_SECONDS)
                work.beat()
                if work.clock() - began > LIMIT:
                    raise JobFailed(f"The analysis took longer than {LIMIT.seconds // 60} minutes and was stopped.")
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
        if process.returncode != 0:
            said.seek(0)
            _fail(process.returncode, said.read().decode("utf-8", "replace").strip(), out)


def _fail(code: int, said: str, out: Path) -> NoReturn:
    """A refusal is told as it is. Of a breakdown the last line is told, and all of it is kept beside the results."""
    if code == REFUSED and said:
        raise JobFailed(said[:WORDS])
    out.mkdir(parents=True, exist_ok=True)
    (out / "error.txt").write_text(said, encoding="utf-8")
    last = said.splitlines()[-1][:WORDS] if said else f"exit code {code}"
    raise JobFailed(f"The analysis broke: {last}. All that it said is in {out / 'error.txt'}")


def quiet_environment() -> dict[str, str]:
    """No secret of ours, one thread, no window: what a process that computes is given."""
    kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return {**kept, **dict.fromkeys(ONE_THREAD, "1"), "MPLBACKEND": "Agg", "PYTHONHASHSEED": "0"}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise JobFailed(f"The analysis ended well but wrote no {path.name}.") from None


def _refuse_constant(constant: str) -> Any:
    raise JobFailed(f"results.json has {constant}: an undefined figure must be null, with a reason.")


def _store(run: AnalysisRun, **values: Any) -> None:
    AnalysisRun.objects.filter(pk=run.pk).update(**values)
