"""The analysis as a process of its own: `python -m studies.analysis` over a zip of tables.

Never in the web process: the analysis would hold its memory and its interpreter. The process is given the tables and
no secret: neither the database's address nor a key is in its environment.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

from django.conf import settings

from studies.jobs.work import Clock, JobFailed

LIMIT = timedelta(minutes=15)
POLL_SECONDS = 0.2
REFUSED = 2  # the analysis's exit code for tables that it does not accept
WORDS = 4000  # characters of what the analysis said
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "VIRTUAL_ENV")
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")  # a page must not wait for a matrix
TABLES = "bundle.zip"  # the report names its input as a person who reruns it will
Beat = Callable[[], None]


def analyse(tables: Path, out: Path, *, clock: Clock, beat: Beat = lambda: None, is_quick: bool = False) -> None:
    """Write everything that the analysis says of a zip of tables to `out`; `beat` is called while it computes.

    Raises JobFailed with what the analysis said when it refuses the tables, breaks or takes too long.
    """
    began = clock()
    with tempfile.TemporaryFile() as said:
        command = [sys.executable, "-m", "studies.analysis", str(tables), "--out", str(out)]
        command += ["--quick"] if is_quick else []
        process = subprocess.Popen(  # noqa: S603  our own interpreter and module, no shell
            command, cwd=settings.BASE_DIR, env=environment(), stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
        try:
            while process.poll() is None:
                time.sleep(POLL_SECONDS)
                beat()
                if clock() - began > LIMIT:
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


def environment() -> dict[str, str]:
    """No secret of ours, one thread, no window: what a process that computes is given."""
    kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return {**kept, **dict.fromkeys(ONE_THREAD, "1"), "MPLBACKEND": "Agg", "PYTHONHASHSEED": "0"}
