"""The socket while the database or Redis is away: it says `internal` or closes, and the tab comes again."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import redis
from channels.layers import get_channel_layer
from django.db import OperationalError

from studies.jobs.executor import on_database
from studies.participant import consumers
from studies.participant.consumers import ParticipantConsumer
from studies.runtime import backends, live, replies
from studies.runtime.models import ParticipantSession, Trial
from tests.participant.visitor import Visitor
from tests.small_study import make_study

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def visitor() -> AsyncIterator[Visitor]:
    study = await on_database(make_study)
    visitor = Visitor(f"/join/{study.join_code}/")
    await visitor.open_next(await visitor.begin())
    yield visitor
    await visitor.leave()
    await replies.drain()
    await backends.close()


def away(*args: object, **kwargs: object) -> Any:
    raise OperationalError("database is locked")


async def test_a_command_is_kept_by_the_tab_and_stored_when_the_database_is_back(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    await visitor.connect()
    same = {"id": str(uuid.uuid4()), "position": 1, "option": 2, "confidence": 0.6}
    with monkeypatch.context() as patch:
        patch.setattr(consumers.operations, "save_draft", away)
        answered = await visitor.command("draft", **same)
    assert (answered["kind"], answered["code"]) == ("refused", "internal")
    assert (await visitor.command("draft", **same))["kind"] == "ack"
    assert (await on_database(Trial.objects.get, position=1)).draft_option == 2


async def test_a_socket_that_cannot_read_its_session_is_closed_for_now(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    await visitor.connect()
    monkeypatch.setattr(consumers, "read_snapshot", away)
    await visitor.socket.send_json_to({"kind": "resync"})
    assert await visitor.socket.receive_output(2) == {"type": "websocket.close", "code": 4503}


async def test_a_socket_that_loses_redis_is_closed_for_now(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    await visitor.connect()

    async def gone(*args: object) -> None:
        raise redis.ConnectionError("Connection closed by server.")

    monkeypatch.setattr(type(get_channel_layer()), "group_add", gone)
    await visitor.socket.send_json_to({"kind": "ping", "at": 1})
    frames = [await visitor.socket.receive_output(2), await visitor.socket.receive_output(2)]
    assert frames[1] == {"type": "websocket.close", "code": 4503}


async def test_a_tab_hears_again_after_redis_came_back_empty(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    names = []
    connect = ParticipantConsumer.connect

    async def noted(self: ParticipantConsumer) -> None:
        await connect(self)
        names.append(self.channel_name)

    monkeypatch.setattr(ParticipantConsumer, "connect", noted)
    await visitor.connect()
    session = await on_database(ParticipantSession.objects.get)
    layer = get_channel_layer()
    await layer.group_discard(live.session_group(session.pk), names[0])
    await live.send(live.session_group(session.pk), {"kind": "piece", "text": "lost"})
    await visitor.socket.send_json_to({"kind": "ping", "at": 1})
    assert (await visitor.socket.receive_json_from(2))["kind"] == "pong"
    assert await visitor.socket.receive_nothing(0.2)
    await live.send(live.session_group(session.pk), {"kind": "piece", "text": "heard"})
    assert (await visitor.socket.receive_json_from(2))["text"] == "heard"
