"""Formulas in cells: harmless when written, the same when read, whatever people typed."""

import csv
import io

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from studies.analysis.estimate import Estimate
from studies.analysis.filenames import data_name, is_defused, table_of
from studies.analysis.formulas import defuse, restore
from studies.analysis.results import Result, Results
from studies.analysis.schema import TABLES
from studies.analysis.tables import read_csv


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-x", "@SUM(A1)", "\t=1", "\r=1", "-1+2", "'=x", '=HYPERLINK("x")'])
def test_what_looks_like_a_formula_begins_with_an_apostrophe(text: str) -> None:
    assert defuse(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-5", "+3", "-1.5e-3", "+.5", "", "A", "a=b", "'tis", "None", "007", "'"])
def test_numbers_and_other_texts_stay(text: str) -> None:
    assert defuse(text) == text


@given(st.text(alphabet="'=+-@\t\r1aé\n \",", max_size=8) | st.text(max_size=20))
@example("''=x")
@example("'-5")
def test_reading_gives_back_every_text(text: str) -> None:
    assert restore(defuse(text)) == text
    risky = defuse(text)[:1] in set("=+-@\t\r")
    assert not risky or float(defuse(text)) == float(text)


def test_only_files_that_are_written_so_are_read_so() -> None:
    content = b'"answer"\n"\'=1"\n"\'\'=x"\n'
    for plain in ("trials.csv", "my_data.csv"):
        assert list(read_csv(plain, content)["answer"]) == ["'=1", "''=x"]
    assert list(read_csv(data_name("trials"), content)["answer"]) == ["=1", "'=x"]


def test_names_of_tables_go_there_and_back() -> None:
    for table in TABLES:
        assert table_of(f"data/{data_name(table.name)}") == table.name
        assert table_of(f"{table.name}.csv") == table.name
        assert is_defused(data_name(table.name))
        assert not is_defused(f"{table.name}.csv")


def test_results_are_written_without_formulas() -> None:
    found = Estimate(estimate=-0.5, n_trials=1)
    row = Result("acc.micro", "human", "=cmd()", "", "all", "wrong", "none", "random", found)
    [cells] = csv.DictReader(io.StringIO(Results([row], exclusions="none").to_csv()))
    assert cells["arm"] == "'=cmd()"
    assert cells["estimate"] == "-0.5"
    assert pd.DataFrame([row.row()])["arm"][0] == "=cmd()"
