"""`python -m tests.bench.planted`: 20 studies with a planted effect and 20 with none, through the whole server.

The pooled estimate must lie within 2 standard errors of what was planted, and of 20 null studies at most 3 may be
rejected at 5 %. Seeds are fixed and the bots' answers follow from them, so that a run can be repeated.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.bench.goals import Goals
from tests.running import ROOT, RunningServer

GAIN, ALPHA, REJECTED_SHARE = 0.25, 0.05, 3 / 20


@dataclass(frozen=True)
class Figure:
    """The primary contrast of one study."""

    estimate: float
    se: float
    p: float


def figures(server: RunningServer, gain: float, people: int, seeds: Sequence[int]) -> list[Figure]:
    """What the analysis says of each study. RuntimeError with what the process said when it breaks."""
    command = [sys.executable, "-m", "tests.bench.planted.play", server.url, str(server.folder), str(gain), str(people)]
    env = server.env | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([*command, *map(str, seeds)], cwd=ROOT, env=env, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"the studies broke off:\n{done.stdout}\n{done.stderr[-4000:]}")
    return [Figure(**json.loads(line)) for line in done.stdout.splitlines()]


def pooled(found: Sequence[Figure]) -> tuple[float, float]:
    """The plain mean of independent studies of one size, and its standard error."""
    estimates, errors = np.array([f.estimate for f in found]), np.array([f.se for f in found])
    return float(estimates.mean()), float(np.sqrt(np.square(errors).sum()) / len(found))


def run(*, studies: int, people: int, first_seed: int = 1) -> int:
    goals, seeds = Goals(), range(first_seed, first_seed + studies)
    with tempfile.TemporaryDirectory(prefix="oversight-planted-") as folder:
        server = RunningServer(Path(folder), OMP_NUM_THREADS=os.environ.get("OMP_NUM_THREADS", "1")).start()
        try:
            planted, null = (figures(server, gain, people, seeds) for gain in (GAIN, 0.0))
            wrong = server.errors()
        finally:
            server.stop()
    for seed, with_gain, without in zip(seeds, planted, null, strict=True):
        measured = [f"{100 * f.estimate:+6.1f} ± {100 * f.se:4.1f}" for f in (with_gain, without)]
        print(f"seed {seed:>3}: {100 * GAIN:+.0f} points planted: {measured[0]}; none planted: {measured[1]}")
    mean, error = pooled(planted)
    rejected = sum(figure.p < ALPHA for figure in null)
    print(f"pooled: {100 * mean:+.2f} ± {100 * error:.2f} points, planted {100 * GAIN:+.0f}")
    print(f"{len(planted)} studies with the effect: {sum(f.p < ALPHA for f in planted)} rejected the null hypothesis")
    goals.at_most("planted_effect_in_standard_errors", abs(mean - GAIN) / error, 2)
    goals.at_most("null_studies_rejected", rejected, int(REJECTED_SHARE * studies))
    goals.at_most("errors_in_the_server_log", len(wrong), 0)
    return 1 if goals.missed else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.planted", description=__doc__)
    parser.add_argument("--studies", type=int, default=20, help="of each kind (default 20)")
    parser.add_argument("--people", type=int, default=12, help="bots in each study, an even number (default 12)")
    given = parser.parse_args()
    return run(studies=given.studies, people=given.people)


if __name__ == "__main__":
    sys.exit(main())
