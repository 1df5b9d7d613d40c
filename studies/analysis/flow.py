"""The flow of participants, as CONSORT asks: who started, who left on the way, who was excluded, who is analysed.

Everybody who took a slot stands in two sums, in total and by the group they were assigned to:

    started = finished + left before the end + withdrew + screened out + not finished yet (+ not recorded)
    started = analysed + withdrew + screened out + excluded (by reason) + without a trial

A person is analysed when trials.csv has at least one trial of theirs that is not excluded, whatever their session ended
in: what people answered before they left counts. Of people who withdrew the tables have nothing. The group is the
condition where people met different conditions (between subjects); where all met the same ones it is the list of the
plan (rotation, and order where there are blocks). Reference: Schulz, Altman & Moher 2010 (CONSORT).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from studies.analysis.attrition import NO_PLAN, NO_TAKERS, Planned, planned_trials
from studies.analysis.cluster import first_rows
from studies.analysis.planned import plan_of
from studies.analysis.study import Study

Tables = Mapping[str, pd.DataFrame]
Taker = tuple[str, str, str]  # name, arm, list
Groups = dict[str, str]
By = Literal["", "arm", "list"]

COMPLETED, ABANDONED, WITHDRAWN, SCREENED_OUT, ACTIVE = "completed", "abandoned", "withdrawn", "screened_out", "active"
ANALYSED, EXCLUDED, NO_TRIAL = "analysed", "excluded", "no trial"
NO_REASON = "no reason recorded"


@dataclass(frozen=True)
class Person:
    """One who started. `state`: how the session ended, as participants.csv says it, empty where nothing does. `fate`:
    analysed, withdrawn, screened out, excluded (then with `reason` and `is_post_hoc`) or no trial. `group`: see Flow.
    `check_attempts`: how often they answered the check questions after the instructions; `has_trial`: whether
    trials.csv has anything of theirs, so that they passed."""

    name: str
    state: str
    fate: str
    reason: str = ""
    is_post_hoc: bool = False
    group: str = ""
    check_attempts: int = 0
    has_trial: bool = False


@dataclass(frozen=True)
class Flow:
    """What became of people and of planned trials.

    people: everybody who started, by name; nobody where neither participants.csv nor the plan says who did. by: what
    their groups are; empty where all are one group. planned: see attrition.
    """

    people: tuple[Person, ...] = ()
    by: By = ""
    planned: Planned = field(default_factory=lambda: Planned(reason=NO_PLAN))

    @property
    def groups(self) -> list[str]:
        """The groups' names in order; an empty one, of whom it is not known, comes last. None where all are one."""
        return sorted({person.group for person in self.people}, key=lambda name: (not name, name)) if self.by else []


def flow_of(trials: pd.DataFrame, tables: Tables, study: Study) -> Flow:
    """The flow of a study. trials: the completed table; tables: the checked ones by name, as far as there are any."""
    plan = plan_of(tables["assignments"]) if "assignments" in tables else None
    without = Planned(reason=NO_TAKERS if "assignments" in tables else NO_PLAN)
    if plan is None and "participants" not in tables:
        return Flow(planned=without)
    takers = plan.takers() if plan else []
    by, groups = _groups(tables, takers)
    people = tuple(_people(trials, tables, takers, groups))
    if plan is None:
        return Flow(people, by, without)
    excluded = frozenset(person.name for person in people if person.fate == EXCLUDED)
    under_way = frozenset(person.name for person in people if person.state == ACTIVE and not study.is_closed)
    left_out = under_way | frozenset(person.name for person in people if person.fate == SCREENED_OUT)
    planned = planned_trials(plan, trials, tables.get("questions"), excluded=excluded, left_out=left_out)
    return Flow(people, by, planned)


def _people(trials: pd.DataFrame, tables: Tables, takers: Sequence[Taker], groups: Groups) -> list[Person]:
    """Everybody whom a table names."""
    session, decision, seen = _lines(tables, "participants"), _lines(tables, "exclusions"), _seen(trials)
    people = []
    for name in sorted({*session, *seen, *(name for name, _, _ in takers)}):
        told, decided = session.get(name, {}), decision.get(name, {})
        state, group, tries = str(told.get("state", "")), groups.get(name, ""), _tries(told)
        is_out, why, post_hoc = seen.get(name, (told.get("excluded") == 1 or bool(decided), "", False))
        if name in seen and not is_out:
            people.append(Person(name, state, ANALYSED, group=group, check_attempts=tries, has_trial=True))
        elif state in (WITHDRAWN, SCREENED_OUT) or not is_out:
            fate = state if state in (WITHDRAWN, SCREENED_OUT) else NO_TRIAL
            people.append(Person(name, state, fate, group=group, check_attempts=tries))
        else:
            reason = why or told.get("exclusion_reason") or decided.get("rule") or NO_REASON
            is_post_hoc = post_hoc or decided.get("post_hoc") == 1
            people.append(Person(name, state, EXCLUDED, str(reason), is_post_hoc, group, tries, name in seen))
    return people


def _tries(told: Mapping[str, object]) -> int:
    """The attempts at the check questions that a line of participants.csv tells; 0 where it tells none."""
    value = told.get("check_attempts")
    return int(value) if isinstance(value, int | float) and value == value else 0


def _lines(tables: Tables, name: str) -> dict[str, dict[str, object]]:
    """The cells of each participant's first line."""
    if name not in tables:
        return {}
    table = tables[name].drop_duplicates("participant")
    columns = {str(column): table[column].tolist() for column in table}
    return {who: {column: columns[column][row] for column in columns} for row, who in enumerate(columns["participant"])}


def _seen(trials: pd.DataFrame) -> dict[str, tuple[bool, str, bool]]:
    """Of everybody with a trial: whether all their trials are excluded, and the reason and post_hoc of the first."""
    codes = trials["participant_code"].to_numpy()
    first, _ = first_rows(codes)
    kept = np.bincount(codes, weights=trials["excluded"].to_numpy() != 1)
    start = trials[["participant", "exclusion_reason", "post_hoc"]].iloc[first]
    cells = zip(*(start[name].tolist() for name in start), kept[codes[first]].tolist(), strict=True)
    return {name: (not n, reason, post_hoc == 1) for name, reason, post_hoc, n in cells}


def _groups(tables: Tables, takers: Sequence[Taker]) -> tuple[By, Groups]:
    """What people differ by, and the group of each: the arms they were assigned, else the list."""
    met: dict[str, set[str]] = {}
    for name, arm, _ in takers:
        met.setdefault(name, set()).add(arm)
    arms = {name: " + ".join(sorted(own)) for name, own in met.items()}
    if len(set(arms.values())) > 1:
        return "arm", arms
    lists = {name: str(cells["list"]) for name, cells in _lines(tables, "participants").items() if cells.get("list")}
    lists |= {name: own for name, _, own in takers if own}
    return ("list", lists) if len(set(lists.values())) > 1 else ("", {})
