"""The chaos bench's judge finds each kind of harm when it is planted, and nothing in a sound session."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.bench.chaos import judge
from tests.bench.chaos.rows import BaselineRow, EventRow, MessageRow, Rows, SessionRow, TrialRow
from tests.bench.chaos.seen import seen

START = 1_800_000_000.0  # the person's clock at the opening; the deadline is 6 s later, the grace 2 s
GRACE = 2000
Fact = dict[str, Any]


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(START, tz=UTC) + timedelta(seconds=seconds)


def did(own: str, kind: str, sent: float, answered: float | None, *, number: int = 1, **values: Any) -> list[Fact]:
    """A command of the one person; `answered` None: no word came. `refused` in values: that word."""
    refused = values.pop("refused", None)
    writer = values.pop("writer", "laptop")
    about = {"entry": "a", "position": 1, "tab": writer, "writer": writer, "number": number, "id": own, "kind": kind}
    facts = [{"what": "make", "at": START + sent, **about, **values}, {"what": "send", "at": START + sent, "id": own}]
    if answered is not None:
        word = {"what": "refused", "code": refused} if refused else {"what": "ack"}
        facts.append({**word, "at": START + answered, "id": own})
    return facts


def choice(option: int | None, confidence: float | None = 0.6) -> dict[str, Any]:
    return {"option": option, "confidence": confidence}


SOUND: list[Fact] = [
    {"what": "joined", "at": START, "entry": "a"},
    {"what": "page", "at": START, "entry": "a", "position": 1, "deadline": round((START + 6) * 1000), "grace": GRACE},
    *did("d1", "draft", 1.0, 1.1, number=1, **choice(2)),
    *did("m1", "message", 2.0, 2.1, number=2, text="Which?"),
    *did("d2", "draft", 3.0, 3.1, number=3, **choice(1)),
    *did("s1", "submit", 5.0, 5.1, number=4, **choice(1)),
    {"what": "code", "at": START + 9, "entry": "a", "code": "C0DE"},
]
TRIAL = TrialRow(
    entry="a",
    position=1,
    state="answered",
    opened_at=at(0),
    deadline_at=at(6),
    closed_at=at(5.05),
    draft_id="d2",
    draft_at=at(3.05),
    draft_in_grace=False,
    draft=(1, 0.6),
    answer=(1, 0.6),
    submitted_by="person",
    in_grace=False,
    submit_id="s1",
    resets=0,
)
MESSAGE = MessageRow("a", 1, "m1", "Which?", ("done",))


def event(seq: int, kind: str, seconds: float, command: str = "", **data: Any) -> EventRow:
    return EventRow("a", 1, seq, kind, at(seconds), data, command)


EVENTS = (
    event(1, "opened", 0),
    event(2, "draft", 1.05, "d1", in_grace=False),
    event(3, "message", 2.05, "m1"),
    event(4, "reply_asked", 2.05),
    event(5, "draft", 3.05, "d2", in_grace=False),
    event(6, "submit", 5.05, "s1"),
)
ROWS = Rows((SessionRow("a", "completed", "C0DE"),), (TRIAL,), (MESSAGE,), EVENTS, (), (), (BaselineRow(True, 6, 6),))


def found(facts: list[Fact], rows: Rows) -> set[str]:
    """Which of the judge's questions complain."""
    known = seen(facts)
    said = {
        "lost": judge.lost(known, rows),
        "duplicated": judge.duplicated(known, rows),
        "late": judge.late(known, rows),
        "bent": judge.bent(known, rows),
        "stuck": judge.stuck(known, rows),
        "running": judge.running(rows),
        "baseline": judge.baseline(rows),
    }
    return {name for name, sentences in said.items() if list(sentences)}


def with_trial(**changes: Any) -> Rows:
    return replace(ROWS, trials=(replace(TRIAL, **changes),))


def without(*ids: str) -> list[Fact]:
    return [fact for fact in SOUND if fact.get("id") not in ids]


def test_a_sound_session_has_no_complaints() -> None:
    assert found(SOUND, ROWS) == set()


@pytest.mark.parametrize(
    ("harm", "rows"),
    [
        ("an acknowledged message without a row", replace(ROWS, messages=(), events=EVENTS[:2] + EVENTS[4:])),
        ("an acknowledged answer that is another's", with_trial(submit_id="x")),
        ("an acknowledged answer without its event in the log", replace(ROWS, events=EVENTS[:-1])),
        ("another answer than the acknowledged one", with_trial(answer=(3, 0.6))),
        ("the last draft is an earlier one", with_trial(draft_id="d1", draft=(2, 0.6))),
        ("no draft although one was acknowledged", with_trial(draft_id="")),
        ("a draft with another option", with_trial(draft=(3, 0.6))),
        ("no session for who joined", replace(ROWS, sessions=())),
        ("another code than was shown", replace(ROWS, sessions=(SessionRow("a", "completed", "XXXX"),))),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_was_acknowledged_and_is_not_there_is_lost(harm: str, rows: Rows) -> None:
    assert "lost" in found(SOUND, rows)


@pytest.mark.parametrize(
    ("harm", "rows"),
    [
        ("a message twice", replace(ROWS, messages=(MESSAGE, replace(MESSAGE, id="m2")))),
        (
            "an event of one command twice",
            replace(ROWS, events=(*EVENTS, event(7, "draft", 3.2, "d2", in_grace=False))),
        ),
        ("closed twice", replace(ROWS, events=(*EVENTS, event(7, "timeout", 8.1)))),
        ("a draft that nobody made", replace(ROWS, events=(*EVENTS, event(7, "draft", 3.2, in_grace=False)))),
        ("a reply that nobody asked for", replace(ROWS, messages=(replace(MESSAGE, replies=("done", "done")),))),
        ("a reset that nobody made", with_trial(resets=1)),
        ("two sessions of one person", replace(ROWS, sessions=ROWS.sessions * 2)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_was_done_once_and_is_there_twice_is_duplicated(harm: str, rows: Rows) -> None:
    assert "duplicated" in found(SOUND, rows)


def test_an_answer_sent_after_the_grace_and_stored_is_late() -> None:
    facts = without("s1") + did("s1", "submit", 8.01, 8.1, number=4, **choice(1))
    assert "late" in found(facts, ROWS)  # with a row that claims 5.05 s


def test_an_answer_sent_at_the_last_moment_of_the_grace_is_not_late() -> None:
    facts = without("s1") + did("s1", "submit", 7.9, 8.1, number=4, **choice(1))
    events = (*EVENTS[:-1], event(6, "submit", 7.95, "s1"))
    assert found(facts, replace(with_trial(closed_at=at(7.95), in_grace=True), events=events)) == set()


@pytest.mark.parametrize(
    ("harm", "rows"),
    [
        ("answered after the grace by the row's clock", with_trial(closed_at=at(8.5), in_grace=True)),
        ("in grace and not marked", with_trial(closed_at=at(7))),
        ("marked and not in grace", with_trial(in_grace=True)),
        ("an event dated before it was sent", replace(ROWS, events=(event(1, "draft", 0.9, "d1", in_grace=False),))),
        ("a moved deadline", with_trial(deadline_at=at(9))),
        ("an answer of nobody", with_trial(submit_id="unknown")),
        (
            "a message after the deadline",
            replace(ROWS, events=(*EVENTS[:2], event(3, "message", 6.1, "m1"), *EVENTS[3:])),
        ),
        ("closed by the timer within the grace", with_trial(submitted_by="timer", closed_at=at(7.9), submit_id="")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_counts_as_on_time_and_was_not_is_late(harm: str, rows: Rows) -> None:
    assert "late" in found(SOUND, rows)


def test_a_timer_that_submits_the_last_draft_is_sound() -> None:
    events = (*EVENTS[:-1], event(6, "timeout", 8.1))
    rows = replace(with_trial(submitted_by="timer", closed_at=at(8.1), submit_id=""), events=events)
    assert found(without("s1"), rows) == set()
    bent = replace(rows, trials=(replace(rows.trials[0], answer=(0, 0.6)),))
    assert "bent" in found(without("s1"), bent)
    empty = replace(rows, trials=(replace(rows.trials[0], state="timed_out", answer=(None, None), submitted_by=""),))
    assert "bent" in found(without("s1"), empty)


def test_refused_and_yet_stored_is_bent() -> None:
    facts = without("s1") + did("s1", "submit", 5.0, 5.1, number=4, refused="too_late", **choice(1))
    assert "bent" in found(facts, ROWS)


def test_refused_without_a_reason_is_bent() -> None:
    facts = SOUND + did("d3", "draft", 4.0, 4.1, number=5, refused="option_unknown", **choice(1))
    assert found(facts, ROWS) == {"bent"}


def test_a_draft_of_another_browser_that_may_have_come_later_is_no_loss() -> None:
    facts = SOUND + did("p1", "draft", 3.05, None, number=1, writer="phone", **choice(0))
    events = (*EVENTS[:5], event(6, "draft", 3.2, "p1", in_grace=False), replace(EVENTS[5], seq=7))
    rows = replace(with_trial(draft_id="p1", draft=(0, 0.6), draft_at=at(3.2)), events=events)
    assert found(facts, rows) == set()


def test_whoever_has_no_code_is_stuck() -> None:
    assert "stuck" in found(SOUND, replace(ROWS, sessions=(SessionRow("a", "active", ""),)))
    assert "stuck" in found([*SOUND, {"what": "stuck", "at": START, "entry": "a", "why": "?"}], ROWS)


def test_a_reply_that_never_ends_and_an_unfinished_baseline_are_found() -> None:
    assert found(SOUND, replace(ROWS, messages=(replace(MESSAGE, replies=("streaming",)),))) == {"running"}
    assert found(SOUND, replace(ROWS, baselines=(BaselineRow(False, 5, 6),))) == {"baseline"}
