"""Keys in every habit, and no guess where two habits disagree."""

import pytest

from studies.questions.keys import find_base, read_key
from studies.questions.records import FileError, Origin, RecordError

AT = Origin("keys.csv", 3)


@pytest.mark.parametrize(
    ("written", "base", "place"),
    [
        ("A", 0, 0),
        ("D", 1, 3),
        ("b", 0, 1),
        (" C ", 0, 2),
        ("0", 0, 0),
        ("3", 0, 3),
        ("1", 1, 0),
        ("4", 1, 3),
        (2, 0, 2),
    ],
)
def test_letters_and_numbers_are_read(written: object, base: int, place: int) -> None:
    assert read_key(AT, written, base) == place


@pytest.mark.parametrize("written", ["E", "", "AB", "4", "-1", "1.0", "²", "yes", None, True, 1.0, 4, []])
def test_anything_else_is_refused_with_what_is_allowed(written: object) -> None:
    with pytest.raises(RecordError, match=r"keys\.csv, record 3: key=.*: A to D, a to d, or 0 to 3"):
        read_key(AT, written, 0)


def test_a_four_in_a_file_that_counts_from_zero_hints_at_the_option() -> None:
    with pytest.raises(RecordError, match="--key-base 1"):
        read_key(AT, "4", 0)


def test_zero_is_refused_where_counting_starts_at_one() -> None:
    with pytest.raises(RecordError, match="1 to 4"):
        read_key(AT, "0", 1)


def test_a_zero_among_the_keys_tells_that_they_count_from_zero() -> None:
    assert find_base("f", ["2", "0", "3"], told=None) == 0


def test_a_header_tells_what_they_count_from() -> None:
    assert find_base("f", ["2", "3"], told=None, named_by_header=0) == 0


def test_letters_need_no_base() -> None:
    assert find_base("f", ["A", "d"], told=None) == 0


@pytest.mark.parametrize("keys", [["1", "2", "3"], ["1", "4"], [2, 3]])
def test_numbers_without_a_zero_are_not_guessed(keys: list[object]) -> None:
    with pytest.raises(FileError, match="--key-base 0 or --key-base 1"):
        find_base("f", keys, told=None)


def test_what_is_told_decides() -> None:
    assert find_base("f", ["1", "2"], told=1) == 1
    assert find_base("f", ["1", "2"], told=0, named_by_header=1) == 0
