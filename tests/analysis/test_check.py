"""Rejections name file, row, column, value and what is allowed."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from studies.analysis import check
from studies.analysis.data import read
from studies.analysis.errors import InputError, Problem
from studies.analysis.plain_csv import TEXT

Write = Callable[..., Path]
HEAD = "participant,question,condition,answer,gold,confidence,subject,model_answer,timed_out,stage"


def problems(path: Path) -> list[Problem]:
    with pytest.raises(InputError) as caught:
        read(path)
    return list(caught.value.problems)


def test_a_table_that_keeps_to_the_contract_is_accepted(write: Write) -> None:
    data = read(write(HEAD, "p1,q1,human,A,A,0.5,law,B,0,", "p1,q2,human+model,,B,,law,B,1,"))
    assert data.trials["correct"].tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("second", "column", "value", "allowed"),
    [
        ("p1,q1,human,B,A,0.5,law,B,0,", "participant × question × condition × stage", "p1 × q1 × human × ", "row 2"),
        ("p2,q1,human,A,A,1.2,law,B,0,", "confidence", "1.2", "a number from 0 to 1"),
        ("p2,q1,human,A,A,-0.1,law,B,0,", "confidence", "-0.1", "a number from 0 to 1"),
        ("p2,q1,human,A,A,nan,law,B,0,", "confidence", "nan", "a number from 0 to 1"),
        ("p2,q1,human,A,A,80%,law,B,0,", "confidence", "80%", "a number from 0 to 1"),
        ("p2,q1,human,A,,0.5,law,B,0,", "gold", "", "the correct option"),
        ("p2,q1,human,A,B,0.5,law,B,0,", "gold", "B", "A, as in the other rows of question q1"),
        ("p2,q1,human,A,A,0.5,logic,B,0,", "subject", "logic", "law, as in the other rows of question q1"),
        ("p2,q1,human,A,A,0.5,law,C,0,", "model_answer", "C", "B, as in the other rows of question q1"),
        ("p2,q1,robot,A,A,0.5,law,B,0,", "condition", "robot", "human or human+model"),
        (",q1,human,A,A,0.5,law,B,0,", "participant", "", "not empty"),
        ("p2,q1,human,A,A,0.5,law,B,1,", "timed_out", "1.0", "0: a trial with an answer did not time out"),
        ("p2,q1,human,,A,,law,B,0,", "answer", "", "timed_out = 1"),
        ("p2,q1,human,A,A,0.5,law,B,2,", "timed_out", "2", "0 or 1"),
    ],
)  # fmt: skip
def test_a_bad_cell_is_named(write: Write, second: str, column: str, value: str, allowed: str) -> None:
    found = problems(write(HEAD, "p1,q1,human,A,A,0.5,law,B,0,", second))
    assert len(found) == 1
    assert (found[0].file, found[0].row, found[0].column, found[0].value) == ("trials.csv", 3, column, value)
    assert allowed in found[0].allowed
    for part in ("trials.csv", "row 3", column, allowed):
        assert part in str(found[0])


def test_every_problem_is_found_at_once(write: Write) -> None:
    found = problems(write(HEAD, "p1,q1,human,A,A,7,law,B,0,", "p2,q1,robot,A,A,0.5,law,B,0,"))
    assert [(p.row, p.column) for p in found] == [(3, "condition"), (2, "confidence")]


def test_a_missing_column_is_named_with_its_near_miss(write: Write) -> None:
    found = problems(write("Participant,question,condition,answer,gold,confidence", "p1,q1,human,A,A,0.5"))
    assert found[0].column == "participant"
    assert "'Participant'" in found[0].allowed


def test_confidence_must_be_a_column_and_may_be_empty(write: Write) -> None:
    found = problems(write("participant,question,condition,correct", "p1,q1,human,1"))
    assert "its cells may be empty" in found[0].allowed
    assert len(read(write("participant,question,condition,correct,confidence", "p1,q1,human,1,")).trials) == 1


def test_correct_without_gold_must_be_complete(write: Write) -> None:
    found = problems(write("participant,question,condition,correct,confidence", "p1,q1,human,,", "p2,q1,human,0,"))
    assert [(p.row, p.column) for p in found] == [(2, "correct")]


def test_two_stages_of_one_trial_are_not_a_duplicate(write: Write) -> None:
    data = read(write(HEAD, "p1,q1,human,A,A,0.5,law,B,0,initial", "p1,q1,human,A,A,0.5,law,B,0,final"))
    assert len(data.trials) == 2


def test_a_doubled_file_is_refused_quickly(write: Write) -> None:
    rows = [f"p{i},q1,human,A,A,0.5,law,B,0," for i in range(300)]
    assert 0 < len(problems(write(HEAD, *rows, *rows))) <= 50


def test_a_row_with_a_cell_too_many_is_named(write: Write) -> None:
    found = problems(
        write("participant,question,condition,correct,confidence", "p1,q1,human,1,0.5", "p1,q2,human,1,0,5")
    )
    assert (found[0].row, found[0].value, found[0].allowed) == (3, "6 cells", "5 cells, as the header has")


@pytest.mark.parametrize(
    "odd", ["", " 0.5", "0.5 ", "+1", "1e-1", ".5", "1.", "0x1", "1_0", "1,0", "5d", "Infinity", "-0", "\u0663"]
)
def test_a_column_is_read_the_same_whether_all_its_cells_are_plain_numbers_or_not(odd: str) -> None:
    cells = pd.Series(["0.1", odd, "12", "0.30000000000000004"], dtype=TEXT).mask(lambda text: text == "")
    expected = pd.to_numeric(cells, errors="coerce").astype("float64")
    pd.testing.assert_series_equal(check.numbers(cells), expected)
    pd.testing.assert_series_equal(check.numbers(cells.drop(1)), expected.drop(1))
