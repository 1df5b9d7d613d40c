"""Attrition: planned trials that are not in the data, and whether more of them are missing with the model than without.

The plan (assignments.csv) says which trials each person who took a slot was to meet. A planned trial is missing when
trials.csv has no row for it: it was never opened, never ended, or its person withdrew, whose trials are in no table.

    attrition of a condition = missing planned trials / planned trials
    differential attrition   = attrition (human+model) - attrition (human)

Both are means of 0 and 1 over planned trials with the two-way variance of `cluster`, because who leaves misses all that
was still to come. A difference biases every contrast of the conditions if those who left would have answered otherwise
than those who stayed. While a study is open the planned trials of whoever is still in a session do not count, and those
of whoever was screened out before the first never do, unless they withdrew later: no condition made them leave.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from studies.analysis import cluster
from studies.analysis.cluster import Codes
from studies.analysis.estimate import Estimate, Population, undefined
from studies.analysis.planned import Coded, Flags, Plan
from studies.analysis.schema import HUMAN, HUMAN_MODEL

NO_PLAN = "no assignments.csv: which trials were planned is not known"
NO_TAKERS = "assignments.csv does not say who took which slot: which trials were planned for whom is not known"
NOT_PLANNED = "trials.csv has trials that are not in assignments.csv ({}): what was planned is not known"


@dataclass(frozen=True)
class Planned:
    """The planned trials of those who took a slot; where they cannot be told, `reason` says why.

    rows: participant_code, item_code, cell_code (clusters, numbered as in the trials) and missing (0 or 1). groups: the
    rows of each (condition, arm), as in `Slice`. is_excluded: of each row, whether its person or its trial is excluded.
    """

    rows: pd.DataFrame = field(default_factory=pd.DataFrame)
    groups: Mapping[tuple[str, str], Flags] = field(default_factory=dict)
    is_excluded: Flags = field(default_factory=lambda: np.zeros(0, dtype=bool))
    reason: str = ""

    def people(self, exclusions: str) -> dict[tuple[str, str], pd.DataFrame]:
        """Planned trials by (condition, arm); with exclusions "applied" without those that are excluded."""
        kept = ~self.is_excluded if exclusions == "applied" else np.ones(len(self.rows), dtype=bool)
        return {key: self.rows.loc[mask & kept] for key, mask in self.groups.items()}


def rate(planned: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Share of planned trials that are missing. Where none is: 0 with the flag `degenerate`, and no interval.

    Example: of two planned trials one was never opened: 0.5.
    """
    if planned.empty:
        return undefined("no planned trials")
    return cluster.mean(planned, planned["missing"], population=population)


def difference(treated: pd.DataFrame, baseline: pd.DataFrame, *, population: Population = "random") -> Estimate:
    """Share missing of `treated` minus share missing of `baseline`, tested against 0."""
    if treated.empty or baseline.empty:
        return undefined("only one condition has planned trials", n_trials=len(treated) + len(baseline))
    return cluster.difference(treated, baseline, "missing", population=population)


def planned_trials(
    plan: Plan,
    trials: pd.DataFrame,
    questions: pd.DataFrame | None,
    *,
    excluded: frozenset[str] = frozenset(),
    left_out: frozenset[str] = frozenset(),
) -> Planned:
    """What became of the plan; refused, with the reason, where trials are not in it.

    trials: the completed table of a study. questions: the checked table, for the passages of questions that nobody met.
    excluded: people who are excluded whole. left_out: people who do not count: their trials may still come, or they
    were screened out before their first. A first answer of a judge-advisor design need not be planned by itself.
    """
    person, question = _as_in(trials, "participant", plan.person), _as_in(trials, "question", plan.question)
    cell = _cells(person.codes, question.codes, plan.treated, len(question.names))
    helped = (trials["condition"] == HUMAN_MODEL).to_numpy(dtype=bool)
    met = _cells(trials["participant_code"].to_numpy(), trials["question_code"].to_numpy(), helped, len(question.names))
    strange = int((~np.isin(met, cell) & (trials["stage"] != "initial").to_numpy(dtype=bool)).sum())
    if strange:
        return Planned(reason=NOT_PLANNED.format(strange))
    item = _items(trials, questions, question.names)[question.codes]
    pair = person.codes * (int(item.max()) + 1) + item
    rows = pd.DataFrame(
        {
            "participant_code": person.codes,
            "item_code": item,
            "cell_code": pd.factorize(pair)[0].astype(np.int64),
            "missing": (~np.isin(cell, met)).astype(np.float64),
        }
    )
    is_trial_out = np.isin(cell, met[(trials["excluded"] == 1).to_numpy(dtype=bool)])
    groups = _groups(plan, ~person.among(left_out))
    return Planned(rows, groups, is_trial_out | person.among(excluded))


def _as_in(trials: pd.DataFrame, name: str, column: Coded) -> Coded:
    """The same column with the trials' own codes, and the next ones for names that no trial has."""
    first, _ = cluster.first_rows(trials[f"{name}_code"].to_numpy())
    place = {str(each): number for number, each in enumerate(trials[name].iloc[first].tolist())}
    own = np.array([place.setdefault(each, len(place)) for each in column.names], dtype=np.int64)
    return Coded(own[column.codes], tuple(place))


def _cells(person: Codes, question: Codes, treated: Flags, questions: int) -> Codes:
    """One number for person, question and condition."""
    return np.asarray((person * questions + question) * 2 + treated, dtype=np.int64)


def _items(trials: pd.DataFrame, questions: pd.DataFrame | None, names: tuple[str, ...]) -> Codes:
    """The question-side cluster of each name: the passage of the question, else the question itself."""
    group = dict(zip(names, names, strict=True))
    if questions is not None and "item_group" in questions:
        told = (questions[name].tolist() for name in ("question", "item_group"))
        group |= {name: own for name, own in zip(*told, strict=True) if own}
    first, _ = cluster.first_rows(trials["question_code"].to_numpy())
    known = (trials[name].iloc[first].tolist() for name in ("question", "item_group"))
    group |= dict(zip(*known, strict=True))
    return pd.factorize(np.array([group[name] for name in names], dtype=object))[0].astype(np.int64)


def _groups(plan: Plan, counted: Flags) -> dict[tuple[str, str], Flags]:
    """The rows of each condition under arm "", and of its arms where it has several."""
    found: dict[tuple[str, str], Flags] = {}
    for condition, of_condition in ((HUMAN, ~plan.treated), (HUMAN_MODEL, plan.treated)):
        if of_condition.any():
            found[condition, ""] = of_condition & counted
            codes = np.unique(plan.arm.codes[of_condition])
            if len(codes) > 1:
                arms = sorted((plan.arm.names[code], int(code)) for code in codes)
                found |= {(condition, arm): of_condition & counted & (plan.arm.codes == code) for arm, code in arms}
    return found
