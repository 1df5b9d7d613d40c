"""README.md is current."""

import re
from pathlib import Path

import pandas as pd

from studies.analysis.analyse import analyse
from studies.analysis.data import read
from studies.analysis.readme import BEGIN, README, with_ids


def test_the_table_of_ids_is_made_from_the_registry() -> None:
    text = README.read_text(encoding="utf-8")
    assert text == with_ids(text), "run python -m studies.analysis.readme"


def test_it_names_the_figures_that_need_a_first_answer(trials_csv: Path) -> None:
    without = _known(trials_csv)
    table = pd.read_csv(trials_csv, dtype=str, keep_default_na=False)
    is_assisted = table["condition"] == "human+model"
    first = pd.Series(["ABCD"[row % 4] for row in range(len(table))]).where(is_assisted, "")
    table.assign(initial_answer=first, initial_confidence=is_assisted.map({True: "0.42", False: ""})).to_csv(
        trials_csv, index=False
    )
    needing = {id.replace("woa.mean", "woa.*").replace("woa.median", "woa.*") for id in _known(trials_csv) - without}
    before, _, _ = README.read_text(encoding="utf-8").partition(BEGIN)
    assert {id for id in needing if id.startswith("rel.")} == set(re.findall(r"`(rel\.[a-z_.*]+)`", before))


def _known(path: Path) -> set[str]:
    """The ids of people with the model that have a figure."""
    results = analyse(read(path), is_quick=True)
    return {row.id for row in results if row.condition == "human+model" and row.found.estimate is not None}
