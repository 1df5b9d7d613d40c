"""After an erasure nothing that the person gave is left, the counts still hold, and the log is still whole."""

from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from studies.reports import queries, source
from studies.runtime import chat, erasure, operations, pauses, reply_rows, sessions, snapshot, verify
from studies.runtime.models import Message, ParticipantIdentity, ParticipantSession, Reply, Trial
from studies.runtime.reply_rows import Outcome
from studies.runtime.rules import DraftMark, Refusal
from tests.runtime.conftest import Person

SECRET = "what the person wrote"
REPLIED = "what the assistant wrote"


@pytest.fixture
def talking(person: Person) -> Person:
    """Somebody with answers, an identity, a whole reply, and a second one that is running."""
    participant = person.session.participant
    ParticipantIdentity.objects.create(
        study=person.session.study, participant=participant, source="prolific", entry_id="IDENTITY"
    )
    trial = person.answer_and_reach_chat()
    for text in (REPLIED, ""):
        say = {"session_id": person.session_id, "position": trial.position, "now": person.later(1).now}
        reply = chat.send_message(**say, command_id=uuid4(), text=SECRET)
        assert reply is not None
        reply_rows.claim(reply_id=reply.pk, now=person.now, sent={})
        if text:
            reply_rows.end(reply_id=reply.pk, outcome=Outcome("done", text), now=person.now)
    reply_rows.heartbeat(reply_id=reply.pk, text="so far", now=person.now)
    operations.save_draft(**say, command_id=uuid4(), option=2, confidence=0.8, mark=DraftMark(uuid4(), 1, 0))
    return person


def erase(person: Person) -> ParticipantSession:
    assert erasure.erase(session_id=person.session_id, now=person.later(1).now)
    return ParticipantSession.objects.get(pk=person.session_id)


def running() -> Reply:
    return Reply.objects.latest("pk")


def everything() -> str:
    """Every cell of every table of ours, as the database has it."""
    with connection.cursor() as cursor:
        names = [name for name in connection.introspection.table_names(cursor) if name.startswith("studies_")]
        found = []
        for name in names:
            cursor.execute(f"SELECT * FROM {name}")
            found += cursor.fetchall()
    return str(found)


def test_nothing_that_the_person_gave_is_left(talking: Person) -> None:
    before = everything()
    assert all(text in before for text in (SECRET, REPLIED, "so far", "IDENTITY", '"option":'))
    session = erase(talking)
    after = everything()
    assert not any(text in after for text in (SECRET, REPLIED, "so far", "IDENTITY"))
    kept = Trial.objects.filter(session=session).exclude(state="planned")
    chosen = ("answer", "confidence", "draft_option", "draft_confidence", "draft_at", "draft_writer")
    assert set(kept.values_list(*chosen)) == {(None,) * len(chosen)}
    assert set(kept.values_list("is_erased", flat=True)) == {True}
    with_data = session.events.exclude(data=None).values_list("type", flat=True)
    assert list(with_data) == ["erased"]
    assert set(session.events.exclude(type="erased").values_list("salt", flat=True)) == {None}


def test_the_sums_and_the_counts_hold(talking: Person) -> None:
    before = queries.sums(talking.session.study)
    messages, replies = Message.objects.count(), Reply.objects.count()
    closed = list(talking.session.trials.values_list("state", "submitted_by", "opened_at", "closed_at"))
    session = erase(talking)
    after = queries.sums(session.study)
    assert after.trials == before.trials
    assert (after.sessions.assigned, after.sessions.withdrawn, after.sessions.active) == (1, 1, 0)
    assert (Message.objects.count(), Reply.objects.count()) == (messages, replies)
    assert list(session.trials.values_list("state", "submitted_by", "opened_at", "closed_at")) == closed
    session.slot.refresh_from_db()
    assert not session.slot.is_taken
    assert source.read(session.study).trials == []


def test_the_log_goes_on_and_verifies_as_erased(talking: Person) -> None:
    session = erase(talking)
    assert list(session.events.order_by("-seq").values_list("type", flat=True)[:2]) == ["erased", "withdraw"]
    [verdict] = verify.verify(session.study)
    assert (verdict.problems, verdict.erased) == ((), verdict.events - 1)
    assert session.erased_at == talking.now


def test_a_reply_that_is_still_running_writes_nothing_afterwards(talking: Person) -> None:
    reply = running()
    assert reply.state == "streaming"
    erase(talking)
    assert not reply_rows.heartbeat(reply_id=reply.pk, text=REPLIED, now=talking.now).goes_on
    assert not reply_rows.end(reply_id=reply.pk, outcome=Outcome("done", REPLIED), now=talking.now)
    assert reply_rows.fail_stale(now=talking.later(3600).now) == 0
    assert (running().state, running().text) == ("stopped", "")


def test_a_reply_that_nobody_took_yet_is_not_begun(talking: Person) -> None:
    Reply.objects.filter(pk=running().pk).update(state="queued", text="")
    erase(talking)
    assert not reply_rows.claim(reply_id=running().pk, now=talking.now, sent={})


def test_erasing_again_changes_nothing(talking: Person) -> None:
    last_seq = erase(talking).last_seq
    assert not erasure.erase(session_id=talking.session_id, now=talking.later(60).now)
    assert ParticipantSession.objects.get(pk=talking.session_id).last_seq == last_seq


def test_a_completed_session_keeps_its_code_and_the_reason_of_its_exclusion(person: Person) -> None:
    for position in range(1, 7):
        person.open(position)
        person.submit(position)
    sessions.finish(session_id=person.session_id, now=person.now)
    ParticipantSession.objects.update(is_excluded=True, exclusion_reason="too fast")
    code = ParticipantSession.objects.get().completion_code
    session = erase(person)
    assert (session.state, session.completion_code, session.exclusion_reason) == ("withdrawn", code, "too fast")
    sums = queries.sums(session.study)
    assert (sums.sessions.completed, sums.sessions.withdrawn, sums.trials.answered) == (0, 1, 6)
    session.slot.refresh_from_db()
    assert session.slot.is_taken  # it was used up: only drop-outs give their slot back


def test_whoever_withdrew_can_be_erased_later_and_one_withdrawal_is_logged(talking: Person) -> None:
    sessions.withdraw(session_id=talking.session_id, now=talking.now)
    assert SECRET in everything()
    session = erase(talking)
    assert SECRET not in everything()
    assert session.events.filter(type="withdraw").count() == 1


def test_it_works_in_a_pause(talking: Person) -> None:
    pauses.pause(study=talking.session.study, session=talking.session, reason="a call", now=talking.now)
    erase(talking)
    [verdict] = verify.verify(talking.session.study)
    assert verdict.problems == ()


def test_nothing_is_accepted_afterwards(talking: Person) -> None:
    erase(talking)
    with pytest.raises(Refusal, match="session_over"):
        talking.submit(running().message.trial.position)
    assert all(item["text"] == "" for item in snapshot.snapshot(erase_again(talking))["items"])


def erase_again(person: Person) -> ParticipantSession:
    erasure.erase(session_id=person.session_id, now=person.now)
    return ParticipantSession.objects.select_related("study").get(pk=person.session_id)


def test_an_erasure_that_breaks_leaves_everything(talking: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    before = everything()

    def broken(session: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(erasure, "current_trial", broken)
    with pytest.raises(OSError, match="disk full"):
        erasure.erase(session_id=talking.session_id, now=talking.now)
    assert everything() == before


def test_another_person_s_data_stay(talking: Person) -> None:
    other, _ = sessions.join(study=talking.session.study, now=talking.now, entry=("prolific", "OTHER"))
    erase(talking)
    assert "OTHER" in everything()
    assert not other.events.filter(data=None).exists()


def test_the_command_says_what_it_would_erase_and_then_does(
    talking: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    name, pseudonym = talking.session.study.name, talking.session.participant.pseudonym
    with pytest.raises(CommandError, match=r"2 messages and .* add --yes"):
        call_command("erase_participant", name, pseudonym)
    assert SECRET in everything()
    call_command("erase_participant", name, pseudonym, "--yes")
    assert SECRET not in everything()
    assert "is erased" in capsys.readouterr().out
    call_command("erase_participant", name, pseudonym, "--yes")
    assert "was erased before" in capsys.readouterr().out
    with pytest.raises(CommandError, match=r"nobody in .* has the pseudonym 'x'"):
        call_command("erase_participant", name, "x", "--yes")
