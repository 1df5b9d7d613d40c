"""One figure with its uncertainty: what every function of this package returns."""

from dataclasses import dataclass
from typing import Literal

Population = Literal["random", "fixed questions", "this participant"]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A figure, or None with a reason. Never NaN, never 0 for something unknown.

    `estimate`, `se`, `low`, `high` are on the figure's own scale (an accuracy of .75 is 0.75); `low` and `high` are the
    95 % interval, not truncated; `df` belongs to the t distribution; `p` tests the figure against 0, two-sided unless
    the method says otherwise (a ratio has the `se` of its natural logarithm and its p against 1; the method says so).
    `n_trials` are the rows used, `P` and `Q` the participants and question-side clusters that contribute. `flags` are
    words (degenerate, few_clusters, …), `reason` says why something is missing.
    """

    estimate: float | None = None
    se: float | None = None
    df: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    p_adj: float | None = None
    method: str = ""
    n_trials: int = 0
    P: int | None = None
    Q: int | None = None
    flags: tuple[str, ...] = ()
    reason: str = ""


def undefined(reason: str, *, n_trials: int = 0) -> Estimate:
    """A figure that does not exist on these rows, with the reason in a sentence."""
    return Estimate(reason=reason, n_trials=n_trials)
