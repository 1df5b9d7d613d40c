"""`python -m tests.bench.analysis`: resampling beside what one would write oneself, and the time of a whole report.

CPU seconds of one thread, the median of `--repeats` turns in which every way has its turn; 1 when a goal is missed.
"""

import argparse
import statistics
import sys

import numpy as np
from threadpoolctl import threadpool_limits

from tests.bench.analysis import planning, report, resampling
from tests.bench.goals import Goals

RESAMPLING, OVER_PANDAS, OVER_NUMPY = 2.0, 50.0, 10.0
REPORT, IMPORT = 5.0, 1.5
POWER, OVER_STATSMODELS = 1.0, 20.0


def compare_resampling(goals: Goals, repeats: int) -> None:
    frame = resampling.study()
    ways = resampling.ways(frame)
    taken: dict[str, list[float]] = {way.name: [] for way in ways}
    for _ in range(repeats):
        for way in ways:
            seconds, found = resampling.seconds(way)
            taken[way.name].append(seconds)
            agree(found, frame["correct"].mean(), way.name)
    middle = {name: statistics.median(values) for name, values in taken.items()}
    print(f"{resampling.RESAMPLES:,} two-way resamples of {len(frame):,} trials, 500 people, 1,000 questions")
    for way in ways:
        note = "" if way.resamples == resampling.RESAMPLES else f"   extrapolated from {way.resamples} resamples"
        print(f"  {way.name:<14}{middle[way.name]:9.2f} s   {middle[way.name] / middle['ours']:7.1f} times ours{note}")
    goals.at_most("resampling_s", middle["ours"], RESAMPLING)
    goals.at_least("times_a_pandas_merge", middle["pandas merge"] / middle["ours"], OVER_PANDAS)
    goals.at_least("times_a_numpy_loop", middle["numpy loop"] / middle["ours"], OVER_NUMPY)


def agree(found: np.ndarray, mean: float, name: str) -> None:
    """Every way resamples the same thing: around the mean, with a spread of one to three points in this study."""
    if abs(found.mean() - mean) > 0.01 or not 0.0005 < found.std() < 0.03:
        raise RuntimeError(f"{name} resamples something else: {found.mean():.4f} ± {found.std():.4f}")


def time_reports(goals: Goals, repeats: int) -> None:
    imports = statistics.median(report.import_seconds() for _ in range(repeats))
    whole = statistics.median(report.report_seconds() for _ in range(repeats))
    print(f"the quick report of 100,000 trials: {whole:.2f} s, and {imports:.2f} s of imports")
    goals.at_most("quick_report_s", whole, REPORT)
    goals.at_most("import_s", imports, IMPORT)


def compare_power(goals: Goals, repeats: int) -> None:
    pairs = [(planning.ours(), planning.loop()) for _ in range(repeats)]
    mine, loop = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"{planning.REPLICATIONS:,} replications of 60 people x 120 questions: {mine:.2f} s")
    print(f"  statsmodels loop{loop:9.2f} s   {loop / mine:7.1f} times ours   extrapolated from {planning.FITTED} fits")
    goals.at_most("power_s", mine, POWER)
    goals.at_least("times_a_statsmodels_loop", loop / mine, OVER_STATSMODELS)


# Each is a function of (goals, repeats) that prints its lines and states its goals.
PARTS = {"resampling": compare_resampling, "power": compare_power, "report": time_reports}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.analysis", description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", choices=PARTS, help="that part alone")
    given = parser.parse_args()
    goals = Goals()
    with threadpool_limits(1):
        for name, part in PARTS.items():
            if given.only in (None, name):
                part(goals, given.repeats)
    print(f"\nmissed: {', '.join(goals.missed) or 'none'}")
    return 1 if goals.missed else 0


if __name__ == "__main__":
    sys.exit(main())
