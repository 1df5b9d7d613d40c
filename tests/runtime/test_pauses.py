"""Pauses: time stands still and is given back exactly, for one person or the whole study, whoever died in between."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from studies.runtime import chat, operations, pauses, reply_rows, sessions, sweep
from studies.runtime.models import Event, ParticipantSession, Pause, Reply
from studies.runtime.reply_rows import Outcome
from studies.runtime.rules import Refusal
from tests.runtime.conftest import Person

WHY = "the assistant is being repaired"


def refusal(command: Callable[..., object], *args: object, **kwargs: object) -> str:
    with pytest.raises(Refusal) as refused:
        command(*args, **kwargs)
    return refused.value.code


def pause(person: Person, *, whole: bool = False) -> Pause:
    session = None if whole else person.session
    return pauses.pause(study=person.session.study, session=session, reason=WHY, now=person.now)


def resume(person: Person, *, whole: bool = False) -> None:
    session = None if whole else person.session
    pauses.resume(study=person.session.study, session=session, now=person.now)


def fresh(person: Person) -> ParticipantSession:
    return ParticipantSession.objects.get(pk=person.session_id)


def events(person: Person) -> list[str]:
    return list(Event.objects.filter(session=person.session).values_list("type", flat=True))


@pytest.mark.parametrize("whole", [False, True])
def test_the_time_of_a_pause_is_given_back_exactly(person: Person, whole: bool) -> None:
    timed = person.answer_until("timed")
    assert timed.deadline_at is not None
    pause(person.later(100), whole=whole)
    resume(person.later(86_400.25), whole=whole)
    after = person.trial(timed.position)
    assert after.deadline_at == timed.deadline_at + timedelta(seconds=86_400.25)
    assert after.paused_seconds == 86_400.25
    assert events(person)[-2:] == ["pause", "resume"]
    person.later(199.9).submit(timed.position, 2)
    stored = person.trial(timed.position)
    assert (stored.answer, stored.in_grace) == (2, False)


def test_a_pause_longer_than_the_time_left_closes_nothing(person: Person) -> None:
    timed = person.answer_until("timed")
    pause(person.later(299))
    person.later(10_000)
    assert not operations.close_if_due(session_id=person.session_id, now=person.now)
    assert sweep.sweep(now=person.now)["closed"] == 0
    resume(person)
    assert person.trial(timed.position).state == "open"
    assert operations.close_if_due(session_id=person.later(3.01).session_id, now=person.now)


def test_pauses_of_one_question_add_up(person: Person) -> None:
    timed = person.answer_until("timed")
    for _ in range(3):
        pause(person.later(10))
        resume(person.later(60))
    after = person.trial(timed.position)
    assert timed.deadline_at is not None
    assert (after.paused_seconds, after.deadline_at) == (180, timed.deadline_at + timedelta(seconds=180))


def test_a_question_whose_time_was_over_before_the_pause_is_closed_not_saved(person: Person) -> None:
    timed = person.answer_until("timed")
    pause(person.later(302.001))
    assert person.trial(timed.position).state == "timed_out"
    resume(person.later(60))
    stored = person.trial(timed.position)
    assert (stored.state, stored.paused_seconds) == ("timed_out", 0)


def test_the_grace_still_holds_after_a_pause(person: Person) -> None:
    timed = person.answer_until("timed")
    pause(person.later(301))
    resume(person.later(500))
    person.later(0.9).draft(timed.position, 1)
    assert person.trial(timed.position).draft_in_grace
    assert refusal(person.later(0.2).submit, timed.position) == "too_late"


def test_everything_about_the_question_is_refused_while_paused_and_nothing_is_kept(person: Person) -> None:
    trial = person.answer_until("chat")
    person.draft(trial.position, 1, 0.6)
    pause(person)
    here = {"session_id": person.session_id, "position": trial.position, "now": person.now}
    assert refusal(person.draft, trial.position, 2) == "paused"
    assert refusal(person.submit, trial.position, 2) == "paused"
    assert refusal(person.open, trial.position) == "paused"
    assert refusal(chat.send_message, command_id=uuid4(), text="Which?", **here) == "paused"
    assert refusal(chat.retry_reply, **here) == "paused"
    assert refusal(chat.stop_reply, **here) == "paused"
    assert refusal(chat.reset_context, **here) == "paused"
    assert refusal(sessions.finish, session_id=person.session_id, now=person.now) == "paused"
    stored = person.trial(trial.position)
    assert (stored.state, stored.draft_option, stored.messages.count()) == ("open", 1, 0)
    resume(person)
    person.submit(trial.position, 2)


def test_a_command_that_was_refused_in_the_pause_is_taken_after_it_with_the_same_id(person: Person) -> None:
    person.open(1)
    pause(person)
    same = {"session_id": person.session_id, "position": 1, "command_id": uuid4(), "option": 2, "confidence": 0.6}
    assert refusal(operations.submit_answer, now=person.now, **same) == "paused"
    resume(person.later(60))
    operations.submit_answer(now=person.now, **same)
    assert person.trial(1).answer == 2


def test_the_instructions_cannot_be_left_in_a_pause(person: Person) -> None:
    other, _ = sessions.join(study=person.session.study, now=person.now)
    pause(person, whole=True)
    assert refusal(sessions.begin, session_id=other.pk, now=person.now) == "paused"


@pytest.mark.parametrize("ends_first", ["study", "session"])
def test_overlapping_pauses_are_one_interval(person: Person, ends_first: str) -> None:
    timed = person.answer_until("timed")
    pause(person.later(10))
    pause(person.later(10), whole=True)
    resume(person.later(10), whole=ends_first == "study")
    assert fresh(person).paused_at is not None
    assert refusal(person.submit, timed.position) == "paused"
    resume(person.later(10), whole=ends_first != "study")
    assert person.trial(timed.position).paused_seconds == 30
    assert [kind for kind in events(person) if kind in ("pause", "resume")] == ["pause", "resume"]


def test_a_pause_of_one_session_leaves_the_others_alone(person: Person) -> None:
    other, _ = sessions.join(study=person.session.study, now=person.now)
    pause(person)
    other.refresh_from_db()
    assert other.paused_at is None
    sessions.begin(session_id=other.pk, now=person.now)


def test_nobody_joins_a_paused_study_but_who_is_in_comes_back_to_the_same_session(person: Person) -> None:
    study = person.session.study
    inside, _ = sessions.join(study=study, now=person.now, entry=("prolific", "p1"))
    pause(person, whole=True)
    with pytest.raises(pauses.StudyPaused, match="people can join when it goes on"):
        sessions.join(study=study, now=person.now)
    again, _ = sessions.join(study=study, now=person.now, entry=("prolific", "p1"))
    assert again.pk == inside.pk
    assert study.slots.filter(is_taken=True).count() == 2
    resume(person, whole=True)
    sessions.join(study=study, now=person.now)


def test_a_pause_of_one_session_does_not_close_the_door(person: Person) -> None:
    pause(person)
    sessions.join(study=person.session.study, now=person.now)


def test_whoever_joined_while_the_pause_was_made_is_brought_along_by_the_sweep(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = person.session.study
    pause(person, whole=True)
    with monkeypatch.context() as patch:
        patch.setattr(pauses, "is_study_paused", lambda _: False)  # as read just before the pause was committed
        late, _ = sessions.join(study=study, now=person.now)
    assert late.paused_at is None
    assert sweep.sweep(now=person.now)["followed"] == 1
    late.refresh_from_db()
    assert late.paused_at == person.now


def test_what_a_server_left_half_done_the_sweep_completes_and_gives_back_what_was_hidden(person: Person) -> None:
    """The row is committed, and the process dies before any session has followed."""
    timed = person.answer_until("timed")
    study = person.session.study
    pauses.want_pause(study=study, session=None, reason=WHY, now=person.now)
    assert sweep.sweep(now=person.later(5).now)["followed"] == 1
    pauses.want_resume(study=study, session=None, now=person.later(100).now)
    assert refusal(person.submit, timed.position) == "paused"
    assert sweep.sweep(now=person.later(7).now)["followed"] == 1
    assert person.trial(timed.position).paused_seconds == 107
    assert sweep.sweep(now=person.now)["followed"] == 0


def test_many_sessions_are_brought_along_in_several_rounds(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that one pause never holds the database thread for long."""
    study = person.session.study
    for _ in range(4):
        sessions.join(study=study, now=person.now)
    monkeypatch.setattr(pauses, "AT_ONCE", 2)
    pause(person, whole=True)
    rounds = [pauses.behind(study).count()]
    while sweep.sweep(now=person.now)["followed"]:
        rounds.append(pauses.behind(study).count())
    assert rounds == [3, 1, 0]


def test_a_running_reply_goes_on_past_the_old_deadline(person: Person) -> None:
    person.answer_until("timed")
    while True:
        trial = person.session.trials.get(state="open")
        if trial.condition.assistance == "chat":
            break
        person.submit(trial.position)
        person.open(trial.position + 1)
    person.session.trials.filter(pk=trial.pk).update(deadline_at=person.now + timedelta(seconds=300))
    message = {"session_id": person.session_id, "position": trial.position, "command_id": uuid4(), "text": "Why?"}
    reply = chat.send_message(now=person.now, **message)
    assert reply is not None
    reply_rows.claim(reply_id=reply.pk, now=person.now, sent={})
    pause(person.later(1))
    beat = reply_rows.heartbeat(reply_id=reply.pk, text="It", now=person.later(400).now)
    assert (beat.goes_on, beat.deadline_at) == (True, None)
    resume(person)
    beat = reply_rows.heartbeat(reply_id=reply.pk, text="It is", now=person.later(1).now)
    assert (beat.goes_on, beat.deadline_at) == (True, person.now + timedelta(seconds=298))
    assert reply_rows.end(reply_id=reply.pk, outcome=Outcome(Reply.State.DONE, "It is", "stop"), now=person.now)


def test_withdrawing_is_possible_in_a_pause_and_ends_it_for_that_person(person: Person) -> None:
    person.open(1)
    pause(person, whole=True)
    sessions.withdraw(session_id=person.session_id, now=person.later(10).now)
    before = events(person)
    resume(person.later(10), whole=True)
    assert sweep.sweep(now=person.now)["followed"] == 0
    assert fresh(person).state == "withdrawn"
    assert events(person) == before


def test_somebody_away_in_a_pause_keeps_the_slot(person: Person) -> None:
    pause(person)
    assert sweep.abandon_absent(now=person.later(60 * 86_400).now) == 0
    resume(person)
    assert sweep.abandon_absent(now=person.now) == 0
    assert sweep.abandon_absent(now=person.later(60 * 86_400).now) == 1


def test_a_pause_that_comes_while_the_absent_are_swept_still_holds(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = person.now + timedelta(days=60)
    abandon = sweep._abandon

    def pause_first(session_id: int, *rest: object) -> bool:
        ParticipantSession.objects.filter(pk=session_id).update(paused_at=later)
        return abandon(session_id, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(sweep, "_abandon", pause_first)
    assert sweep.abandon_absent(now=later) == 0
    assert fresh(person).state == "active"


def test_a_pause_needs_a_reason_somebody_to_pause_and_no_other_pause(person: Person) -> None:
    study = person.session.study
    for reason in ("", "   ", "x" * 201):
        with pytest.raises(pauses.CannotPause, match="write 1 to 200"):
            pauses.pause(study=study, session=None, reason=reason, now=person.now)
    with pytest.raises(pauses.CannotPause, match="it is not paused"):
        resume(person, whole=True)
    pause(person, whole=True)
    with pytest.raises(pauses.CannotPause, match="paused already"):
        pause(person, whole=True)
    resume(person, whole=True)
    sessions.withdraw(session_id=person.session_id, now=person.now)
    person.session.refresh_from_db()
    with pytest.raises(pauses.CannotPause, match="this session is withdrawn"):
        pause(person)
    person.session.study.state = "closed"
    with pytest.raises(pauses.CannotPause, match="nobody takes part"):
        pause(person, whole=True)


def test_the_database_keeps_one_open_pause_for_a_study_and_one_for_a_session(person: Person) -> None:
    pause(person)
    pause(person, whole=True)
    for session in (None, person.session):
        with pytest.raises(IntegrityError), transaction.atomic():
            Pause.objects.create(study=person.session.study, session=session, reason=WHY, started_at=person.now)
