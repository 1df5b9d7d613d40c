"""`python -m tests.bench.coverage`: how often our 95 % intervals hold the truth, and our tests err.

Every replication draws new people and new questions (world.py, designs.py) and asks the functions of the registry.
Coverage must be at least .93 and type-I error at most .065. A goal is missed where chance does not explain it: the
limits allow for 2 Monte-Carlo standard errors. Over-coverage is printed, not judged, and so are the mixed model, GEE
and clustering by people alone.
"""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from math import sqrt

import numpy as np
import pandas as pd

from studies.analysis import accuracy, by_value, calibration, compare, gee, glmm
from studies.analysis.estimate import Estimate
from tests.bench.coverage.designs import DESIGNS, Design, draw
from tests.bench.coverage.world import World, truth
from tests.bench.goals import Goals

COVERAGE, TYPE_ONE = 0.93, 0.065
WORKERS = max(1, min(2, os.cpu_count() or 1))
Frames = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]  # human, human+model, the model alone

CHEAP: dict[str, Callable[[Frames], Estimate]] = {
    "accuracy human": lambda f: accuracy.micro(f[0]),
    "accuracy human+model": lambda f: accuracy.micro(f[1]),
    "human+model - human": lambda f: compare.micro(f[1], f[0]),
    "human+model - human, within questions": lambda f: compare.question_weighted(f[1], f[0]),
    "human+model - model": lambda f: compare.minus_model(f[1], f[1]["model_correct"]),
    "human - model": lambda f: compare.minus_model(f[0], f[0]["model_correct"]),
    "overconfidence human": lambda f: calibration.overconfidence(f[0]),
    "overconfidence human+model": lambda f: calibration.overconfidence(f[1]),
    "Brier human": lambda f: calibration.brier(f[0]),
    "Brier human+model": lambda f: calibration.brier(f[1]),
}
DEAR: dict[str, Callable[[Frames], Estimate]] = {
    "AUROC human": lambda f: by_value.auroc(f[0]),
    "AUROC human+model": lambda f: by_value.auroc(f[1]),
}
# Beside, never judged: what a reader may have expected instead.
BESIDE: dict[str, Callable[[Frames], Estimate]] = {
    "mixed model, difference": lambda f: glmm.risk_difference(f[1], f[0]),
    "GEE by participant, difference": lambda f: gee.risk_difference(f[1], f[0]),
    "participants alone, difference": lambda f: compare.micro(f[1], f[0], population="fixed questions"),
}
FIGURES = CHEAP | DEAR | BESIDE
TESTED = ("human+model - human", "human+model - human, within questions")


def frames(design: Design, world: World, rng: np.random.Generator) -> Frames:
    trials, model = draw(design, world, rng)
    aided = trials["aided"].to_numpy() == 1
    return trials.loc[~aided], trials.loc[aided], model


def held(
    place: int, world: World, values: dict[str, float], names: Sequence[str], seed: int, count: int
) -> Counter[str]:
    """Of `count` studies, how many intervals hold the truth, by figure; `… undefined` counts those without one."""
    design, rng, found = DESIGNS[place], np.random.default_rng([seed, place]), Counter[str]()
    for _ in range(count):
        study = frames(design, world, rng)
        for name in names:
            figure = FIGURES[name](study)
            if figure.low is None or figure.high is None:
                found[f"{name} undefined"] += 1
            else:
                found[name] += figure.low <= values[name] <= figure.high
    return found


def many(place: int, world: World, values: dict[str, float], names: Sequence[str], count: int) -> Counter[str]:
    """The same in several processes; the seeds follow from the pieces' numbers."""
    pieces = max(WORKERS, count // 250)
    sizes = [count // pieces + (i < count % pieces) for i in range(pieces)]
    with ProcessPoolExecutor(WORKERS) as pool:
        parts = pool.map(held, *zip(*((place, world, values, names, i, n) for i, n in enumerate(sizes)), strict=True))
        return sum(parts, Counter[str]())


def names_of(design: Design) -> list[str]:
    return [name for name in CHEAP if design.is_crossed or "within questions" not in name]


def run(designs: Sequence[int], replications: int, dear: int, beside: int) -> int:
    goals, world = Goals(), World()
    nulls = {"effects that average 0": world.without_effect(), "no effect on anybody": world.without_any_effect()}
    values = truth(world)
    print(f"{replications:,} replications ({dear:,} for AUROC); standard error {_error(0.95, replications):.4f}")
    for place in designs:
        design, started = DESIGNS[place], time.monotonic()
        print(f"\n{design.name}: coverage of 95 % intervals")
        for names, count in ((names_of(design), replications), (list(DEAR), dear)):
            found = many(place, world, values, names, count)
            for name in names:
                without = found[f"{name} undefined"]
                share = found[name] / max(1, count - without)
                note = f", {without} without an interval" if without else ""
                print(f"  {name:<40}{share:.4f} ± {_error(share, count):.4f}   true {values[name]:+.4f}{note}")
                goals.at_least(f"coverage[{design.name}][{name}]", share, COVERAGE - 2 * _error(share, count))
        for what, null in nulls.items():
            tested = [name for name in TESTED if name in names_of(design)]
            found = many(place, null, dict.fromkeys(tested, 0.0), tested, replications)
            for name in tested:
                size = 1 - found[name] / (replications - found[f"{name} undefined"])
                print(f"  type-I error, {what}: {name:<38}{size:.4f} ± {_error(size, replications):.4f}")
                error = 2 * _error(size, replications)
                goals.at_most(f"type_one[{design.name}][{what}][{name}]", size, TYPE_ONE + error)
        _beside(place, world, nulls["effects that average 0"], values["human+model - human"], beside)
        print(f"  {time.monotonic() - started:.0f} s")
    print(f"\nmissed: {', '.join(goals.missed) or 'none'}")
    return 1 if goals.missed else 0


def _beside(place: int, world: World, null: World, gain: float, count: int) -> None:
    """Coverage of the difference between the conditions by other methods, and how often they reject where it is 0."""
    if not count:
        return
    names = list(BESIDE)
    held_gain = many(place, world, dict.fromkeys(names, gain), names, count)
    held_zero = many(place, null, dict.fromkeys(names, 0.0), names, count)
    for name in names:
        defined = [count - found[f"{name} undefined"] for found in (held_gain, held_zero)]
        if 0 in defined:
            print(f"  beside: {name:<32}undefined in every study")
            continue
        coverage, size = held_gain[name] / defined[0], 1 - held_zero[name] / defined[1]
        print(
            f"  beside: {name:<32}coverage {coverage:.3f} ± {_error(coverage, defined[0]):.3f}"
            f"   type-I error {size:.3f} ± {_error(size, defined[1]):.3f}   ({min(defined)} of {count})"
        )


def _error(share: float, count: int) -> float:
    return sqrt(max(share * (1 - share), 1e-9) / count)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.coverage", description=__doc__)
    parser.add_argument("--replications", type=int, default=10_000)
    parser.add_argument("--auroc", type=int, default=1_000, help="replications of AUROC")
    parser.add_argument("--beside", type=int, default=200, help="replications of mixed model and GEE; 0: none")
    parser.add_argument("--design", choices=[design.name for design in DESIGNS], help="only this one")
    given = parser.parse_args()
    places = [i for i, design in enumerate(DESIGNS) if given.design in (None, design.name)]
    return run(places, given.replications, given.auroc, given.beside)


if __name__ == "__main__":
    sys.exit(main())
