"""The check questions after the instructions: who passes, who is screened out, and what is kept of it."""

from datetime import timedelta
from uuid import uuid4

import pytest

from studies.design.models import Slot
from studies.reports import queries
from studies.runtime import erasure, operations, pauses, screening, sessions, sweep, verify
from studies.runtime.models import ParticipantSession
from studies.runtime.rules import Refusal
from tests.small_study import CHECKS, NOW, make_study

pytestmark = pytest.mark.django_db
RIGHT, WRONG = [1, 2], [1, 0]  # options of tests.small_study.CHECKS
State, Stage = ParticipantSession.State, ParticipantSession.Stage


def at_the_check(**more: object) -> ParticipantSession:
    session, _ = sessions.join(study=make_study(more=CHECKS, **more), now=NOW)
    sessions.begin(session_id=session.pk, now=NOW)
    session.refresh_from_db()
    return session


def answer(session: ParticipantSession, chosen: list[int | None], attempt: int = 1, **more: object) -> None:
    given = {"attempt": attempt, "command_id": uuid4(), "now": NOW, **more}
    try:
        screening.answer(session_id=session.pk, chosen=chosen, **given)  # type: ignore[arg-type]
    finally:
        session.refresh_from_db()


def refusal(session: ParticipantSession, chosen: list[int | None], attempt: int = 1) -> str:
    with pytest.raises(Refusal) as refused:
        answer(session, chosen, attempt)
    return refused.value.code


def types(session: ParticipantSession) -> list[str]:
    return list(session.events.order_by("seq").values_list("type", flat=True))


def test_after_the_instructions_comes_the_check_and_no_question_can_be_opened():
    session = at_the_check()
    assert (session.stage, session.started_at) == (Stage.CHECK, None)
    with pytest.raises(Refusal, match="wrong_stage"):
        operations.open_next_trial(session_id=session.pk, position=1, now=NOW)


def test_a_study_without_check_questions_goes_straight_on():
    session, _ = sessions.join(study=make_study(), now=NOW)
    sessions.begin(session_id=session.pk, now=NOW)
    session.refresh_from_db()
    assert session.stage == Stage.TRIALS
    with pytest.raises(Refusal, match="wrong_stage"):
        answer(session, [])


def test_all_right_begins_the_questions():
    session = at_the_check()
    answer(session, RIGHT, now=NOW + timedelta(seconds=30))
    assert (session.stage, session.state, session.check_attempts) == (Stage.TRIALS, State.ACTIVE, 1)
    assert session.started_at == NOW + timedelta(seconds=30)
    assert types(session) == ["consent", "instructions_read", "check", "begin"]
    event = session.events.get(type="check")
    assert event.data == {"attempt": 1, "chosen": {"reliability": 1, "colour": 2}, "wrong": []}
    operations.open_next_trial(session_id=session.pk, position=1, now=NOW)


def test_what_was_wrong_can_be_answered_again():
    session = at_the_check()
    answer(session, WRONG)
    assert (session.stage, session.state, session.check_attempts) == (Stage.CHECK, State.ACTIVE, 1)
    assert screening.last_attempt(session).wrong == {"colour"}
    answer(session, RIGHT, 2)
    assert (session.stage, session.check_attempts) == (Stage.TRIALS, 2)


def test_who_fails_at_the_last_attempt_is_screened_out_and_the_slot_is_free():
    session = at_the_check(study__slots=1)
    answer(session, WRONG)
    assert not Slot.objects.filter(is_taken=False).exists()
    answer(session, WRONG, 2)
    assert (session.state, session.stage, session.finished_at) == (State.SCREENED_OUT, Stage.CHECK, NOW)
    assert len(session.completion_code) == sessions.CODE_LENGTH
    assert types(session)[-2:] == ["check", "screened_out"]
    assert Slot.objects.filter(is_taken=False).count() == 1
    other, _ = sessions.join(study=session.study, now=NOW)
    assert (other.slot_id, other.attempt) == (session.slot_id, 2)
    assert refusal(session, RIGHT, 3) == "session_over"


@pytest.mark.parametrize("attempts", [1, 3])
def test_the_study_says_how_often(attempts: int):
    session = at_the_check(screening__attempts=attempts)
    for attempt in range(1, attempts + 1):
        assert session.state == State.ACTIVE
        answer(session, WRONG, attempt)
    assert session.state == State.SCREENED_OUT


def test_a_form_that_is_sent_twice_is_one_attempt():
    session, same = at_the_check(), uuid4()
    answer(session, WRONG, command_id=same)
    answer(session, WRONG, command_id=same)
    assert (session.state, session.check_attempts, types(session).count("check")) == (State.ACTIVE, 1, 1)


def test_a_second_window_uses_up_no_attempt():
    session = at_the_check()
    answer(session, WRONG)
    assert refusal(session, WRONG, 1) == "check_outdated"
    assert refusal(session, RIGHT, 3) == "check_outdated"
    assert session.check_attempts == 1


@pytest.mark.parametrize(
    ("chosen", "code"),
    [([1, None], "check_missing"), ([], "check_missing"), ([1, 3], "option_unknown"), ([-1, 2], "option_unknown")],
)
def test_what_cannot_be_an_answer_uses_up_no_attempt(chosen: list[int | None], code: str):
    session = at_the_check()
    assert refusal(session, chosen) == code
    assert (session.check_attempts, types(session).count("check")) == (0, 0)


def test_a_pause_holds_the_check_too():
    session = at_the_check()
    pauses.pause(study=session.study, session=None, reason="lunch", now=NOW)
    assert refusal(session, RIGHT) == "paused"


def test_who_stays_away_from_the_check_is_abandoned():
    session = at_the_check(timing__abandon_after_hours=1)
    assert sweep.abandon_absent(now=NOW + timedelta(hours=2)) == 1
    session.refresh_from_db()
    assert session.state == State.ABANDONED


def test_both_sums_hold_with_people_screened_out():
    session = at_the_check()
    answer(session, WRONG)
    answer(session, WRONG, 2)
    sums = queries.sums(session.study)
    assert (sums.sessions.assigned, sums.sessions.screened_out) == (1, 1)
    assert (sums.trials.planned, sums.trials.not_reached) == (6, 6)


def test_who_was_screened_out_can_withdraw_and_have_it_erased_and_the_log_holds():
    session = at_the_check(study__slots=1)
    answer(session, WRONG)
    answer(session, WRONG, 2)
    taker, _ = sessions.join(study=session.study, now=NOW)
    assert erasure.erase(session_id=session.pk, now=NOW)
    session.refresh_from_db()
    assert session.state == State.WITHDRAWN
    assert screening.last_attempt(session) == screening.Attempt()
    taker.slot.refresh_from_db()
    assert taker.slot.is_taken  # the slot was given back once, not twice
    assert [verdict.problems for verdict in verify.verify(session.study)] == [(), ()]


def test_the_log_and_the_row_must_agree_on_the_attempts():
    session = at_the_check()
    answer(session, WRONG)
    ParticipantSession.objects.filter(pk=session.pk).update(check_attempts=0)
    [verdict] = verify.verify(session.study)
    assert verdict.problems == ("0 attempts at the check questions in the row, 1 in the log",)


def test_the_tally_says_at_which_attempt_people_passed_and_what_they_missed():
    study = make_study(more=CHECKS)
    for answers in ([RIGHT], [WRONG, RIGHT], [WRONG, [0, 2]], [[0, 0]], []):
        session, _ = sessions.join(study=study, now=NOW)
        sessions.begin(session_id=session.pk, now=NOW)
        for attempt, chosen in enumerate(answers, start=1):
            answer(session, list(chosen), attempt)
    assert screening.tally(study) == screening.Tally(
        passed={1: 1, 2: 1}, screened_out=1, tried=4, known=4, wrong_at_first={"reliability": 1, "colour": 3}
    )


def test_an_erased_session_counts_as_tried_and_no_answer_of_it_is_known():
    session = at_the_check()
    answer(session, WRONG)
    answer(session, WRONG, 2)
    erasure.erase(session_id=session.pk, now=NOW)
    session.refresh_from_db()
    assert screening.is_screened_out(session)
    assert screening.tally(session.study) == screening.Tally({}, 1, 1, 0, {"reliability": 0, "colour": 0})


def test_an_abandoned_session_at_the_check_is_not_screened_out():
    session = at_the_check(timing__abandon_after_hours=1)
    answer(session, WRONG)
    sweep.abandon_absent(now=NOW + timedelta(hours=2))
    session.refresh_from_db()
    assert not screening.is_screened_out(session)
