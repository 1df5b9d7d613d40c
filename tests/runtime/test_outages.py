"""An assistant that is down: logged, told at once, asked again, and time given back only where the study says so."""

import json
import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from studies.assistant.types import ErrorCode
from studies.design.models import Assistant
from studies.jobs.executor import on_database
from studies.runtime import backends, chat, operations, outages, pauses, replies, reply_rows, sessions, sweep, verify
from studies.runtime.models import Event, Reply, Trial
from studies.runtime.reply_rows import Outcome
from tests.assistant.http_server import serving
from tests.participant.visitor import Visitor
from tests.running import free_port
from tests.runtime.conftest import Person
from tests.small_study import NOW, make_study

LIMIT = 300
THEIR_OWN = {"capacity", "refused", "unsupported", "no_logprobs"}


class Asker(Person):
    """Somebody in a timed chat question, whose replies end as the test says."""

    position: int

    def ask(self) -> Reply:
        reply = chat.send_message(
            session_id=self.session_id, position=self.position, command_id=uuid4(), text="Which one?", now=self.now
        )
        assert reply is not None
        reply_rows.claim(reply_id=reply.pk, now=self.now, sent={})
        return reply

    def retry(self) -> Reply:
        reply = chat.retry_reply(session_id=self.session_id, position=self.position, now=self.now)
        assert reply is not None
        return reply

    def fails(self, reply: Reply, code: str = "unreachable") -> None:
        reply_rows.end(reply_id=reply.pk, outcome=Outcome(Reply.State.FAILED, "It", error_code=code), now=self.now)

    @property
    def asked(self) -> Trial:
        return self.trial(self.position)

    def logged(self, kind: str) -> list[dict[str, Any]]:
        return [event.data for event in Event.objects.filter(session=self.session, type=kind)]


def asker(**overrides: object) -> Asker:
    timed = {"questions__short__time_limit_seconds": LIMIT, "questions__stories__time_limit_seconds": LIMIT}
    session, token = sessions.join(study=make_study(**timed, **overrides), now=NOW)
    sessions.begin(session_id=session.pk, now=NOW)
    session.refresh_from_db()
    person = Asker(session, token)
    person.position = person.answer_until("chat").position
    return person


@pytest.fixture
def plain(db: None) -> Asker:
    return asker()


@pytest.fixture
def compensated(db: None) -> Asker:
    return asker(timing__compensates_outages=True, timing__reply_max_seconds=60)


def test_an_outage_is_logged_with_ids_its_code_and_how_long_it_took(plain: Asker) -> None:
    reply = plain.ask()
    plain.later(7.5).fails(reply, "timeout")
    assert plain.logged("outage") == [
        {
            "message": 1,
            "attempt": 1,
            "assistant": plain.asked.assistant_id,
            "code": "timeout",
            "seconds": 7.5,
        }
    ]
    seqs = Event.objects.filter(session=plain.session, type__in=["reply_failed", "outage"]).values_list("seq", "at")
    assert [at for _, at in seqs] == [plain.now, plain.now]
    assert plain.asked.deadline_at == NOW + timedelta(seconds=LIMIT)


def test_every_failure_is_either_an_outage_or_about_this_conversation(plain: Asker) -> None:
    assert {code.value for code in ErrorCode} | {"interrupted"} == outages.OUTAGES | THEIR_OWN
    assert not outages.OUTAGES & THEIR_OWN


@pytest.mark.parametrize("code", sorted(THEIR_OWN))
def test_what_a_person_could_bring_about_is_no_outage_and_wins_no_time(compensated: Asker, code: str) -> None:
    reply = compensated.ask()
    compensated.later(5).fails(reply, code)
    assert compensated.logged("outage") == []
    assert compensated.asked.compensated_seconds == 0


def test_a_reply_that_was_stopped_or_ended_is_no_outage(compensated: Asker) -> None:
    for state in (Reply.State.STOPPED, Reply.State.DONE):
        reply = compensated.ask()
        reply_rows.end(reply_id=reply.pk, outcome=Outcome(state, "It", "stop"), now=compensated.later(5).now)
    assert compensated.logged("outage") == []
    assert compensated.asked.compensated_seconds == 0


def test_time_is_given_back_only_where_the_study_says_so(plain: Asker, compensated: Asker) -> None:
    for person, seconds in ((plain, 0.0), (compensated, 12.5)):
        reply = person.ask()
        person.later(12.5).fails(reply)
        asked = person.asked
        assert asked.opened_at is not None
        assert asked.compensated_seconds == seconds
        assert asked.deadline_at == asked.opened_at + timedelta(seconds=LIMIT + seconds)
        assert [each["seconds"] for each in person.logged("compensated")] == ([seconds] if seconds else [])


def test_the_log_alone_tells_of_the_time_that_was_given_back(compensated: Asker) -> None:
    compensated.later(12.5).fails(compensated.ask())
    assert [verdict.problems for verdict in verify.verify(compensated.session.study)] == [()]


def test_each_reply_gives_back_at_most_the_longest_time_of_one(compensated: Asker) -> None:
    compensated.fails(compensated.ask())
    reply = compensated.retry()
    compensated.later(100).fails(reply)
    assert compensated.asked.compensated_seconds == 60
    reply = compensated.retry()
    compensated.later(10).fails(reply)
    assert compensated.asked.compensated_seconds == 70
    assert compensated.asked.deadline_at == NOW + timedelta(seconds=LIMIT + 70)


def test_a_failure_that_is_told_twice_gives_back_once(compensated: Asker) -> None:
    reply = compensated.ask()
    compensated.later(5).fails(reply)
    compensated.later(5).fails(reply)
    assert compensated.asked.compensated_seconds == 5


def test_the_time_of_a_pause_is_not_given_back_a_second_time(compensated: Asker) -> None:
    study = compensated.session.study
    reply = compensated.ask()
    for _ in range(2):
        pauses.pause(study=study, session=None, reason="a test", now=compensated.later(3).now)
        pauses.resume(study=study, session=None, now=compensated.later(1000).now)
    compensated.later(4).fails(reply)
    asked = compensated.asked
    assert (asked.paused_seconds, asked.compensated_seconds) == (2000, 10)
    assert asked.deadline_at == NOW + timedelta(seconds=LIMIT + 2010)


def test_an_outage_in_a_pause_gives_back_what_was_before_it(compensated: Asker) -> None:
    study = compensated.session.study
    reply = compensated.ask()
    pauses.pause(study=study, session=None, reason="a test", now=compensated.later(8).now)
    compensated.later(400).fails(reply)
    assert compensated.asked.compensated_seconds == 8
    pauses.resume(study=study, session=None, now=compensated.later(100).now)
    asked = compensated.asked
    assert (asked.paused_seconds, asked.compensated_seconds) == (500, 8)
    assert asked.deadline_at == NOW + timedelta(seconds=LIMIT + 508)


def test_a_question_whose_time_is_over_is_not_opened_again(compensated: Asker) -> None:
    reply = compensated.later(LIMIT - 1).ask()
    compensated.later(1.5).fails(reply)
    assert compensated.asked.compensated_seconds == 0
    assert operations.close_if_due(session_id=compensated.session_id, now=compensated.later(2).now)


def test_an_answered_question_gets_no_time(compensated: Asker) -> None:
    reply = compensated.ask()
    compensated.later(5).submit(compensated.position)
    compensated.later(1).fails(reply)
    assert len(compensated.logged("outage")) == 1
    assert compensated.asked.compensated_seconds == 0


def test_without_a_limit_an_outage_is_only_logged(db: None) -> None:
    session, token = sessions.join(study=make_study(timing__compensates_outages=True), now=NOW)
    sessions.begin(session_id=session.pk, now=NOW)
    session.refresh_from_db()
    person = Asker(session, token)
    trial = person.answer_until("chat")
    while trial.time_limit_seconds is not None:
        person.submit(trial.position)
        trial = person.open(trial.position + 1)
    person.position = trial.position
    reply = person.ask()
    person.later(5).fails(reply)
    assert len(person.logged("outage")) == 1
    assert (person.asked.deadline_at, person.asked.compensated_seconds) == (None, 0)


def test_a_server_that_died_gives_the_time_back_when_another_notices(compensated: Asker) -> None:
    compensated.ask()
    assert sweep.sweep(now=compensated.later(30).now)["failed"] == 1
    assert compensated.logged("outage")[0]["code"] == "interrupted"
    assert compensated.asked.compensated_seconds == 30


def chunk(text: str, reason: str | None = None) -> str:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": reason}
    body = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]}
    return f"data: {json.dumps(body)}\n\n"


async def completions(_: Request) -> Response:
    parts = (chunk("It is "), chunk("the second.", "stop"), "data: [DONE]\n\n")
    return StreamingResponse(iter(parts), media_type="text/event-stream")


APP = Starlette(routes=[Route("/v1/chat/completions", completions, methods=["POST"])])


@pytest.mark.django_db(transaction=True)
async def test_the_person_sees_at_once_that_nobody_answers_and_asks_again_when_somebody_does() -> None:
    """Through the real socket and the real client of an OpenAI-compatible endpoint, first at a closed port."""
    study = await on_database(
        lambda: make_study(timing__compensates_outages=True, questions__short__time_limit_seconds=LIMIT)
    )
    port = free_port()
    elsewhere = {"model": "m", "base_url": f"http://127.0.0.1:{port}/v1"}
    visitor = Visitor(f"/join/{study.join_code}/")
    shown = await visitor.begin()
    # after joining: nobody is let into a study whose rows were changed
    await on_database(Assistant.objects.filter(study=study).update, backend="openai", options=elsewhere)
    while "chat" not in (shown := await visitor.open_next(shown)).ids:
        shown = await visitor.answer(shown)
    position = int(shown.form("/session/answer/").hidden["position"])  # type: ignore[union-attr]
    deadline_at = (await visitor.connect())["clock"]["deadline_at"]

    asked_at = time.monotonic()
    assert (await visitor.command("message", position=position, text="Which one?"))["kind"] == "ack"
    while not (frame := await visitor.hear("event"))["items"] or frame["items"][-1]["state"] != "failed":
        pass
    assert time.monotonic() - asked_at < 2
    [item] = frame["items"]
    assert (item["id"], item["failure"]) == ("r1.1", "The assistant cannot be reached right now.")
    given = (await on_database(Trial.objects.get, state="open")).compensated_seconds
    assert 0 < given < 2
    assert frame["set"]["clock"]["deadline_at"] == pytest.approx(deadline_at + given * 1000, abs=2)

    with serving(APP, port):
        assert (await visitor.command("retry", position=position, reply="r1.1"))["kind"] == "ack"
        while not (frame := await visitor.hear("event"))["items"] or frame["items"][-1]["state"] != "done":
            pass
    assert frame["items"][-1]["text"] == "It is the second."
    kinds = await on_database(lambda: list(Event.objects.values_list("type", flat=True).order_by("seq")))
    assert kinds[-6:] == ["reply_failed", "outage", "compensated", "reply_asked", "reply_started", "reply"]
    await visitor.leave()
    await replies.drain()
    await backends.close()


@pytest.mark.django_db(transaction=True)
async def test_an_assistant_that_is_set_up_wrongly_fails_with_that_code(caplog: pytest.LogCaptureFixture) -> None:
    person = await on_database(asker)
    person.now = timezone.now()
    await on_database(Trial.objects.filter(state="open").update, deadline_at=None)
    await on_database(Assistant.objects.update, backend="openai", options={"model": "m", "base_url": "nowhere"})
    reply = await on_database(
        chat.send_message,
        session_id=person.session_id,
        position=person.position,
        command_id=uuid4(),
        text="Which one?",
        now=person.now,
    )
    assert reply is not None
    replies.start(reply.pk, person.session_id)
    await replies.drain()
    ended = await on_database(Reply.objects.get, pk=reply.pk)
    assert (ended.state, ended.error_code) == ("failed", "misconfigured")
    assert "base_url='nowhere'" in caplog.text
    assert len(await on_database(person.logged, "outage")) == 1
    await backends.close()
