"""The figures of every single person, all people at once: a large study has hundreds, each with several figures.

About one person nothing varies but the questions, so their clusters are the person's cells, and one pass over the rows
sums the influences of everybody. Each function gives, person by person in the order of `participant_code`, exactly what
the function of the same name gives on that person's rows for the population "this participant".
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import stdtr, stdtrit

from studies.analysis.cluster import FEW, LEVEL, NOTHING_VARIES, ONE_WAY, ZERO, Array, Codes
from studies.analysis.estimate import Estimate, undefined
from studies.analysis.schema import HUMAN, HUMAN_MODEL, MODEL
from studies.analysis.slices import Slice

Case = tuple[int, str, str, Estimate]  # participant_code, condition, baseline, figure
Mask = npt.NDArray[np.bool_]

METHOD = ONE_WAY.format("question")
TOO_FEW = "fewer than 2 question-side clusters"
NOT_ASKED = "model_not_asked_everywhere"


def accuracy(part: Slice, people: int) -> Iterator[Case]:
    """`accuracy.micro` of each of `people` persons in each condition."""
    for (condition, _), frame in _conditions(part).items():
        for person, found in enumerate(means(frame, frame["correct"].to_numpy(), people, is_tested=False)):
            yield person, condition, "", found


def gain_over_alone(part: Slice, people: int) -> Iterator[Case]:
    """`compare.micro` of each person: with the model minus alone."""
    conditions = _conditions(part)
    nobody = part.trials.iloc[:0]
    one, zero = conditions.get((HUMAN_MODEL, ""), nobody), conditions.get((HUMAN, ""), nobody)
    for person, found in enumerate(differences(one, zero, people)):
        yield person, HUMAN_MODEL, HUMAN, found


def gain_over_model(part: Slice, people: int) -> Iterator[Case]:
    """`compare.minus_model` of each person: with the model minus the model alone, primary protocol."""
    trials = _conditions(part).get((HUMAN_MODEL, ""), part.trials.iloc[:0])
    known = trials["model_correct"].notna().to_numpy()
    kept = trials.loc[known]
    gains = (kept["correct"] - kept["model_correct"]).to_numpy()
    asked = np.bincount(_who(trials), minlength=people)
    for person, found in enumerate(means(kept, gains, people, is_tested=True)):
        if not found.n_trials:
            found = undefined("no answers of the model alone on these questions", n_trials=int(asked[person]))
        elif (found.Q or 0) < 2:
            found = undefined(f"{TOO_FEW}: no contrast", n_trials=found.n_trials)
        yield person, HUMAN_MODEL, MODEL, _flagged(found, found.n_trials < asked[person])


def means(frame: pd.DataFrame, values: Array, people: int, *, is_tested: bool) -> list[Estimate]:
    """Mean of `values` over each person's rows, as `cluster.mean`."""
    who = _who(frame)
    n = np.bincount(who, minlength=people)
    estimates = np.bincount(who, weights=values, minlength=people) / np.maximum(n, 1)
    psi = (values - estimates[who]) / n[who]
    found = _infer(estimates, psi, who, _cells(frame), n, k=1, is_tested=is_tested)
    return [each if each.n_trials else undefined("no trials") for each in found]


def differences(treated: pd.DataFrame, baseline: pd.DataFrame, people: int) -> list[Estimate]:
    """Share right over each person's rows of `treated` minus that over `baseline`, as `cluster.difference`."""
    sides = []
    for frame, sign in ((treated, 1.0), (baseline, -1.0)):
        who, y = _who(frame), frame["correct"].to_numpy(np.float64)
        n = np.bincount(who, minlength=people)
        share = np.bincount(who, weights=y, minlength=people) / np.maximum(n, 1)
        clusters = np.bincount(who[np.unique(_cells(frame), return_index=True)[1]], minlength=people)
        sides.append((who, n, share, sign * (y - share[who]) / n[who], clusters))
    (who1, n1, share1, psi1, clusters1), (who0, n0, share0, psi0, clusters0) = sides
    who, cells = np.concatenate([who1, who0]), np.concatenate([_cells(treated), _cells(baseline)])
    found = _infer(share1 - share0, np.concatenate([psi1, psi0]), who, cells, n1 + n0, k=2, is_tested=True)
    for person in np.flatnonzero((n1 == 0) | (n0 == 0)):
        found[person] = undefined("only one condition has trials", n_trials=int(n1[person] + n0[person]))
    for person in np.flatnonzero((n1 > 0) & (n0 > 0) & (np.minimum(clusters1, clusters0) < 2)):
        found[person] = undefined(f"a condition has {TOO_FEW}: no contrast", n_trials=int(n1[person] + n0[person]))
    return found


def _infer(
    estimates: Array, psi: Array, who: Codes, cells: Codes, n: Codes, *, k: int, is_tested: bool
) -> list[Estimate]:
    """`cluster.infer` with the question side alone, for every person; who, cells, psi: one a row."""
    people = len(estimates)
    first, code = np.unique(cells, return_index=True, return_inverse=True)[1:]
    squares = np.square(np.bincount(code, weights=psi, minlength=len(first)))
    owner = who[first]
    clusters = np.bincount(owner, minlength=people)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = clusters / (clusters - 1) * (n - 1) / (n - k)
        se = np.sqrt(factor * np.bincount(owner, weights=squares, minlength=people))
        half = stdtrit(clusters - 1, 0.5 + LEVEL / 2) * se
        p = 2 * stdtr(clusters - 1, -np.abs(estimates / se))
    low, high = estimates - half, estimates + half
    out = []
    columns = (estimates, se, low, high, p, n, clusters)
    for value, error, below, above, chance, rows, count in zip(*(c.tolist() for c in columns), strict=True):
        known = {"estimate": value, "n_trials": rows, "P": 1, "Q": count}
        flags = ("few_clusters",) if count < FEW else ()
        if count < 2:
            out.append(Estimate(**known, reason=f"no standard error: {TOO_FEW}"))
        elif rows <= k:
            out.append(Estimate(**known, reason=f"no standard error: {rows} trials"))
        elif error < ZERO:
            out.append(Estimate(**known, method=METHOD, flags=("degenerate", *flags), reason=NOTHING_VARIES))
        else:
            spread = {"se": error, "df": float(count - 1), "low": below, "high": above}
            out.append(Estimate(**known, **spread, p=chance if is_tested else None, method=METHOD, flags=flags))
    return out


def _conditions(part: Slice) -> dict[tuple[str, str], pd.DataFrame]:
    return {key: frame for key, frame in part.people.items() if not key[1]}


def _who(frame: pd.DataFrame) -> Codes:
    return frame["participant_code"].to_numpy()


def _cells(frame: pd.DataFrame) -> Codes:
    return frame["cell_code"].to_numpy()


def _flagged(found: Estimate, is_partly: bool) -> Estimate:
    if not is_partly or found.estimate is None:
        return found
    return Estimate(**{**vars(found), "flags": (*found.flags, NOT_ASKED)})
