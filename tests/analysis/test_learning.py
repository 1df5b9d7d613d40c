"""Accuracy by place: the stretches follow from the places, and each is the mean of its own trials."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from studies.analysis import accuracy, learning
from studies.analysis.data import read
from studies.analysis.slices import slices


def people(path: Path) -> pd.DataFrame:
    return next(slices(read(path))).people["human", ""]


def test_each_stretch_is_the_mean_of_its_trials_with_the_interval_of_accuracy(trials_csv: Path) -> None:
    trials = people(trials_csv)
    table = learning.by_position(trials, parts=4)
    assert [(each.first, each.last) for each in table] == [(1, 5), (6, 10), (11, 15), (16, 20)]
    assert sum(each.found.n_trials for each in table) == len(trials)
    for each in table:
        part = trials[trials["position"].between(each.first, each.last)]
        assert each.found == accuracy.micro(part)
        assert each.found.estimate == pytest.approx(part["correct"].mean())


def test_swapping_the_halves_of_everybody_turns_the_table_round(trials_csv: Path) -> None:
    trials = people(trials_csv)
    table = learning.by_position(trials, parts=2)
    turned = learning.by_position(trials.assign(position=21 - trials["position"]), parts=2)
    assert [each.found for each in table] == [each.found for each in reversed(turned)]


def test_few_people_have_an_interval_that_says_so(simulate: Callable[..., pd.DataFrame], tmp_path: Path) -> None:
    simulate(people=4).to_csv(tmp_path / "trials.csv", index=False)
    table = learning.by_position(people(tmp_path))
    assert all(each.found.method.startswith("Wilson") for each in table)
    assert all(0 <= each.found.low <= each.found.high <= 1 for each in table)


def test_without_places_there_are_no_stretches(trials_csv: Path) -> None:
    assert learning.by_position(people(trials_csv).assign(position=np.nan)) == []
