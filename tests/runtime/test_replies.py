"""A reply from message to end on real rows: committed first, streamed, stopped, timed out, failed, asked again."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from studies.design.models import Assistant
from studies.jobs.executor import on_database
from studies.runtime import backends, chat, operations, pauses, replies, sessions, sweep
from studies.runtime.models import Event, Message, ParticipantSession, Reply, Trial
from studies.runtime.rules import Refusal
from tests.assistant import peers
from tests.small_study import make_study

pytestmark = pytest.mark.django_db(transaction=True)


def chatting(**overrides: object) -> Trial:
    """The first open chat trial of a new session."""
    session, _ = sessions.join(study=make_study(**overrides), now=timezone.now())
    sessions.begin(session_id=session.pk, now=timezone.now())
    for trial in session.trials.select_related("condition").order_by("position"):
        opened = operations.open_next_trial(session_id=session.pk, position=trial.position, now=timezone.now())
        if trial.condition.name == "chat":
            return opened
        answer(opened)
    raise AssertionError("no chat trial")


def answer(trial: Trial) -> None:
    operations.submit_answer(
        session_id=trial.session_id,
        position=trial.position,
        command_id=uuid4(),
        option=0,
        confidence=0.6,
        now=timezone.now(),
    )


def ask(trial: Trial, text: str = "Which option is right?") -> Reply:
    reply = chat.send_message(
        session_id=trial.session_id, position=trial.position, command_id=uuid4(), text=text, now=timezone.now()
    )
    assert reply is not None
    return reply


async def until(is_so: Callable[[], Any], seconds: float = 5) -> Any:
    """Wait until rows say so; returns what they said."""
    limit = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < limit:
        found = await on_database(is_so)
        if found:
            return found
        await asyncio.sleep(0.02)
    raise AssertionError("did not happen in time")


def row(reply: Reply) -> Reply:
    return Reply.objects.get(pk=reply.pk)


def is_over(reply: Reply) -> Callable[[], Reply | None]:
    return lambda: Reply.objects.filter(pk=reply.pk, state__in=["done", "stopped", "failed"]).first()


@pytest.fixture(autouse=True)
async def _clean() -> Any:
    yield
    await replies.drain()
    await backends.close()


async def test_a_reply_argues_and_its_row_says_what_made_it() -> None:
    trial = await on_database(chatting)
    reply = await on_database(ask, trial)
    replies.start(reply.pk, trial.session_id)
    ended = await until(is_over(reply))
    assert (ended.state, ended.backend, ended.error_code) == ("done", "scripted", "")
    assert ended.text
    assert ended.model
    assert ended.prompt_version
    assert len(ended.prompt_hash) == 64
    assert ended.queued_at <= ended.started_at <= ended.first_piece_at <= ended.finished_at
    kinds = await on_database(lambda: list(Event.objects.filter(trial=trial).values_list("type", flat=True)))
    assert kinds[-3:] == ["reply_asked", "reply_started", "reply"]


async def test_the_message_is_committed_before_the_model_is_called() -> None:
    trial = await on_database(chatting)
    reply = await on_database(ask, trial, "Why?")
    stored = await on_database(lambda: Message.objects.get(trial=trial))
    assert (stored.text, (await on_database(row, reply)).state) == ("Why?", "queued")


async def test_a_resent_message_is_kept_once() -> None:
    trial = await on_database(chatting)
    same = {"session_id": trial.session_id, "position": trial.position, "command_id": uuid4(), "text": "Hello"}
    assert await on_database(chat.send_message, now=timezone.now(), **same)
    assert await on_database(chat.send_message, now=timezone.now(), **same) is None
    assert await on_database(Message.objects.filter(trial=trial).count) == 1


async def test_a_slow_reply_can_be_stopped_and_asked_again() -> None:
    trial = await on_database(lambda: chatting(assistants__helper__words_per_second=2))
    reply = await on_database(ask, trial)
    replies.start(reply.pk, trial.session_id)
    await until(lambda: row(reply).text)
    with pytest.raises(Refusal, match="reply_running"):
        await on_database(ask, trial)
    await on_database(chat.stop_reply, session_id=trial.session_id, position=trial.position, now=timezone.now())
    replies.stop_all(trial.session_id)
    ended = await until(is_over(reply))
    assert (ended.state, ended.finish_reason) == ("stopped", "stopped")
    assert ended.text
    again = await on_database(
        chat.retry_reply, session_id=trial.session_id, position=trial.position, now=timezone.now()
    )
    assert (again.attempt, again.message_id) == (2, reply.message_id)


async def test_another_process_stops_it_through_the_row() -> None:
    trial = await on_database(lambda: chatting(assistants__helper__words_per_second=2))
    reply = await on_database(ask, trial)
    replies.start(reply.pk, trial.session_id)
    await until(lambda: row(reply).text)
    await on_database(chat.stop_reply, session_id=trial.session_id, position=trial.position, now=timezone.now())
    assert (await until(is_over(reply))).state == "stopped"


async def test_the_answer_ends_a_running_reply() -> None:
    trial = await on_database(lambda: chatting(assistants__helper__words_per_second=2))
    reply = await on_database(ask, trial)
    replies.start(reply.pk, trial.session_id)
    await until(lambda: row(reply).text)
    await on_database(answer, trial)
    assert (await until(is_over(reply))).state == "stopped"


async def test_a_reply_that_is_stopped_before_it_starts_ends_as_stopped() -> None:
    trial = await on_database(chatting)
    reply = await on_database(ask, trial)
    await on_database(chat.stop_reply, session_id=trial.session_id, position=trial.position, now=timezone.now())
    replies.start(reply.pk, trial.session_id)
    assert (await until(is_over(reply))).state == "stopped"


async def test_the_deadline_ends_a_running_reply() -> None:
    trial = await on_database(lambda: chatting(assistants__helper__words_per_second=2))
    soon = timezone.now() + timedelta(seconds=1)
    await on_database(Trial.objects.filter(pk=trial.pk).update, deadline_at=soon)
    reply = await on_database(ask, trial)
    replies.start(reply.pk, trial.session_id)
    ended = await until(is_over(reply))
    assert (ended.state, ended.finish_reason) == ("stopped", "time_up")


async def test_a_pause_that_comes_just_before_the_deadline_keeps_the_reply_running() -> None:
    """The stream learns of it only when the old deadline comes, between two heartbeats."""
    trial = await on_database(lambda: chatting(assistants__helper__words_per_second=4))
    session = await on_database(ParticipantSession.objects.select_related("study").get, pk=trial.session_id)
    reply = await on_database(ask, trial, "Tell me everything.")
    replies.start(reply.pk, trial.session_id)
    await until(lambda: row(reply).text)
    soon = timezone.now() + timedelta(seconds=1.5)
    await on_database(Trial.objects.filter(pk=trial.pk).update, deadline_at=soon)
    beat = (await on_database(row, reply)).heartbeat_at
    await until(lambda: row(reply).heartbeat_at > beat)
    await asyncio.sleep(0.2)
    paused = {"study": session.study, "session": session}
    await on_database(pauses.pause, reason="a test", now=timezone.now(), **paused)
    await asyncio.sleep(max(0.0, (soon - timezone.now()).total_seconds()) + 1.2)
    assert (await on_database(row, reply)).state == "streaming"
    await on_database(pauses.resume, now=timezone.now(), **paused)
    ended = await until(is_over(reply))
    assert (ended.state, ended.finish_reason) == ("stopped", "time_up")
    moved = await on_database(Trial.objects.get, pk=trial.pk)
    assert moved.deadline_at is not None
    assert ended.finished_at >= moved.deadline_at > soon


async def test_a_reply_whose_process_died_fails_with_its_text_and_can_be_asked_again() -> None:
    trial = await on_database(chatting)
    reply = await on_database(ask, trial)
    long_ago = timezone.now() - timedelta(seconds=11)
    await on_database(Reply.objects.filter(pk=reply.pk).update, state="streaming", text="It is", heartbeat_at=long_ago)
    assert (await on_database(sweep.sweep, now=timezone.now()))["failed"] == 1
    failed = await on_database(row, reply)
    assert (failed.state, failed.text, failed.error_code) == ("failed", "It is", "interrupted")
    again = await on_database(
        chat.retry_reply, session_id=trial.session_id, position=trial.position, now=timezone.now()
    )
    replies.start(again.pk, trial.session_id)
    assert (await until(is_over(again))).state == "done"


async def test_an_assistant_that_is_down_is_told_at_once() -> None:
    trial = await on_database(chatting)
    elsewhere = {"model": "none", "base_url": "http://127.0.0.1:9/v1"}
    await on_database(Assistant.objects.filter(pk=trial.assistant_id).update, backend="openai", options=elsewhere)
    reply = await on_database(ask, trial)
    replies.start(reply.pk, trial.session_id)
    ended = await until(is_over(reply))
    assert (ended.state, ended.error_code) == ("failed", "unreachable")


async def test_a_reset_starts_an_empty_context_and_keeps_the_scrollback() -> None:
    from studies.runtime.conversation import prepare

    trial = await on_database(chatting)
    first = await on_database(ask, trial, "Remember the word zebra.")
    replies.start(first.pk, trial.session_id)
    await until(is_over(first))
    second = await on_database(ask, trial, "Which word?")
    with_context = await on_database(prepare, second.pk)
    assert "zebra" in " ".join(turn.text for turn in with_context.request.turns)
    replies.start(second.pk, trial.session_id)
    await until(is_over(second))
    await on_database(chat.reset_context, session_id=trial.session_id, position=trial.position, now=timezone.now())
    third = await on_database(ask, trial, "Which word?")
    asked = await on_database(prepare, third.pk)
    assert "zebra" not in " ".join(turn.text for turn in asked.request.turns)
    session = await on_database(ParticipantSession.objects.get, pk=trial.session_id)
    assert await on_database(Message.objects.filter(trial__session=session).count) == 3


async def test_the_row_says_what_numbers_the_model_was_computed_in() -> None:
    trial = await on_database(chatting)
    with peers.serve(peers.Peer(name="m" * 300, dtype="bfloat16")) as url:
        remote = {"model": "m" * 300, "base_url": url, "max_tokens": 4}
        await on_database(Assistant.objects.filter(pk=trial.assistant_id).update, backend="openai", options=remote)
        reply = await on_database(ask, trial)
        replies.start(reply.pk, trial.session_id)
        ended = await until(is_over(reply))
    assert (ended.state, ended.dtype) == ("done", "bfloat16")
    assert ended.model == "m" * 200, "a name that is longer than the column does not keep the end from being written"
