"""Where a study stands among its planned looks: information, z and boundary of the primary contrast, now and before."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf

from studies.analysis import compare, sequential
from studies.analysis.estimate import Estimate, undefined
from studies.analysis.slices import Slice
from studies.analysis.study import Study

METHOD = "Lan-DeMets, O'Brien-Fleming-type spending, alpha {alpha:g} in two tails; look {number}{last}"
NONE_PLANNED = "no looks were planned"
SAME = 1e-6  # an earlier analysis with this much information, relatively, was of the same data


@dataclass(frozen=True)
class Look:
    """One look. `fraction` of the information; `bound` inf where nothing was left to spend; `z` of the t test's p."""

    at: str
    fraction: float
    bound: float
    z: float

    @property
    def is_crossed(self) -> bool:
        return abs(self.z) >= self.bound


def looks(found: Estimate, study: Study) -> list[Look]:
    """All looks in order, the last one is now. Raises ValueError with a sentence where there is nothing to compare."""
    if not study.planned_looks:
        raise ValueError(NONE_PLANNED)
    if study.max_information is None:
        raise ValueError("no information at the end was registered, so that its fraction is not known")
    now, z = sequential.information(found), sequential.z_of(found)
    if now is None or z is None:
        raise ValueError(f"the primary contrast has no test: {found.reason}")
    kept = [(each.at, each.information, each.z) for each in study.look_results
            if each.information is not None and each.z is not None and each.information < now * (1 - SAME)]  # fmt: skip
    kept.sort(key=lambda each: each[1])
    ats, informations, zs = (*(e[0] for e in kept), "now"), (*(e[1] for e in kept), now), (*(e[2] for e in kept), z)
    fractions = [each / study.max_information for each in informations]
    bounds = sequential.boundaries(fractions, alpha=study.alpha, is_last=study.is_closed)
    return [Look(*each) for each in zip(ats, (min(1.0, f) for f in fractions), bounds, zs, strict=True)]


def z(rows: Slice) -> Estimate:
    """The normal quantile of the t test's p of the primary contrast, with the contrast's sign."""
    return _at_now(rows, lambda look: look.z)


def boundary(rows: Slice) -> Estimate:
    """What |z| must reach at this look. Undefined where an earlier look left nothing to spend."""
    return _at_now(rows, lambda look: look.bound)


def fraction(rows: Slice) -> Estimate:
    """Information so far over the registered information at the end, at most 1. Information is 1/SE²."""
    return _at_now(rows, lambda look: look.fraction)


def primary(rows: Slice) -> Estimate:
    """human+model minus human in the primary form on these rows."""
    nobody = rows.trials.iloc[:0]
    treated, alone = (rows.people.get((condition, ""), nobody) for condition in ("human+model", "human"))
    form = compare.micro if rows.data.study.primary == "micro" else compare.question_weighted
    return form(treated, alone)


def _at_now(rows: Slice, of: Callable[[Look], float]) -> Estimate:
    study = rows.data.study
    if not study.planned_looks:
        return undefined(NONE_PLANNED, n_trials=len(rows.trials))
    found = primary(rows)
    try:
        every = looks(found, study)
    except ValueError as why:
        return undefined(str(why), n_trials=found.n_trials)
    value = of(every[-1])
    last = ", the last" if study.is_closed else ""
    counts = replace(found, estimate=value, se=None, df=None, low=None, high=None, p=None, p_adj=None,
                     method=METHOD.format(alpha=study.alpha, number=len(every), last=last), flags=(),
                     reason="a look's figure has no interval")  # fmt: skip
    return replace(counts, estimate=None, reason="nothing is left to spend") if value == inf else counts
