"""The same figures on different rows: timeouts wrong or excluded, exclusions applied or not, all or a part.

Slices carry numbers only (codes instead of names): many are cut, and text would take most of the time.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from studies.analysis import calibration, cluster, reliance
from studies.analysis.data import Data
from studies.analysis.estimate import Estimate
from studies.analysis.models_alone import OF_LETTERS
from studies.analysis.schema import CONDITIONS
from studies.analysis.vote import Polls

Level = Literal["all", "task", "subject", "model_correct", "limit", "outage", "participant"]
Mask = npt.NDArray[np.bool_]
TIMEOUTS = ("wrong", "excluded")
# Columns that figures ask for even where nobody recorded anything.
RECORDED = {"confidence", "position", "option_count", "seconds", "n_messages", "n_resets"}
# Columns that no figure reads: cutting them thousands of times would take its time.
NOT_READ = {"n_user_chars", "in_grace", "compensated_seconds", "outage", "post_hoc", "simulated", "limit_seconds"}
OF_MODELS = {"answer_code", *OF_LETTERS}
ALWAYS = (
    RECORDED | OF_MODELS | {"model_correct", "advice_correct", "agrees", "first_agrees", "changed", "initial_correct"}
)


@dataclass(frozen=True)
class Slice:
    """Some rows of a study. `subset` is `all`, `task=…`, `subject=…`, `model_correct=0|1`, `limit=…` (seconds or none)
    or `outage=0` (the trials during which the assistant was not down).

    One more holds the rows of everybody, for the figures of single persons (see `persons`): level `participant`.

    trials, models: the numeric columns. groups: for each (condition, arm) of the study its rows in `trials`; arm "" is
    the whole condition, its arms follow where it has several. protocols: the same for `models`; "" is the primary.
    data: the study that the rows are of. once: figures of the model alone that another slice of the same subset has
    computed already: the model has no exclusions and no timeouts.
    """

    trials: pd.DataFrame
    models: pd.DataFrame
    timeouts: str
    exclusions: str
    subset: str
    level: Level
    groups: dict[tuple[str, str], Mask]
    of_protocol: dict[str, Mask]
    data: Data
    once: dict[Hashable, Estimate]

    @cached_property
    def people(self) -> dict[tuple[str, str], pd.DataFrame]:
        """Trials by (condition, arm)."""
        return {key: cluster.remember(self.trials.loc[mask]) for key, mask in self.groups.items()}

    @cached_property
    def sure(self) -> dict[tuple[str, str], pd.DataFrame]:
        """Trials that calibration is about, by (condition, arm)."""
        return {key: cluster.remember(calibration.rows(frame)) for key, frame in self.people.items()}

    @cached_property
    def advised(self) -> dict[tuple[str, str], pd.DataFrame]:
        """Trials that reliance is about, by (condition, arm)."""
        return {key: cluster.remember(reliance.rows(frame)) for key, frame in self.people.items()}

    @cached_property
    def polls(self) -> dict[tuple[str, str], Polls]:
        """The votes of each (condition, arm)."""
        return {key: Polls(frame) for key, frame in self.people.items()}

    def of_model(self, key: Hashable, compute: Callable[[], Estimate]) -> Estimate:
        """A figure of the model alone, computed once for all slices of the subset."""
        if key not in self.once:
            self.once[key] = compute()
        return self.once[key]

    @cached_property
    def sure_protocols(self) -> dict[str, pd.DataFrame]:
        """Answers of the model alone that calibration is about, by protocol."""
        return {key: calibration.rows(frame) for key, frame in self.protocols.items()}

    @cached_property
    def protocols(self) -> dict[str, pd.DataFrame]:
        """Answers of the model alone by protocol."""
        return {key: self.models.loc[mask] for key, mask in self.of_protocol.items()}


def limit_name(seconds: float) -> str:
    """The subset of the trials under this time limit."""
    return f"limit={seconds:g}" if np.isfinite(seconds) else "limit=none"


def headline_exclusions(data: Data) -> str:
    """What the headline does about exclusions: applies them where the table has the column."""
    return "applied" if data.has_exclusions else "none"


def slices(data: Data) -> Iterator[Slice]:
    """Every slice of a study, the headline one first."""
    trials, models = _numbers(data.trials), _numbers(data.models)
    groups, protocols = _groups(data.trials), _protocols(data.models)
    whole = {key: mask for key, mask in groups.items() if not key[1]}
    once: dict[str, dict[Hashable, Estimate]] = defaultdict(dict)
    for exclusions in ("applied", "none") if data.has_exclusions else ("none",):
        for timeouts in TIMEOUTS:
            kept = np.ones(len(trials), dtype=bool)
            if exclusions == "applied":
                kept &= (trials["excluded"] != 1).to_numpy()
            if timeouts == "excluded":
                kept &= (trials["timed_out"] != 1).to_numpy()
            for subset, level, rows, model_rows in _subsets(data, kept):
                wanted = whole if level == "participant" else groups
                yield Slice(
                    trials.iloc[rows], models.loc[model_rows], timeouts, exclusions, subset, level,
                    {key: mask[rows] for key, mask in wanted.items()},
                    {key: mask[model_rows] for key, mask in protocols.items()} if model_rows.any() else {},
                    data, once[subset],
                )  # fmt: skip


def _numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """The numeric columns that hold anything, in one block for each type: cutting rows then takes two copies."""
    used = frame.dropna(axis="columns", how="all").columns if len(frame) else frame.columns
    parts = [frame.select_dtypes(kind) for kind in ("float64", "int64")]
    keep = [
        [name for name in part.columns if (name in used or name in ALWAYS) and name not in NOT_READ] for part in parts
    ]
    blocks = [pd.DataFrame(part[names].to_numpy(), columns=names) for part, names in zip(parts, keep, strict=True)]
    found = pd.concat(blocks, axis=1)
    found.columns = found.columns.astype(object)  # columns are taken very often, and by Arrow's names slowly
    return found


def _groups(trials: pd.DataFrame) -> dict[tuple[str, str], Mask]:
    found: dict[tuple[str, str], Mask] = {}
    for condition in CONDITIONS:
        rows = (trials["condition"] == condition).to_numpy(dtype=bool)
        if rows.any():
            found[condition, ""] = rows
            arms = sorted(trials.loc[rows, "arm"].unique())
            if len(arms) > 1:
                found |= {(condition, arm): rows & (trials["arm"] == arm).to_numpy(dtype=bool) for arm in arms}
    return found


def _protocols(models: pd.DataFrame) -> dict[str, Mask]:
    primary = models["is_primary"].to_numpy(dtype=bool)
    found = {"": primary} if primary.any() else {}
    names = sorted(set(models.loc[~primary, "protocol"]))
    return found | {name: (models["protocol"] == name).to_numpy(dtype=bool) for name in names}


def _subsets(data: Data, kept: Mask) -> Iterator[tuple[str, Level, npt.NDArray[np.int64], Mask]]:
    """Name, level, rows of the trials and rows of the models."""
    models = data.models
    everything, nothing = np.ones(len(models), dtype=bool), np.zeros(len(models), dtype=bool)
    yield "all", "all", np.flatnonzero(kept), everything
    of_questions: tuple[Level, ...] = ("task", "subject")
    for level in of_questions:
        for value in sorted(set(data.trials[level].unique()) - {""}):
            is_part = (data.trials[level] == value).to_numpy(dtype=bool)
            yield (
                f"{level}={value}",
                level,
                np.flatnonzero(kept & is_part),
                (models[level] == value).to_numpy(dtype=bool),
            )
    for right in (0, 1):
        is_right = (data.trials["model_correct"] == right).to_numpy(dtype=bool)
        if is_right.any():
            yield f"model_correct={right}", "model_correct", np.flatnonzero(kept & is_right), nothing
    limits = data.trials["limit_varied"].to_numpy(np.float64)
    for limit in np.unique(limits[~np.isnan(limits)]):
        yield limit_name(limit), "limit", np.flatnonzero(kept & (limits == limit)), nothing
    outage = (data.trials["outage"] == 1).to_numpy(dtype=bool)
    if outage.any():
        yield "outage=0", "outage", np.flatnonzero(kept & ~outage), nothing
    yield "participant", "participant", np.flatnonzero(kept), nothing
