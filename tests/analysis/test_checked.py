"""People who were screened out: named in the flow, in no condition's attrition; and who passed at which attempt."""

from pathlib import Path

import pandas as pd
import pytest

from studies.analysis.analyse import analyse
from tests.analysis.test_flow import by_hand, study, table_of

CAPTION = "The check after the instructions"


def tables(*, has_checks: bool = True) -> dict[str, pd.DataFrame]:
    """The flow's study, where c2 and c4, who never had a trial, were screened out, c4 excluded besides."""
    made = by_hand()
    people = made["participants"].astype(object)
    people.loc[people["participant"].isin(["c2", "c4"]), "state"] = "screened_out"
    if has_checks:
        tries = {"a1": 1, "a2": 2, "a3": None, "a4": 1, "c1": 3, "c2": 3, "c3": 1, "c4": 3}
        people["check_attempts"] = [tries[name] for name in people["participant"]]
    return {**made, "participants": people}


def test_the_flow_names_them_and_both_sums_hold(tmp_path: Path) -> None:
    table = table_of(study(tmp_path, tables()), "From the start to the analysis")
    assert list(table.rows)[:11] == [
        ("Started", "8", "4", "4"),
        ("finished", "3", "2", "1"),
        ("left before the end", "1", "1", "0"),
        ("withdrew", "1", "1", "0"),
        ("screened out", "2", "0", "2"),
        ("not finished yet", "1", "0", "1"),
        ("Not analysed", "4", "2", "2"),
        ("excluded: too fast", "1", "1", "0"),
        ("no trial of theirs ended", "0", "0", "0"),
        ("screened out", "2", "0", "2"),
        ("withdrew", "1", "1", "0"),
    ]


def test_trials_that_they_never_came_to_are_no_attrition(tmp_path: Path) -> None:
    """Human+model: of c1's and c3's four planned trials c3 missed one; c2's and c4's four are nobody's loss."""
    results = analyse(study(tmp_path, tables()), is_quick=True)
    found = results.find("acc.attrition", "human+model", exclusions="none")
    assert (found.estimate, found.n_trials, found.P) == (1 / 4, 4, 2)


def test_at_which_attempt_people_passed(tmp_path: Path) -> None:
    table = table_of(study(tmp_path, tables()), CAPTION)
    assert list(table.rows) == [
        ("all right at attempt 1", "3"),
        ("all right at attempt 2", "1"),
        ("all right at attempt 3", "1"),
        ("screened out", "2"),
    ]


def test_nobody_without_a_trial_is_said_to_have_passed(tmp_path: Path) -> None:
    """c4 gave up after one attempt and was excluded: no pass."""
    made = tables()
    people = made["participants"]
    people.loc[people["participant"] == "c4", ["state", "check_attempts"]] = ["abandoned", 1]
    table = table_of(study(tmp_path, made), CAPTION)
    first, *_, last = table.rows
    assert first == ("all right at attempt 1", "3")
    assert last == ("no trial of theirs ended", "1")


def test_a_study_without_check_questions_has_no_such_table(tmp_path: Path) -> None:
    with pytest.raises(StopIteration):
        table_of(study(tmp_path, tables(has_checks=False)), CAPTION)
