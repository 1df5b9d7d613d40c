"""Does a model prefer a place? Of the protocol that shows each question's options in all their rotations.

Over its rotations every option stands once at every place, so a model that looks only at what the options say chooses
each of K places on 1/K of the rows. Questions with a rotation that has no answer are left out: their rows would not
balance.
"""

from functools import partial

import numpy as np
import pandas as pd
from scipy.special import fdtrc

from studies.analysis import cluster
from studies.analysis.cluster import Array
from studies.analysis.estimate import Estimate, Population, undefined

PLACES = "ABCD"
NOT_ROTATED = "the options were shown in one order"
INCOMPLETE = "no question has an answer in each of its rotations"
UNEVEN = "questions differ in their number of rotations, or a place lies beyond it"
MAXIMUM = "no interval: the largest of several deviations is biased upwards"


def share(place: int, rows: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Share of rows whose chosen option stood at this place (0 is the first)."""
    kept = _whole(rows)
    if isinstance(kept, str):
        return undefined(kept)
    return cluster.mean(kept, (kept["place_code"] == place).astype(np.float64), population=population)


share_at = {letter: partial(share, place) for place, letter in enumerate(PLACES)}


def max_deviation(rows: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Largest |share of a place - 1/K|; p of Hotelling's T² that no place is preferred.

    T² = G d' S⁻¹ d over the G question-side clusters, d the mean of a cluster's shares of the first K - 1 places less
    1/K, S their covariance; (G - K + 1)/((G - 1)(K - 1)) T² has F(K - 1, G - K + 1).
    """
    kept = _whole(rows)
    if isinstance(kept, str):
        return undefined(kept)
    count = _rotations(kept)
    chosen = np.eye(count)[kept["place_code"].to_numpy().astype(np.int64)]
    codes = np.unique(cluster.question_codes(kept), return_inverse=True)[1]
    sizes = np.bincount(codes)
    shares = np.stack([np.bincount(codes, weights=column) / sizes for column in chosen.T], axis=1)
    value = float(np.abs(chosen.mean(axis=0) - 1 / count).max())
    p, reason = _hotelling(shares[:, :-1] - 1 / count)
    method = "Hotelling's T² over question-side clusters" if p is not None else ""
    reason = f"{MAXIMUM}; {reason}" if reason else MAXIMUM
    return Estimate(estimate=value, p=p, method=method, n_trials=len(kept), Q=len(sizes), reason=reason)


def _hotelling(deviations: Array) -> tuple[float | None, str]:
    """p that all means are 0, or why there is none. deviations: clusters × (K - 1)."""
    clusters, places = deviations.shape
    if clusters <= places + 1:
        return None, f"no test: {clusters} question-side clusters for {places + 1} places"
    covariance = np.cov(deviations, rowvar=False)
    if np.linalg.matrix_rank(covariance) < places:
        return None, "no test: the shares of some places do not vary"
    mean = deviations.mean(axis=0)
    t2 = clusters * float(mean @ np.linalg.solve(covariance, mean))
    return float(fdtrc(places, clusters - places, t2 * (clusters - places) / ((clusters - 1) * places))), ""


def _whole(rows: pd.DataFrame) -> pd.DataFrame | str:
    """The rows of questions whose rotations all have a place; a reason in words where there are none."""
    if rows["place_code"].isna().all():
        return NOT_ROTATED
    sizes = rows.groupby("question_code").size()
    if sizes.nunique() > 1 or rows["place_code"].max() >= sizes.max():
        return UNEVEN
    is_whole = rows["place_code"].notna().groupby(rows["question_code"]).transform("all")
    return rows.loc[is_whole] if is_whole.any() else INCOMPLETE


def _rotations(kept: pd.DataFrame) -> int:
    """K: rotations of a question, as many as it has options."""
    return int(kept.groupby("question_code").size().max())
