"""Commands that come twice, late, or in another order than they were made: each counts once, and the newest wins."""

from uuid import uuid4

import pytest

from studies.runtime import chat, operations, sessions
from studies.runtime.models import Event, Message, ParticipantSession, Reply, Trial
from studies.runtime.rules import DraftMark, Refusal
from tests.runtime.conftest import Person

pytestmark = pytest.mark.django_db


def log_of(person: Person) -> list[str]:
    return list(Event.objects.filter(session=person.session).order_by("seq").values_list("type", flat=True))


@pytest.fixture
def chatting(person: Person) -> Trial:
    return person.answer_until("chat")


def test_a_repeated_answer_is_known_also_when_the_next_question_is_open(person: Person) -> None:
    person.open(1)
    own = uuid4()
    person.submit(1, option=2, command_id=own)
    person.open(2)
    person.submit(1, option=3, command_id=own)
    assert log_of(person).count("submit") == 1
    assert person.trial(1).answer == 2


def test_a_repeated_draft_does_not_replace_a_newer_one(person: Person) -> None:
    person.open(1)
    own = uuid4()
    person.draft(1, option=0, command_id=own)
    person.draft(1, option=3)
    person.draft(1, option=0, command_id=own)
    assert person.trial(1).draft_option == 3


def test_an_older_draft_of_the_same_browser_that_arrives_late_is_left_out(person: Person) -> None:
    person.open(1)
    browser = uuid4()
    person.draft(1, option=3, mark=DraftMark(browser, 8, 0))
    before = log_of(person)
    person.draft(1, option=0, mark=DraftMark(browser, 7, 0))
    assert (person.trial(1).draft_option, log_of(person)) == (3, before)


def test_a_draft_that_waited_in_another_browser_is_refused(person: Person) -> None:
    person.open(1)
    laptop, phone = uuid4(), uuid4()
    seen_by_laptop = ParticipantSession.objects.get(pk=person.session_id).last_seq
    person.draft(1, option=3, mark=DraftMark(phone, 1, seen_by_laptop))
    with pytest.raises(Refusal, match="draft_outdated"):
        person.draft(1, option=0, mark=DraftMark(laptop, 5, seen_by_laptop))
    assert person.trial(1).draft_option == 3
    person.draft(1, option=1, mark=DraftMark(laptop, 6, person.trial(1).draft_seq))  # now it has seen the phone's
    assert person.trial(1).draft_option == 1


def test_a_repeated_message_asks_for_one_reply(person: Person, chatting: Trial) -> None:
    same = {"session_id": person.session_id, "position": chatting.position, "now": person.now, "command_id": uuid4()}
    assert chat.send_message(text="Why?", **same) is not None
    assert chat.send_message(text="Why?", **same) is None
    assert (Message.objects.count(), Reply.objects.count()) == (1, 1)


def test_a_repeated_reset_resets_once(person: Person, chatting: Trial) -> None:
    same = {"session_id": person.session_id, "position": chatting.position, "now": person.now, "command_id": uuid4()}
    chat.reset_context(**same)
    chat.reset_context(**same)
    assert person.trial(chatting.position).context_number == 1


def test_a_stop_or_retry_that_comes_late_means_its_own_reply(person: Person, chatting: Trial) -> None:
    here = {"session_id": person.session_id, "position": chatting.position, "now": person.now}
    chat.send_message(text="Why?", command_id=uuid4(), **here)
    assert chat.stop_reply(reply="r1.1", command_id=uuid4(), **here)
    Reply.objects.update(state=Reply.State.STOPPED, finish_reason="stopped")
    again = uuid4()
    assert chat.retry_reply(reply="r1.1", command_id=again, **here) is not None
    assert chat.retry_reply(reply="r1.1", command_id=again, **here) is None
    assert not chat.stop_reply(reply="r1.1", command_id=uuid4(), **here)
    assert not Reply.objects.get(attempt=2).is_stop_asked
    Reply.objects.filter(attempt=2).update(state=Reply.State.FAILED, error_code="timeout")
    with pytest.raises(Refusal, match="nothing_to_retry"):
        chat.retry_reply(reply="r1.1", command_id=uuid4(), **here)


def test_a_repeated_report_is_logged_once(person: Person) -> None:
    same = {"session_id": person.session_id, "kind": "blur", "counts": {}, "now": person.now, "command_id": uuid4()}
    sessions.report(**same)
    sessions.report(**same)
    assert log_of(person).count("blur") == 1


def test_the_same_command_id_in_two_sessions_is_two_commands(person: Person) -> None:
    own = uuid4()
    other, _ = sessions.join(study=person.session.study, now=person.now)
    for session_id in (person.session_id, other.pk):
        sessions.begin(session_id=session_id, now=person.now)
        operations.open_next_trial(session_id=session_id, position=1, now=person.now)
        operations.save_draft(
            session_id=session_id, position=1, command_id=own, option=1, confidence=None, now=person.now
        )
    assert Trial.objects.filter(draft_option=1).count() == 2


def test_a_consent_form_that_is_sent_twice_takes_one_slot(person: Person) -> None:
    study, key = person.session.study, uuid4()
    first, token = sessions.join(study=study, now=person.now, join_key=key)
    second, same_token = sessions.join(study=study, now=person.now, join_key=key)
    assert (first.pk, token) == (second.pk, same_token)
    assert study.slots.filter(is_taken=True).count() == 2  # the fixture's person and this one


def test_two_people_of_a_platform_who_send_the_same_form_are_two_people(person: Person) -> None:
    study, key = person.session.study, uuid4()
    same = {"study": study, "now": person.now, "join_key": key}
    one, other, again = (sessions.join(entry=("prolific", who), **same)[0].pk for who in ("p1", "p2", "p1"))
    assert (one != other, again) == (True, one)
