"""Does the assistant help more, or less, when time is short? The contrast under the longest limit minus the shortest.

    effect = (human+model - human | longest limit) - (human+model - human | shortest limit)

Only tasks that were asked under several limits count; no limit is longer than any. A difference of differences of
condition means, with the two-way variance of `cluster`. Causal if limits were assigned at random, within people or
between them; the study file's arms say so, this figure cannot.
"""

import numpy as np
import pandas as pd

from studies.analysis import cluster
from studies.analysis.cluster import Array
from studies.analysis.estimate import Estimate, Population, undefined

NO_LIMITS = "no task was asked under several time limits"
NOT_CROSSED = "not every condition was asked under both limits"


def varied(trials: pd.DataFrame, conditions: pd.DataFrame | None, *, is_recorded: bool) -> pd.Series:
    """The time limit of each trial whose task was asked under several; infinite without limit, NaN when unknown.

    is_recorded: the trials have `limit_seconds` themselves. Else it is that of the trial's arm and task in the table of
    conditions, where they have one only.
    """
    if is_recorded:
        limits = trials["limit_seconds"].fillna(np.inf)
    elif conditions is None or "limit_seconds" not in conditions:
        return pd.Series(np.nan, index=trials.index)
    else:
        table = conditions.assign(limit_seconds=conditions["limit_seconds"].fillna(np.inf))
        on = ["arm", "task"] if "task" in table else ["arm"]
        of_arm = table.drop_duplicates([*on, "limit_seconds"]).groupby(on)["limit_seconds"]
        known = of_arm.first().where(of_arm.size() == 1)
        names = pd.MultiIndex.from_frame(trials[on]) if len(on) > 1 else pd.Index(trials["arm"])
        limits = known.reindex(names).set_axis(trials.index)
    return limits.where(limits.groupby(trials["task"]).transform("nunique") > 1)


def effect(treated: pd.DataFrame, baseline: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """The difference of differences; undefined unless both conditions were asked under both limits."""
    frames = (treated, baseline)
    if any("limit_varied" not in frame for frame in frames):
        return undefined(NO_LIMITS, n_trials=len(treated) + len(baseline))
    limits = np.concatenate([frame["limit_varied"].to_numpy(np.float64) for frame in frames])
    known = np.unique(limits[~np.isnan(limits)])
    if len(known) < 2:
        return undefined(NO_LIMITS, n_trials=len(limits))
    parts: list[tuple[pd.DataFrame, float]] = []
    for limit, sign in ((known[-1], 1.0), (known[0], -1.0)):
        for frame, side in zip(frames, (1.0, -1.0), strict=True):
            part = frame.loc[frame["limit_varied"] == limit]
            if part.empty:
                return undefined(NOT_CROSSED, n_trials=len(limits))
            short = cluster.too_few(cluster.sides_of([part]), population)
            if short:
                return undefined(f"a condition has {short}: no contrast", n_trials=len(limits))
            parts.append((part, sign * side))
    psi: list[Array] = []
    total = 0.0
    for part, sign in parts:
        y = part["correct"].to_numpy(np.float64)
        total += sign * float(y.mean())
        psi.append(sign * (y - y.mean()) / len(y))
    sides = cluster.sides_of([part for part, _ in parts])
    return cluster.infer(total, np.concatenate(psi), sides, k=4, population=population, is_tested=True)
