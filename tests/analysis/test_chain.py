"""A log that was bent is found, whatever was done to it, and the words name where."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.analysis import chain
from studies.analysis.chain import Row

START = chain.origin(spec_hash="0" * 64, pseudonym="p1")
AT = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
LENGTH = 8


def log(types: list[str] | None = None) -> list[Row]:
    """A whole log of LENGTH events, or one with these types."""
    rows: list[Row] = []
    for seq, kind in enumerate(types or ["draft"] * LENGTH, start=1):
        data, salt = {"option": seq % 4}, f"{seq:032x}"
        row = Row(seq, kind, AT + timedelta(seconds=seq), None, 1, None, data, salt, chain.data_hash(data, salt), "")
        rows.append(replace(row, hash=linked(row, rows[-1].hash if rows else START)))
    return rows


def linked(row: Row, head: str) -> str:
    return chain.chained(
        head=head,
        seq=row.seq,
        kind=row.type,
        at=row.at,
        client_at=row.client_at,
        position=row.position,
        command_id=row.command_id,
        hashed_data=row.data_hash,
    )


def erased(row: Row) -> Row:
    return replace(row, data=None, salt=None)


def problems(rows: list[Row], whole: list[Row] | None = None, *, is_withheld: bool = False) -> tuple[str, ...]:
    """What is wrong with `rows` where the session's end is that of the whole log."""
    end = (whole or log())[-1]
    found = chain.check(rows, start=START, last_seq=end.seq, head=end.hash, is_withheld=is_withheld)
    return found.problems


def test_a_whole_log_has_no_problems() -> None:
    assert problems(log()) == ()
    assert chain.check([], start=START, last_seq=0, head=START).problems == ()


@pytest.mark.parametrize("place", range(1, LENGTH))
def test_a_removed_event_is_named(place: int) -> None:
    assert problems([row for row in log() if row.seq != place]) == (f"removed: event {place}",)


def test_a_log_that_was_cut_off_says_where_it_ends() -> None:
    assert problems(log()[:5]) == ("cut off: it ends with event 5 of 8",)
    assert problems([]) == ("cut off: it ends with event 0 of 8",)


@pytest.mark.parametrize(
    "change",
    [
        {"type": "submit"},
        {"at": AT},
        {"client_at": AT},
        {"position": 2},
        {"position": None},
        {"hash": "f" * 64},
        {"data_hash": "f" * 64},
    ],
)
def test_a_changed_event_is_named(change: dict[str, object]) -> None:
    rows = log()
    rows[3] = replace(rows[3], **change)  # type: ignore[arg-type]
    assert any("changed" in problem and "event" in problem and "4" in problem for problem in problems(rows))


def test_changed_data_are_named() -> None:
    rows = log()
    rows[3] = replace(rows[3], data={"option": 3})
    assert problems(rows) == ("data changed: event 4",)


def test_two_events_that_changed_places_are_named() -> None:
    rows = log()
    rows[3], rows[4] = replace(rows[4], seq=4), replace(rows[3], seq=5)
    assert problems(rows) == ("reordered: event 4 stands at place 5, event 5 stands at place 4",)


def test_rows_in_another_order_are_noticed() -> None:
    rows = log()
    assert problems([rows[1], rows[0], *rows[2:]]) == ("the events are not in their order",)


def test_an_event_that_stands_twice_is_named() -> None:
    rows = log()
    assert "twice: event 3" in problems([*rows[:3], *rows[2:]])


def test_an_event_more_than_the_session_had_is_noticed() -> None:
    longer = log(["draft"] * (LENGTH + 1))
    assert problems(longer, log()) == ("it goes on to event 9, but the session's end is 8",)


def test_another_session_s_log_does_not_fit() -> None:
    end = log()[-1]
    other = chain.origin(spec_hash="0" * 64, pseudonym="p2")
    assert chain.check(log(), start=other, last_seq=end.seq, head=end.hash).problems == ("changed: event 1",)


def test_a_rewritten_log_with_a_valid_chain_does_not_have_the_session_s_head() -> None:
    assert problems(log(["submit"] * LENGTH)) == ("its last hash is not the session's head",)


def test_erasure_needs_an_event_that_says_so() -> None:
    whole = log(["draft"] * 6 + ["erased", "reply"])
    found = chain.check(
        [erased(row) if row.seq < 7 else row for row in whole], start=START, last_seq=8, head=whole[-1].hash
    )
    assert (found.events, found.erased, found.problems) == (8, 6, ())
    assert problems([erased(row) for row in whole], whole) == ("data gone although nothing was erased: events 7-8",)
    rows = log()
    assert problems([erased(rows[0]), *rows[1:]]) == ("data gone although nothing was erased: event 1",)
    assert problems([erased(row) for row in rows], is_withheld=True) == ()


def test_half_an_erasure_is_a_change() -> None:
    whole = log(["draft", "erased"])
    assert problems([replace(whole[0], salt=None), whole[1]], whole) == ("data changed: event 1",)


def test_a_log_that_is_wrong_everywhere_is_told_shortly_and_at_once() -> None:
    rows = log(["draft"] * 3000)
    bent = [replace(row, at=row.at + timedelta(hours=1)) for row in rows]
    assert problems(bent, rows) == ("changed: events 1-3000",)


@pytest.mark.parametrize("seq", [10**15, 0, -3])
def test_a_number_out_of_all_bounds_is_told_at_once(seq: int) -> None:
    rows = sorted([*log()[:3], replace(log()[3], seq=seq), *log()[4:]], key=lambda row: row.seq)
    assert problems(rows)


FIELDS = ("type", "at", "client_at", "position", "data", "salt", "data_hash", "hash")


@given(seq=st.integers(0, LENGTH - 1), field=st.sampled_from(FIELDS), other=st.integers(0, LENGTH - 1))
def test_no_single_change_goes_unnoticed(seq: int, field: str, other: int) -> None:
    rows = log()
    values = {"type": "x", "at": rows[other].at, "client_at": AT, "position": other + 5}
    values |= {"data": rows[other].data, "salt": rows[other].salt, "data_hash": rows[other].data_hash}
    values |= {"hash": rows[other].hash}
    changed = replace(rows[seq], **{field: values[field]})
    if changed != rows[seq]:
        rows[seq] = changed
        assert problems(rows)


@given(st.permutations(range(LENGTH)))
def test_no_order_but_the_true_one_passes(order: list[int]) -> None:
    rows = log()
    numbered = [replace(rows[place], seq=seq) for seq, place in enumerate(order, start=1)]
    assert bool(problems(numbered)) == (order != list(range(LENGTH)))


@given(st.sets(st.integers(1, LENGTH), min_size=1))
def test_no_part_can_be_left_out(left_out: set[int]) -> None:
    assert problems([row for row in log() if row.seq not in left_out])


def test_hashed_data_are_the_exported_text() -> None:
    data = {"b": 0.6, "a": None, "é": [1, 2]}
    assert json.loads(chain.data_text(data)) == data
    assert chain.data_text(json.loads(chain.data_text(data))) == chain.data_text(data)


def test_the_chain_needs_nothing_but_the_standard_library() -> None:
    code = "import sys, studies.analysis.chain; sys.exit(any(name in sys.modules for name in ('django', 'pandas')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
