"""The pure rules of a trial: success and refusal side by side, and what no order of times can break."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.runtime import rules
from studies.runtime.rules import Closing, Refusal, TrialState

OPENED = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DEADLINE = OPENED + timedelta(minutes=5)
GRACE = timedelta(seconds=2)
SCALE = (0.25, 0.42, 0.6, 0.8, 1.0)
OPEN = TrialState(state="open", deadline_at=DEADLINE, grace=GRACE, option_count=4, confidence_scale=SCALE)
UNLIMITED = replace(OPEN, deadline_at=None)
MOMENT = timedelta(microseconds=1)


def submit(trial: TrialState, now: datetime, option: int | None = 1, confidence: float | None = 0.6) -> Closing:
    return rules.submission(trial, option=option, confidence=confidence, now=now)


def refusal_of(trial: TrialState, now: datetime, **choice: object) -> str:
    with pytest.raises(Refusal) as refused:
        submit(trial, now, **choice)  # type: ignore[arg-type]
    return refused.value.code


def test_answer_before_the_deadline_is_the_persons_and_not_in_grace() -> None:
    assert submit(OPEN, DEADLINE) == Closing(1, 0.6, "person", False)


def test_answer_within_the_grace_counts_and_is_marked() -> None:
    assert submit(OPEN, DEADLINE + MOMENT).in_grace
    assert submit(OPEN, DEADLINE + GRACE).in_grace


def test_answer_after_the_grace_is_refused() -> None:
    assert refusal_of(OPEN, DEADLINE + GRACE + MOMENT) == "too_late"


def test_without_a_limit_an_answer_is_never_late() -> None:
    assert submit(UNLIMITED, OPENED + timedelta(days=3)) == Closing(1, 0.6, "person", False)


def test_answer_to_a_trial_that_was_never_opened_is_refused() -> None:
    assert refusal_of(replace(OPEN, state="planned", deadline_at=None), OPENED) == "not_open"


@pytest.mark.parametrize("state", ["answered", "timed_out"])
def test_a_closed_trial_takes_no_second_answer(state: str) -> None:
    assert refusal_of(replace(OPEN, state=state), OPENED) == "already_closed"


def test_answer_needs_an_option_and_a_confidence() -> None:
    assert refusal_of(OPEN, OPENED, option=None) == "option_missing"
    assert refusal_of(OPEN, OPENED, confidence=None) == "confidence_missing"


@pytest.mark.parametrize("option", [-1, 4, 99])
def test_an_option_outside_the_question_is_refused(option: int) -> None:
    assert refusal_of(OPEN, OPENED, option=option) == "option_unknown"


@pytest.mark.parametrize("confidence", [0.0, 0.5, 1.1, 80])
def test_a_confidence_off_the_scale_is_refused(confidence: float) -> None:
    assert refusal_of(OPEN, OPENED, confidence=confidence) == "confidence_unknown"


def test_a_confidence_is_stored_as_the_scales_own_value() -> None:
    assert submit(OPEN, OPENED, confidence=0.6 + 1e-9).confidence == 0.6


def test_a_draft_may_be_incomplete() -> None:
    assert rules.draft(OPEN, option=None, confidence=0.8, now=OPENED) == rules.Draft(None, 0.8, False)


def test_an_overdue_trial_with_a_draft_is_answered_by_the_timer() -> None:
    drafted = replace(OPEN, draft_option=2, draft_confidence=None, draft_in_grace=True)
    assert rules.expiry(drafted) == Closing(2, None, "timer", True)


def test_an_overdue_trial_without_a_chosen_option_has_no_answer() -> None:
    assert rules.expiry(replace(OPEN, draft_confidence=0.8)) == Closing(None, None, "", False)


def test_a_trial_is_due_only_after_the_grace() -> None:
    assert not rules.is_due(OPEN, DEADLINE + GRACE)
    assert rules.is_due(OPEN, DEADLINE + GRACE + MOMENT)
    assert not rules.is_due(UNLIMITED, DEADLINE + timedelta(days=9))


def test_in_a_pause_nothing_is_due_and_nothing_is_taken() -> None:
    paused = replace(OPEN, is_paused=True)
    for now in (OPENED, DEADLINE + GRACE + MOMENT):
        assert not rules.is_due(paused, now)
        assert refusal_of(paused, now) == "paused"


def said(trial: TrialState, now: datetime, text: str = "Why?", *, assisted: bool = True, running: bool = False) -> str:
    return rules.message(trial, text=text, is_assisted=assisted, is_reply_running=running, now=now)


def test_a_message_is_kept_exactly_as_typed() -> None:
    assert said(OPEN, OPENED, "  Why <b>B</b>?\n") == "  Why <b>B</b>?\n"


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        ("no_assistant", {"assisted": False}),
        ("reply_running", {"running": True}),
        ("message_empty", {"text": " \n\t"}),
        ("message_too_long", {"text": "x" * (rules.MAX_MESSAGE_CHARACTERS + 1)}),
    ],
)
def test_a_message_is_refused(code: str, arguments: dict[str, object]) -> None:
    with pytest.raises(Refusal) as refused:
        said(OPEN, OPENED, **arguments)  # type: ignore[arg-type]
    assert refused.value.code == code


def test_no_message_in_the_grace() -> None:
    assert said(OPEN, DEADLINE) == "Why?"
    with pytest.raises(Refusal, match="too_late"):
        said(OPEN, DEADLINE + MOMENT)


def test_every_refusal_has_a_sentence_for_people() -> None:
    assert all(sentence.endswith(".") for sentence in rules.SENTENCES.values())


@given(
    late=st.timedeltas(min_value=timedelta(days=-1), max_value=timedelta(days=1)),
    grace=st.integers(0, 30),
    drafted=st.none() | st.integers(0, 3),
)
def test_at_every_instant_either_the_person_or_the_timer_closes_never_both(
    late: timedelta, grace: int, drafted: int | None
) -> None:
    trial = replace(OPEN, grace=timedelta(seconds=grace), draft_option=drafted)
    now = DEADLINE + late
    try:
        by_person = submit(trial, now)
    except Refusal:
        assert rules.is_due(trial, now)
    else:
        assert not rules.is_due(trial, now)
        assert by_person.in_grace == (now > DEADLINE)
