"""The sums of a bundle are checked on the bundle alone."""

import copy
import json

import pytest

from studies.analysis.check_log import PARTICIPANTS_FILE, TRIALS_FILE
from studies.analysis.errors import InputError
from studies.analysis.sums import broken, check, contradictions

SUMS = {
    "sessions": {"assigned": 3, "active": 0, "completed": 1, "abandoned": 1, "screened_out": 0, "withdrawn": 1},
    "trials": {"planned": 12, "answered": 5, "answered_by_timer": 1, "timed_out": 2, "open": 0, "not_reached": 4},
    "excluded": 0,
    "bots": 0,
    "over_of_withdrawn": 2,
}
PEOPLE = ["completed", "abandoned", "withdrawn"]
TRIALS = 6


def test_sums_that_hold_have_no_problem():
    assert broken(SUMS) == []
    assert contradictions(SUMS, PEOPLE, TRIALS) == []


@pytest.mark.parametrize(
    ("sum", "part", "words"),
    [
        ("sessions", "completed", "3 sessions assigned are not 0 active + 2 completed"),
        ("trials", "open", "12 trials planned are not 5 answered + 1 answered by timer + 2 timed out + 1 open"),
        ("trials", "planned", "13 trials planned are not 5 answered"),
    ],
)
def test_a_number_that_is_off_by_one_is_told(sum, part, words):
    off = copy.deepcopy(SUMS)
    off[sum][part] += 1
    [problem] = broken(off)
    assert problem.startswith(words)


def test_a_row_that_is_missing_from_the_tables_is_told():
    assert contradictions(SUMS, PEOPLE, TRIALS - 1) == [
        f"{TRIALS_FILE} has 5 trials, sums.json says 8 were answered or timed out, of which 2 of people who withdrew "
        "are left out"
    ]
    assert contradictions(SUMS, PEOPLE[:2], TRIALS) == [
        f"{PARTICIPANTS_FILE} has 2 sessions assigned, sums.json says 3",
        f"{PARTICIPANTS_FILE} has 0 sessions withdrawn, sums.json says 1",
    ]


def test_a_state_that_nobody_knows_is_told():
    odd = ["completed", "abandoned", "vanished"]
    assert f"{PARTICIPANTS_FILE} has the unknown state 'vanished'" in contradictions(SUMS, odd, TRIALS)


def test_nothing_is_said_while_somebody_is_active():
    active = copy.deepcopy(SUMS)
    active["sessions"] |= {"active": 1, "completed": 0}
    assert contradictions(active, PEOPLE, TRIALS - 1) == []


@pytest.fixture
def bundle(tmp_path):
    """The folder of an unpacked bundle, as far as its sums go; its tables are named as older bundles name them."""
    (tmp_path / "data").mkdir()
    people = "".join(f"p,{state}\n" for state in PEOPLE)
    (tmp_path / "data" / "participants.csv").write_text(f"participant,state\n{people}")
    (tmp_path / "data" / "trials.csv").write_text("participant,answer\n" + "p,A\n" * TRIALS)
    (tmp_path / "sums.json").write_text(json.dumps(SUMS | {"problems": []}))
    return tmp_path


def test_a_bundle_is_checked_with_its_tables(bundle):
    assert check(bundle) == []
    (bundle / "data" / "trials.csv").rename(bundle / TRIALS_FILE)
    assert check(bundle) == []
    (bundle / TRIALS_FILE).write_text("participant,answer\n" + "p,A\n" * 7)
    [problem] = check(bundle)
    assert problem.startswith(f"{TRIALS_FILE} has 7 trials")


def test_what_the_server_found_is_told_again(bundle):
    (bundle / "sums.json").write_text(json.dumps(SUMS | {"problems": ["the slots counted 4 attempts"]}))
    assert check(bundle) == ["the slots counted 4 attempts"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"sessions": {"assigned": 1}}'])
def test_sums_that_cannot_be_read_are_refused(bundle, text):
    (bundle / "sums.json").write_text(text)
    with pytest.raises(InputError, match=r"sums\.json"):
        check(bundle)


def test_an_older_bundle_without_sums_is_refused(bundle):
    (bundle / "sums.json").unlink()
    with pytest.raises(InputError, match=r"a bundle with sums\.json"):
        check(bundle)
