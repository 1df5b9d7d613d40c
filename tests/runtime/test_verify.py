"""The verifier finds what was done behind the operations' back; with `unguarded` a test plays the intruder."""

import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from studies.analysis import chain
from studies.design.operations import close_study
from studies.reports.bundle import write_bundle
from studies.runtime import chat, erasure, events, log_guard, sessions, verify
from studies.runtime.models import Event, Message, ParticipantSession, Trial
from tests.runtime.conftest import Person


@pytest.fixture
def played(person: Person) -> Person:
    """Somebody who answered B to the first question at least, then wrote a message and chose C."""
    trial = person.answer_and_reach_chat()
    here = {"session_id": person.session_id, "position": trial.position, "now": person.now}
    chat.send_message(**here, command_id=uuid4(), text="Which one?")
    person.draft(trial.position, 2, 0.8)
    person.later(5)
    sessions.report(session_id=person.session_id, kind="blur", counts={"n": 1}, now=person.now)
    return person


@pytest.fixture
def unguarded() -> Iterator[None]:
    log_guard.remove(connection)
    yield
    log_guard.install(connection)


def problems(person: Person) -> tuple[str, ...]:
    [verdict] = [v for v in verify.verify(person.session.study) if v.pseudonym == person.session.participant.pseudonym]
    return verdict.problems


def log_of(person: Person) -> list[Event]:
    return list(person.session.events.select_related("trial").order_by("seq"))


def first(person: Person, kind: str) -> Event:
    event = person.session.events.filter(type=kind).order_by("seq").first()
    assert event is not None
    return event


def rewrite(person: Person, **changes: object) -> None:
    """Change the first submit event and make a valid chain again: what somebody with the database can do."""
    session = ParticipantSession.objects.select_related("participant").get(pk=person.session_id)
    head, is_first = events.origin_of(session), True
    for event in log_of(person):
        if event.type == "submit" and is_first:
            is_first = False
            event.data = {**(event.data or {}), **changes}
            event.data_hash = events.data_hash(event.data, event.salt or "")
        head = event.hash = events.chained(
            head=head,
            seq=event.seq,
            kind=event.type,
            at=event.at,
            client_at=event.client_at,
            position=event.trial.position if event.trial else None,
            command_id=event.command_id,
            hashed_data=event.data_hash,
        )
        event.save()
    ParticipantSession.objects.filter(pk=session.pk).update(head=head)


def test_a_log_as_it_was_written_is_whole(played: Person) -> None:
    [verdict] = verify.verify(played.session.study)
    assert (verdict.problems, verdict.erased) == ((), 0)
    assert verdict.events == played.session.events.count()
    assert verify.lost_sessions(played.session.study) == []


def test_a_removed_event(played: Person, unguarded: None) -> None:
    event = first(played, "draft")
    event.delete()
    assert f"removed: event {event.seq}" in problems(played)


def test_a_changed_event(played: Person, unguarded: None) -> None:
    event = first(played, "submit")
    Event.objects.filter(pk=event.pk).update(at=event.at - timedelta(seconds=9))
    assert f"changed: event {event.seq}" in problems(played)


def test_changed_data(played: Person, unguarded: None) -> None:
    event = first(played, "submit")
    Event.objects.filter(pk=event.pk).update(data={**(event.data or {}), "answer": 3})
    assert f"data changed: event {event.seq}" in problems(played)
    assert any(problem.startswith("trial 1: answer B in the row, D in the log") for problem in problems(played))


def test_data_that_nobody_can_read(played: Person, unguarded: None) -> None:
    Event.objects.filter(pk=first(played, "submit").pk).update(data={"answer": {}})
    assert any("do not tell what happened" in problem for problem in problems(played))


def test_two_events_in_each_other_s_place(played: Person, unguarded: None) -> None:
    one, two = first(played, "message"), first(played, "reply_asked")
    Event.objects.filter(pk=one.pk).update(seq=9999)
    Event.objects.filter(pk=two.pk).update(seq=one.seq)
    Event.objects.filter(pk=one.pk).update(seq=two.seq)
    assert any(problem.startswith("reordered:") for problem in problems(played))


def test_a_log_that_was_cut_off(played: Person, unguarded: None) -> None:
    last = log_of(played)[-1]
    last.delete()
    assert f"cut off: it ends with event {last.seq - 1} of {last.seq}" in problems(played)


def test_data_taken_without_an_erasure(played: Person) -> None:
    event = first(played, "submit")
    Event.objects.filter(pk=event.pk).update(data=None, salt=None)  # the guard cannot know: the verifier does
    assert f"data gone although nothing was erased: event {event.seq}" in problems(played)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"answer": 2}, "answer C in the row, B in the log"),
        ({"confidence": 1.0}, "confidence 1.0 in the row, 0.6 in the log"),
        ({"submitted_by": "timer"}, "submitted by timer in the row, person in the log"),
        ({"in_grace": True}, "in grace True in the row, False in the log"),
        ({"context_number": 1}, "context number 1 in the row, 0 in the log"),
        ({"paused_seconds": 5.0}, "paused seconds 5.0 in the row, 0.0 in the log"),
    ],
)
def test_a_trial_row_that_was_changed(played: Person, change: dict[str, object], words: str) -> None:
    Trial.objects.filter(session=played.session, position=1).update(**change)
    assert problems(played) == (f"trial 1: {words}",)


def test_a_trial_s_times_that_were_changed(played: Person) -> None:
    trial = Trial.objects.get(session=played.session, position=1)
    assert trial.opened_at is not None
    Trial.objects.filter(pk=trial.pk).update(opened_at=trial.opened_at - timedelta(seconds=60))
    [problem] = problems(played)
    assert problem.startswith("trial 1: opened at 2026-03-01T11:59:00")


def test_a_message_that_was_taken_out(played: Person) -> None:
    message = Message.objects.get()
    message.replies.all().delete()
    message.delete()
    position = message.trial.position
    assert problems(played) == (
        f"trial {position}: messages 0 in the row, 1 in the log",
        f"trial {position}: replies 0 in the row, 1 in the log",
    )


def test_an_erasure_that_left_something(played: Person) -> None:
    erasure.erase(session_id=played.session_id, now=played.now)
    Message.objects.update(text="again")
    assert problems(played) == ("erased, but 1 messages are still there",)
    Trial.objects.filter(session=played.session, position=1).update(answer=1, confidence=None, is_erased=False)
    assert any("answer B in the row, none in the log" in problem for problem in problems(played))


def test_an_erasure_that_the_log_does_not_know(played: Person) -> None:
    ParticipantSession.objects.filter(pk=played.session_id).update(erased_at=played.now)
    assert problems(played) == ("erased in the row, not in the log",)


def test_a_session_that_vanished_is_missed_by_its_slot(played: Person, unguarded: None) -> None:
    other, _ = sessions.join(study=played.session.study, now=played.now)
    other.events.all().delete()
    other.trials.all().delete()
    other.delete()
    assert verify.lost_sessions(played.session.study) == [
        f"slot {other.slot.number} was taken 1 times, but has 0 sessions"
    ]


def verified(person: Person, *arguments: str) -> str:
    out = io.StringIO()
    call_command("verify_log", person.session.study.name, *arguments, stdout=out)
    return out.getvalue()


def bundle_of(person: Person, path: Path) -> Path:
    close_study(study_id=person.session.study_id, now=person.now)
    person.session.study.refresh_from_db()
    return write_bundle(person.session.study, path / "bundle.zip")


def test_the_command_prints_a_line_for_each_session(played: Person) -> None:
    other, _ = sessions.join(study=played.session.study, now=played.now)
    erasure.erase(session_id=other.pk, now=played.now)
    said = verified(played)
    assert f"ok {played.session.participant.pseudonym} attempt 1: {played.session.events.count()} events\n" in said
    assert f"ok {other.participant.pseudonym} attempt 1: 3 events, 2 erased\n" in said
    assert "2 sessions" in said
    assert said.endswith("The log is whole.\n")


def test_the_command_fails_for_a_broken_log(played: Person, unguarded: None) -> None:
    first(played, "draft").delete()
    log_guard.install(connection)
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 broken"):
        call_command("verify_log", played.session.study.name, stdout=out)
    assert f"BROKEN {played.session.participant.pseudonym} attempt 1:" in out.getvalue()
    assert "removed: event" in out.getvalue()


def test_the_command_fails_where_the_database_refuses_nothing(played: Person, unguarded: None) -> None:
    out = io.StringIO()
    with pytest.raises(CommandError, match="not what was written"):
        call_command("verify_log", played.session.study.name, stdout=out)
    assert "run manage.py migrate" in out.getvalue()


def test_a_log_that_was_rewritten_as_a_whole_is_found_by_an_earlier_bundle(
    played: Person, unguarded: None, tmp_path: Path
) -> None:
    bundle = bundle_of(played, tmp_path)
    log_guard.install(connection)
    assert "compared with 1 heads" in verified(played, "--against", str(bundle))
    log_guard.remove(connection)
    rewrite(played, answer=3)
    Trial.objects.filter(session=played.session, position=1).update(answer=3)
    log_guard.install(connection)
    assert "The log is whole" in verified(played)  # without an anchor nobody can know
    with pytest.raises(CommandError, match="1 broken"):
        verified(played, "--against", str(bundle))


def test_a_log_that_went_on_still_goes_through_the_bundle_s_head(played: Person, tmp_path: Path) -> None:
    bundle = bundle_of(played, tmp_path)
    erasure.erase(session_id=played.session_id, now=played.now)
    assert "The log is whole" in verified(played, "--against", str(bundle))


def test_a_session_that_the_bundle_knows_and_nobody_else(played: Person, unguarded: None, tmp_path: Path) -> None:
    other, _ = sessions.join(study=played.session.study, now=played.now)
    bundle = bundle_of(played, tmp_path)
    other.events.all().delete()
    other.trials.all().delete()
    other.delete()
    log_guard.install(connection)
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("verify_log", played.session.study.name, "--against", str(bundle), stdout=out)
    assert f"{other.participant.pseudonym} (attempt 1) is in the bundle and not here" in out.getvalue()


def test_what_is_no_bundle_of_the_study_is_refused_in_words(played: Person, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"nothing\.zip"):
        verified(played, "--against", str(tmp_path / "nothing.zip"))
    bundle = bundle_of(played, tmp_path)
    type(played.session.study).objects.update(spec_hash=chain.origin(spec_hash="", pseudonym=""))
    with pytest.raises(CommandError, match="is not a bundle of"):
        verified(played, "--against", str(bundle))
