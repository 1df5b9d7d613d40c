"""The whole quick report of a large study, and what has to be imported for one, each in a process of its own."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.analysis.conftest import simulate_trials
from tests.running import ROOT

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
IMPORT = """
import json, time
started = time.process_time()
import studies.analysis.__main__, studies.analysis.report
print(json.dumps({"import": time.process_time() - started}))
"""
REPORT = """
import contextlib, io, json, sys, time
import studies.analysis.__main__ as analysis, studies.analysis.report
started = time.process_time()
with contextlib.redirect_stdout(io.StringIO()):
    code = analysis.main([sys.argv[1], "--out", sys.argv[2], "--quick"])
print(json.dumps({"report": time.process_time() - started, "code": code}))
"""


def import_seconds() -> float:
    """CPU seconds to import all that the report needs."""
    return float(_in_a_process(IMPORT)["import"])


def report_seconds() -> float:
    """CPU seconds from a trials.csv of 100,000 trials to everything that `--quick` writes; imports not counted."""
    with tempfile.TemporaryDirectory(prefix="oversight-bench-") as name:
        trials = Path(name) / "trials.csv"
        simulate_trials(people=500, per_person=200, questions=1_000).to_csv(trials, index=False)
        found = _in_a_process(REPORT, str(trials), str(Path(name) / "out"))
        if found["code"] != 0 or not (Path(name) / "out" / "report.html").is_file():
            raise RuntimeError(f"the analysis ended with {found['code']}")
        return float(found["report"])


def _in_a_process(script: str, *arguments: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], cwd=ROOT, env={**os.environ, **ONE_THREAD, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return dict(json.loads(done.stdout.splitlines()[-1]))
