"""Do people know when they are right? Confidence against correctness, for people and for the model alone.

Rows count when a confidence is there and the trial did not time out. Overconfidence and the Brier score are means, so
they have the intervals of `cluster`. Calibration errors over bins have none: for a calibrated respondent they are
biased upwards, so that an ordinary interval covers almost nothing. Confidences are rounded to 1e-9 before binning, so
that no figure hangs on float noise.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from studies.analysis import accuracy, cluster
from studies.analysis.cluster import Array, Codes
from studies.analysis.estimate import Estimate, Population, undefined

NOBODY = "no confidence was given"
NO_INTERVAL = "no ordinary interval: binned errors are biased upwards, most of all for calibrated answers"
NO_LETTERS = "no probabilities of every option"
NOT_TEMPERED = "no temperature: no probabilities of every option, or of 0, or fewer than 10 questions (passages)"
AT_BOUND = "temperature_at_bound"
POINT_ONLY = "no interval: this form computes the point estimate"

# Bowman et al. 2022: five bins around the points of the scale. A value on an edge belongs to the bin above it.
CENTRES = np.array([0.25, 0.42, 0.60, 0.80, 1.00])
EDGES = np.array([0.335, 0.51, 0.70, 0.90])
MOST_OWN_VALUES = 11  # up to so many distinct confidences are shown as they are; more are put into ten bins


def rows(trials: pd.DataFrame) -> pd.DataFrame:
    """The rows that calibration is about: answered, and with a confidence."""
    keep = trials["confidence"].notna().to_numpy() & (trials["timed_out"].to_numpy() != 1)
    return trials if keep.all() else trials.loc[keep]


def confidence(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Mean confidence."""
    kept = rows(trials)
    return _or_nobody(cluster.mean(kept, kept["confidence"], population=population))


def overconfidence(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Mean confidence minus accuracy on the same rows; above 0 is overconfident. Tested against 0."""
    kept = rows(trials)
    return _or_nobody(cluster.mean(kept, kept["confidence"] - kept["correct"], population=population, is_tested=True))


def brier(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Mean of (confidence - correct)²: 0 is perfect, .25 is what saying 50 % always earns (Brier 1950)."""
    kept = rows(trials)
    return _or_nobody(cluster.mean(kept, (kept["confidence"] - kept["correct"]) ** 2, population=population))


def ece_width10(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Expected calibration error: sum of n_b/N |confidence_b - accuracy_b| over ten bins of equal width.

    Bins are left-closed: .30 belongs to [.3, .4), and 1 to the last. scikit-learn's calibration_curve is right-closed.
    """
    return _binned(trials, width10, _expected, "ten left-closed bins of equal width")


def ece_mass10(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Expected calibration error over ten bins of about equal counts that never split equal confidences."""
    return _binned(trials, mass10, _expected, "ten bins of equal counts, ties together")


def ece_unique(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Expected calibration error with every reported confidence as a bin of its own."""
    return _binned(trials, own_values, _expected, "every reported value")


def rms_width10(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Root mean square calibration error: sqrt(sum of n_b/N (confidence_b - accuracy_b)²), bins as ece_width10."""
    return _binned(trials, width10, _root_mean_square, "ten left-closed bins of equal width")


def mce_width10(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Maximum calibration error: the largest |confidence_b - accuracy_b| over the same bins, however few are in it."""
    return _binned(trials, width10, _largest, "ten left-closed bins of equal width")


def ce2_debiased(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Squared calibration error over ten bins of equal width, less what chance adds; about 0 when calibrated.

    sum w_b [(confidence_b - accuracy_b)² - accuracy_b (1 - accuracy_b)/(n_b - 1)] over bins with n_b > 1, w_b = n_b/N.
    It can be negative. Reference: Bröcker 2012; Kumar, Liang & Ma 2019.
    """
    return _binned(trials, width10, _debiased, "ten left-closed bins of equal width")


def five_bin_unweighted(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """The paper's calibration error: mean over the non-empty bins of |accuracy - centre|, centres 25 42 60 80 100 %."""
    return _five(trials, is_count_weighted=False)


def five_bin_weighted(trials: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """The paper's calibration error with every bin weighed by its number of answers; the paper leaves this open."""
    return _five(trials, is_count_weighted=True)


def log_loss(answers: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Mean of -log P(right option), in nats, of the model's letter probabilities: log K for one that knows nothing."""
    return _log_loss(answers, "log_loss", NO_LETTERS, population)


def tempered_log_loss(answers: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """The same after the temperature that was fitted on other questions (see `temperature`)."""
    return _log_loss(answers, "tempered_log_loss", NOT_TEMPERED, population)


def mean_temperature(answers: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Mean over questions of the temperature that was fitted on other questions: above 1, the model is too sure."""
    kept = answers.loc[answers["temperature"].notna()]
    if kept.empty:
        return undefined(NOT_TEMPERED)
    value = float(np.average(kept["temperature"], weights=weights_of(kept)))
    found = point(kept, value, method="largest likelihood, five folds of question-side clusters", reason=POINT_ONLY)
    return replace(found, flags=(AT_BOUND,)) if (kept["at_bound"] == 1).any() else found


def tempered(figure: Callable[..., Estimate], answers: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """A calibration figure of the confidences after the temperature that was fitted on other questions."""
    kept = answers.loc[answers["temperature"].notna()]
    if kept.empty:
        return undefined(NOT_TEMPERED)
    return figure(kept.assign(confidence=kept["tempered"]), population=population)


def five_bin_error(
    confidences: Array, correct: Array, *, is_count_weighted: bool, weights: Array | None = None
) -> float:
    """Calibration error over the paper's five bins. Edges 33.5, 51, 70, 90 %, left-closed; empty bins are skipped."""
    w = np.ones_like(confidences) if weights is None else weights
    codes = np.searchsorted(EDGES, np.round(confidences, 9), side="right")
    n = np.bincount(codes, weights=w, minlength=len(CENTRES))
    right = np.bincount(codes, weights=w * correct, minlength=len(CENTRES))
    used = n > 0
    gaps = np.abs(right[used] / n[used] - CENTRES[used])
    return float(np.average(gaps, weights=n[used] if is_count_weighted else None))


def width10(confidences: Array) -> Codes:
    """Bin of each confidence: ten of equal width, left-closed; 1 falls into the last."""
    return np.minimum(np.floor(10 * np.round(confidences, 9) + 1e-9), 9).astype(np.int64)


def mass10(confidences: Array) -> Codes:
    """Bin of each confidence: right-closed at every tenth of the sorted values, so that ties stay together."""
    values = np.round(confidences, 9)
    n = len(values)
    edges = np.unique(np.sort(values)[[(n * k + 9) // 10 - 1 for k in range(1, 11)]])
    return np.searchsorted(edges, values, side="left").astype(np.int64)


def own_values(confidences: Array) -> Codes:
    """Bin of each confidence: every reported value for itself."""
    return distinct(confidences)[1]


def distinct(confidences: Array) -> tuple[Array, Codes]:
    """The distinct confidences (rounded to 1e-9) in order, and the place of each; hashing is faster than np.unique."""
    codes, values = pd.factorize(np.round(confidences, 9), sort=True)
    return np.asarray(values, dtype=np.float64), codes.astype(np.int64)


tempered_five_bin_unweighted = partial(tempered, five_bin_unweighted)
tempered_five_bin_weighted = partial(tempered, five_bin_weighted)
tempered_ece_width10 = partial(tempered, ece_width10)


def reliability(trials: pd.DataFrame) -> pd.DataFrame:
    """The reliability table: per bin the mean confidence, the share that is right, its interval, and n.

    Bins are the reported values themselves where there are at most 11, else ten of equal width. The interval is that of
    `cluster`; Wilson, labelled so, where a bin has fewer than 10 clusters on a side or nothing varies in it. Columns:
    bins, confidence, accuracy, low, high, method, n_trials, P, Q. One row per non-empty bin.
    """
    kept = rows(trials)
    values = kept["confidence"].to_numpy(np.float64)
    are_own = len(np.unique(np.round(values, 9))) <= MOST_OWN_VALUES
    codes = own_values(values) if are_own else width10(values)
    table = []
    for code in np.unique(codes):
        part = kept.loc[codes == code]
        found = accuracy.micro(part)
        shown = accuracy.wilson(part) if found.low is None or "few_clusters" in found.flags else found
        table.append(
            {
                "bins": "reported values" if are_own else "ten of equal width",
                "confidence": cluster.mean(part, part["confidence"]).estimate,
                "accuracy": found.estimate,
                "low": shown.low,
                "high": shown.high,
                "method": shown.method,
                "n_trials": found.n_trials,
                "P": found.P,
                "Q": found.Q,
            }
        )
    return pd.DataFrame(table)


def _five(trials: pd.DataFrame, *, is_count_weighted: bool) -> Estimate:
    kept = rows(trials)
    if kept.empty:
        return undefined(NOBODY)
    value = five_bin_error(
        kept["confidence"].to_numpy(), kept["correct"].to_numpy(),
        is_count_weighted=is_count_weighted, weights=weights_of(kept),
    )  # fmt: skip
    return point(kept, value, method="five bins of the paper, left-closed", reason=NO_INTERVAL)


def _log_loss(answers: pd.DataFrame, column: str, reason: str, population: Population) -> Estimate:
    kept = answers.loc[answers[column].notna()]
    if kept.empty:
        return undefined(reason)
    if not np.isfinite(kept[column]).all():
        return undefined("a right option has probability 0: its loss has no bound", n_trials=len(kept))
    return cluster.mean(kept, kept[column], population=population)


def _binned(trials: pd.DataFrame, bins: Callable[[Array], Codes], summary: Callable[..., float], name: str) -> Estimate:
    kept = rows(trials)
    if kept.empty:
        return undefined(NOBODY)
    codes, w = bins(kept["confidence"].to_numpy()), weights_of(kept)
    n = np.bincount(codes, weights=w)
    used = n > 0
    n = n[used]
    mean_confidence = np.bincount(codes, weights=w * kept["confidence"].to_numpy())[used] / n
    mean_correct = np.bincount(codes, weights=w * kept["correct"].to_numpy())[used] / n
    method = f"{name}; {len(n)} in use, n {' '.join(f'{x:g}' for x in n)}"
    return point(kept, summary(n, mean_confidence, mean_correct), method=method, reason=NO_INTERVAL)


def _expected(n: Array, mean_confidence: Array, mean_correct: Array) -> float:
    return float(np.average(np.abs(mean_confidence - mean_correct), weights=n))


def _root_mean_square(n: Array, mean_confidence: Array, mean_correct: Array) -> float:
    return float(np.sqrt(np.average((mean_confidence - mean_correct) ** 2, weights=n)))


def _largest(n: Array, mean_confidence: Array, mean_correct: Array) -> float:
    return float(np.abs(mean_confidence - mean_correct).max())


def _debiased(n: Array, mean_confidence: Array, mean_correct: Array) -> float:
    many = n > 1
    chance = mean_correct[many] * (1 - mean_correct[many]) / (n[many] - 1)
    return float((n[many] * ((mean_confidence[many] - mean_correct[many]) ** 2 - chance)).sum() / n.sum())


def weights_of(kept: pd.DataFrame) -> Array:
    """The weight of each row: 1, or less where a model was sampled several times."""
    return kept["weight"].to_numpy(np.float64) if "weight" in kept else np.ones(len(kept))


def point(kept: pd.DataFrame, value: float, *, method: str, reason: str) -> Estimate:
    """A figure without interval, and the reason."""
    sides = cluster.sides_of([kept])
    people, items = (side.count if side else None for side in (sides.participant, sides.question))
    return Estimate(estimate=value, method=method, n_trials=len(kept), P=people, Q=items, reason=reason)


def _or_nobody(found: Estimate) -> Estimate:
    return undefined(NOBODY) if found.estimate is None else found
