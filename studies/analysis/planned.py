"""The plan as codes: which trials each person who took a slot was to meet, under which condition, arm and list."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from studies.analysis.cluster import Codes, first_rows
from studies.analysis.schema import HUMAN_MODEL

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Coded:
    """A column as whole numbers from 0 and the names that they stand for; not every name need occur."""

    codes: Codes
    names: tuple[str, ...]

    @classmethod
    def of(cls, column: pd.Series) -> "Coded":
        codes, names = pd.factorize(column)
        return cls(codes.astype(np.int64, copy=False), tuple(map(str, names)))

    def at(self, rows: Flags) -> "Coded":
        return Coded(self.codes[rows], self.names)

    def among(self, wanted: frozenset[str]) -> Flags:
        """Whether each row has one of these names."""
        return np.array([name in wanted for name in self.names], dtype=bool)[self.codes]


@dataclass(frozen=True)
class Plan:
    """One entry per planned trial of somebody who took the slot; `treated`: with the model. A `list_name` may be empty.

    An arm that is not named is its condition.
    """

    person: Coded
    question: Coded
    arm: Coded
    list_name: Coded
    treated: Flags

    def takers(self) -> list[tuple[str, str, str]]:
        """Who took a slot: name, arm, list, once for each of these that the plan has for them, in the plan's order."""
        columns = (self.person, self.arm, self.list_name)
        key = np.zeros(len(self.treated), dtype=np.int64)
        for each in columns:
            key = key * len(each.names) + each.codes
        rows = np.sort(first_rows(pd.factorize(key)[0].astype(np.int64))[0])
        names = ([each.names[code] for code in each.codes[rows]] for each in columns)
        return [(name, arm, own) for name, arm, own in zip(*names, strict=True)]


def plan_of(assignments: pd.DataFrame) -> Plan | None:
    """The plan of the checked assignments.csv; None where it names nobody who took a slot."""
    if "participant" not in assignments:
        return None
    person = Coded.of(assignments["participant"])
    taken = ~person.among(frozenset({""}))
    if not taken.any():
        return None
    treated = (assignments["condition"] == HUMAN_MODEL).to_numpy(dtype=bool)
    listed = assignments["list"] if "list" in assignments else pd.Series("", index=assignments.index)
    question, arm, list_name = (Coded.of(each) for each in (assignments["question"], _arms(assignments), listed))
    return Plan(person.at(taken), question.at(taken), arm.at(taken), list_name.at(taken), treated[taken])


def _arms(assignments: pd.DataFrame) -> pd.Series:
    if "arm" not in assignments:
        return assignments["condition"]
    unnamed = assignments["arm"] == ""
    return assignments["arm"].mask(unnamed, assignments["condition"]) if unnamed.any() else assignments["arm"]
