"""Snapshot then event equals a fresh snapshot, for every operation that a participant's tab can cause."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from channels.layers import get_channel_layer
from django.utils import timezone

from studies.jobs.executor import on_database
from studies.participant.consumers import read_snapshot
from studies.runtime import chat, erasure, live, operations, pauses, reply_rows, sessions, snapshot, survey, sweep
from studies.runtime.models import ParticipantSession, Reply, Trial
from studies.runtime.reply_rows import Outcome
from tests.small_study import SURVEY, make_study

pytestmark = pytest.mark.django_db(transaction=True)


class Tab:
    """A tab that applies events to its snapshot and compares with a fresh one after each command."""

    def __init__(self, session_id: int, layer: Any, channel: str) -> None:
        self.session_id, self.layer, self.channel = session_id, layer, channel
        self.state: dict[str, Any] = {}

    async def fresh(self) -> dict[str, Any]:
        return await on_database(read_snapshot, self.session_id)

    async def does(self, operation: Callable[..., Any], **arguments: Any) -> Any:
        now = timezone.now()
        result = await on_database(operation, now=now, **arguments)
        fresh = await self.fresh()
        while self.state["seq"] < fresh["seq"]:
            message = await asyncio.wait_for(self.layer.receive(self.channel), 3)
            self.state = snapshot.apply(self.state, message["frame"])
        assert self.state == fresh
        return result

    async def says(self, operation: Callable[..., Any], **arguments: Any) -> Any:
        return await self.does(operation, session_id=self.session_id, **arguments)


@pytest.fixture
async def tab() -> AsyncIterator[Tab]:
    def joined() -> ParticipantSession:
        times = {"timing__compensates_outages": True, "questions__short__time_limit_seconds": 300}
        study = make_study(more=SURVEY, **times)
        session, _ = sessions.join(study=study, now=timezone.now())
        return session

    session = await on_database(joined)
    layer = get_channel_layer()
    assert layer is not None
    channel = await layer.new_channel()
    await layer.group_add(live.session_group(session.pk), channel)
    tab = Tab(session.pk, layer, channel)
    tab.state = await tab.fresh()
    yield tab
    await layer.flush()


def first_chat_position(session_id: int) -> int:
    trials = ParticipantSession.objects.get(pk=session_id).trials.filter(condition__name="chat")
    return int(trials.earliest("position").position)


async def test_every_operation_is_told_exactly(tab: Tab) -> None:
    await tab.says(sessions.begin)
    wanted = await on_database(first_chat_position, tab.session_id)
    for position in range(1, wanted):
        await tab.says(operations.open_next_trial, position=position)
        await tab.says(operations.save_draft, position=position, command_id=uuid4(), option=1, confidence=None)
        answer = {"position": position, "command_id": uuid4(), "option": 1, "confidence": 0.8}
        await tab.says(operations.submit_answer, **answer)
        await tab.says(operations.submit_answer, **answer)

    here = {"position": wanted}
    await tab.says(operations.open_next_trial, **here)
    first = await tab.says(chat.send_message, command_id=uuid4(), text="Which one?", **here)
    await tab.does(reply_rows.claim, reply_id=first.pk, sent={"prompt_version": "v1"})
    await tab.does(
        reply_rows.end, reply_id=first.pk, outcome=Outcome(Reply.State.FAILED, "It is", error_code="unreachable")
    )
    compensated = await on_database(Trial.objects.get, session_id=tab.session_id, state="open")
    assert compensated.compensated_seconds > 0
    second = await tab.says(chat.retry_reply, **here)
    await tab.does(reply_rows.claim, reply_id=second.pk, sent={})
    await tab.says(chat.stop_reply, **here)
    await tab.does(reply_rows.end, reply_id=second.pk, outcome=Outcome(Reply.State.STOPPED, "It", "stopped"))
    await tab.says(chat.reset_context, **here)
    third = await tab.says(chat.send_message, command_id=uuid4(), text="**B**?", **here)
    await tab.does(reply_rows.claim, reply_id=third.pk, sent={})
    await tab.does(reply_rows.end, reply_id=third.pk, outcome=Outcome(Reply.State.DONE, "**B**", "stop"))
    await tab.says(sessions.report, kind="blur", counts={"n": 1})
    assert [item["id"] for item in tab.state["items"]] == ["m1", "r1.1", "r1.2", "m2", "r2.1"]
    assert tab.state["items"][-1]["html"] == "<p><strong>B</strong></p>\n"
    await tab.says(operations.submit_answer, command_id=uuid4(), option=0, confidence=0.25, **here)
    await tab.says(sessions.withdraw)
    await tab.says(erasure.erase)
    assert {item["text"] for item in tab.state["items"]} == {""}


async def test_a_pause_is_told_exactly_with_all_that_happens_in_it(tab: Tab) -> None:
    await tab.says(sessions.begin)
    wanted = await on_database(first_chat_position, tab.session_id)
    for position in range(1, wanted):
        await tab.says(operations.open_next_trial, position=position)
        await tab.says(operations.submit_answer, position=position, command_id=uuid4(), option=1, confidence=0.8)
    await tab.says(operations.open_next_trial, position=wanted)
    await tab.says(operations.save_draft, position=wanted, command_id=uuid4(), option=2, confidence=None)
    reply = await tab.says(chat.send_message, command_id=uuid4(), text="Which one?", position=wanted)
    await tab.does(reply_rows.claim, reply_id=reply.pk, sent={})
    session = await on_database(ParticipantSession.objects.select_related("study").get, pk=tab.session_id)
    shown = tab.state
    for paused in (session, None):
        await tab.does(pauses.pause, study=session.study, session=paused, reason="a test")
    assert tab.state["page"]["is_paused"]
    assert (tab.state["items"], tab.state["draft"]["option"], tab.state["clock"]["opened_at"]) == ([], None, None)
    await tab.says(sessions.report, kind="blur", counts={})
    await tab.does(reply_rows.end, reply_id=reply.pk, outcome=Outcome(Reply.State.FAILED, "It", error_code="timeout"))
    assert tab.state["items"] == []
    for paused in (None, session):
        await tab.does(pauses.resume, study=session.study, session=paused)
    assert tab.state["page"] == shown["page"]
    assert tab.state["draft"] == shown["draft"]
    assert tab.state["clock"]["deadline_at"] > shown["clock"]["deadline_at"]
    assert [item["id"] for item in tab.state["items"]] == ["m1", "r1.1"]
    assert tab.state["items"][-1]["failure"] == "The assistant took too long."
    await tab.does(pauses.pause, study=session.study, session=None, reason="once more")
    await tab.says(sessions.withdraw)
    assert not tab.state["page"]["is_paused"]


async def test_the_survey_and_the_end_are_told_exactly(tab: Tab) -> None:
    await tab.says(sessions.begin)
    for position in range(1, 7):
        await tab.says(operations.open_next_trial, position=position)
        await tab.says(operations.submit_answer, position=position, command_id=uuid4(), option=1, confidence=0.8)
    await tab.says(sessions.finish)
    assert (tab.state["page"]["stage"], tab.state["page"]["state"]) == ("survey", "active")
    await tab.says(survey.send, form={"trust": "2"})
    assert (tab.state["page"]["stage"], tab.state["page"]["state"]) == ("debrief", "completed")


async def test_a_tab_is_told_that_its_session_was_given_up(tab: Tab) -> None:
    await tab.says(sessions.begin)
    wanted = await on_database(first_chat_position, tab.session_id)
    for position in range(1, wanted):
        await tab.says(operations.open_next_trial, position=position)
        await tab.says(operations.submit_answer, position=position, command_id=uuid4(), option=1, confidence=0.8)
    await tab.says(operations.open_next_trial, position=wanted)
    reply = await tab.says(chat.send_message, position=wanted, command_id=uuid4(), text="Which one?")

    def abandon(*, now: datetime) -> int:
        return sweep.abandon_absent(now=now + timedelta(days=60))

    assert await tab.does(abandon) == 1
    assert tab.state["page"]["state"] == "abandoned"
    assert (await on_database(Reply.objects.get, pk=reply.pk)).is_stop_asked


async def test_an_event_after_a_gap_is_noticed(tab: Tab) -> None:
    await tab.says(sessions.begin)
    with pytest.raises(ValueError, match="resync"):
        snapshot.apply(tab.state, {"after": tab.state["seq"] + 1, "seq": 9, "set": {}, "items": []})


async def test_an_event_that_the_snapshot_has_already_changes_nothing(tab: Tab) -> None:
    await tab.says(sessions.begin)
    old = {"after": 0, "seq": 1, "set": {"draft": {"option": 3, "confidence": None}}, "items": []}
    assert snapshot.apply(tab.state, old) == tab.state
