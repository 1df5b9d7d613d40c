"""The socket: acknowledged after the commit, refused with words, several tabs alike, never a dropped connection."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from oversight.asgi import application
from studies.jobs.executor import on_database
from studies.participant import cookies, limits
from studies.participant.consumers import read_snapshot
from studies.runtime import backends, live, pauses, replies
from studies.runtime.models import Event, ParticipantSession, Trial
from tests.participant.visitor import Visitor
from tests.small_study import make_study

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def visitor() -> AsyncIterator[Visitor]:
    study = await on_database(make_study)
    visitor = Visitor(f"/join/{study.join_code}/")
    yield visitor
    await visitor.leave()
    await replies.drain()
    await backends.close()


async def opened(visitor: Visitor) -> dict[str, Any]:
    await visitor.open_next(await visitor.begin())
    return await visitor.connect()


async def test_a_socket_without_a_session_is_told_so() -> None:
    headers = [(b"origin", b"http://localhost"), (b"host", b"localhost")]
    socket = WebsocketCommunicator(application, "/ws/session/", headers=headers)
    await socket.connect()
    assert (await socket.receive_output(2))["code"] == 4401


async def test_a_socket_from_another_site_is_refused() -> None:
    headers = [(b"origin", b"https://evil.example"), (b"host", b"localhost")]
    connected, _ = await WebsocketCommunicator(application, "/ws/session/", headers=headers).connect()
    assert not connected


async def test_a_socket_at_an_unknown_address_is_refused() -> None:
    for path in ("/ws/", "/ws/console/", "/ws/session", "/ws/session/\x00", "/"):
        headers = [(b"origin", b"http://localhost"), (b"host", b"localhost")]
        connected, _ = await WebsocketCommunicator(application, path, headers=headers).connect()
        assert not connected, path


async def test_the_snapshot_shows_the_open_trial(visitor: Visitor) -> None:
    snapshot = await opened(visitor)
    assert snapshot["page"] == {
        "state": "active",
        "stage": "trials",
        "position": 1,
        "trial": "open",
        "is_paused": False,
    }
    assert set(snapshot) == {"kind", "seq", "page", "clock", "draft", "chat", "items", "session", "server_at"}


async def test_an_acknowledged_draft_is_in_the_database(visitor: Visitor) -> None:
    await opened(visitor)
    assert (await visitor.command("draft", position=1, option=3, confidence=0.8))["kind"] == "ack"
    trial = await on_database(Trial.objects.get, position=1)
    assert (trial.draft_option, trial.draft_confidence) == (3, 0.8)


async def test_a_resent_answer_is_acknowledged_again_and_stored_once(visitor: Visitor) -> None:
    await opened(visitor)
    same = {"id": str(uuid.uuid4()), "position": 1, "option": 2, "confidence": 1.0}
    assert (await visitor.command("submit", **same))["kind"] == "ack"
    assert (await visitor.command("submit", **same))["kind"] == "ack"
    assert await on_database(Event.objects.filter(type="submit").count) == 1


async def test_a_refusal_says_why_and_the_socket_lives(visitor: Visitor) -> None:
    await opened(visitor)
    refused = await visitor.command("submit", position=1, option=2)
    assert (refused["kind"], refused["code"]) == ("refused", "confidence_missing")
    assert refused["sentence"] == "Say how confident you are."
    assert (await visitor.command("message", position=9, text="x"))["code"] == "wrong_question"
    assert (await visitor.command("event", type="telepathy"))["code"] == "unknown_event"
    assert (await visitor.command("draft", position=1, option=0))["kind"] == "ack"


async def test_malformed_frames_are_refused_and_the_socket_lives(visitor: Visitor) -> None:
    await opened(visitor)
    assert visitor.socket is not None
    for raw in (" ", "{", "[]", '{"kind": "submit"}', "\x00", "9" * 5000):
        await visitor.socket.send_to(text_data=raw)
        assert (await visitor.hear("refused"))["code"] in ("not_json", "not_an_object", "missing_value")
    await visitor.socket.send_to(bytes_data=b"\xff\x00")
    assert (await visitor.hear("refused"))["code"] == "not_json"
    assert (await visitor.command("draft", position=1, option=0))["kind"] == "ack"


async def test_a_flood_is_cut_off(visitor: Visitor) -> None:
    await opened(visitor)
    assert visitor.socket is not None
    for _ in range(limits.FRAMES_AT_ONCE * 3):
        await visitor.socket.send_to(text_data='{"kind": "ping", "at": 1}')
    outputs = [await visitor.socket.receive_output(3)]
    while outputs[-1]["type"] != "websocket.close":
        outputs.append(await visitor.socket.receive_output(3))
    assert outputs[-1]["code"] == 4429


async def test_two_tabs_see_the_same(visitor: Visitor) -> None:
    await opened(visitor)
    other = Visitor(visitor.join_path)
    other.client.cookies = visitor.client.cookies
    await other.connect()
    await visitor.command("draft", position=1, option=1)
    frame = await other.hear("event")
    assert frame["set"]["draft"] == {"option": 1, "confidence": None}
    await visitor.command("submit", position=1, option=1, confidence=0.25)
    assert (await other.hear("event"))["set"]["page"]["trial"] == "answered"
    await other.leave()


async def test_the_timer_closes_an_overdue_trial_while_nobody_does_anything(visitor: Visitor) -> None:
    await visitor.open_next(await visitor.begin())
    soon = (await on_database(Trial.objects.get, position=1)).opened_at
    await on_database(Trial.objects.filter(position=1).update, deadline_at=soon)
    await visitor.connect()
    frame = await visitor.hear("event")
    assert frame["set"]["page"]["trial"] == "timed_out"


async def test_the_timer_waits_for_the_moved_deadline_after_a_pause(visitor: Visitor) -> None:
    await visitor.open_next(await visitor.begin())
    session = await on_database(ParticipantSession.objects.select_related("study").get)
    soon = timezone.now() - timedelta(seconds=1)  # one second of the grace is left
    await on_database(Trial.objects.filter(position=1).update, deadline_at=soon)
    await visitor.connect()
    paused = {"study": session.study, "session": session}
    await on_database(pauses.pause, reason="a test", now=timezone.now(), **paused)
    assert (await visitor.hear("event"))["set"]["page"]["is_paused"]
    await asyncio.sleep(1.5)
    assert (await on_database(Trial.objects.get, position=1)).state == "open"
    await on_database(pauses.resume, now=timezone.now(), **paused)
    assert (await visitor.hear("event"))["set"]["page"]["trial"] == "open"
    frame = await visitor.hear("event")
    assert frame["set"]["page"]["trial"] == "timed_out"
    closed = await on_database(Trial.objects.get, position=1)
    assert closed.closed_at is not None
    assert closed.deadline_at is not None
    assert 2.0 < (closed.closed_at - closed.deadline_at).total_seconds() < 3.0


async def test_pieces_are_not_sent_in_a_pause(visitor: Visitor) -> None:
    shown = await visitor.begin()
    while "chat" not in (shown := await visitor.open_next(shown)).ids:
        shown = await visitor.answer(shown)
    position = int(shown.form("/session/answer/").hidden["position"])  # type: ignore[union-attr]
    await visitor.connect()
    session = await on_database(ParticipantSession.objects.select_related("study").get)
    paused = {"study": session.study, "session": session}
    await on_database(pauses.pause, reason="a test", now=timezone.now(), **paused)
    await visitor.hear("event")
    group = live.session_group(session.pk)
    await live.send(group, {"kind": "piece", "reply": "r1.1", "offset": 0, "text": "a piece in the pause"})
    await live.send(group, {"kind": "reply_state", "reply": "r1.1", "state": "queued", "position": 1})
    refused = await visitor.command("message", position=position, text="Which one?")
    assert (refused["kind"], refused["code"]) == ("refused", "paused")
    assert "a piece in the pause" not in "".join(visitor.received)
    await on_database(pauses.resume, now=timezone.now(), **paused)
    await visitor.hear("event")
    await live.send(group, {"kind": "piece", "reply": "r1.1", "offset": 0, "text": "shown"})
    assert (await visitor.hear("piece"))["text"] == "shown"


async def test_a_chat_streams_and_survives_a_lost_socket(visitor: Visitor) -> None:
    shown = await visitor.begin()
    while True:
        shown = await visitor.open_next(shown)
        if "chat" in shown.ids:
            break
        shown = await visitor.answer(shown)
    position = int(shown.form("/session/answer/").hidden["position"])  # type: ignore[union-attr]
    await visitor.connect()
    await visitor.command("message", position=position, text="Which option is right?")
    await visitor.leave()
    await asyncio.sleep(0.5)
    snapshot = await visitor.connect()
    assert [item["id"] for item in snapshot["items"]] == ["m1", "r1.1"]
    assert snapshot["items"][1]["state"] == "done"
    assert snapshot["items"][1]["html"]


async def test_a_snapshot_takes_a_known_number_of_queries(visitor: Visitor) -> None:
    await opened(visitor)

    def counted() -> list[str]:
        session_id = ParticipantSession.objects.values_list("pk", flat=True).get()
        with CaptureQueriesContext(connection) as queries:
            read_snapshot(session_id)
        return [query["sql"] for query in queries if query["sql"].startswith("SELECT")]

    # session with study · current trial with question, passage, condition, assistant · (messages · replies with chat)
    assert 2 <= len(await on_database(counted)) <= 4


async def test_a_ping_that_is_behind_brings_a_snapshot(visitor: Visitor) -> None:
    seq = (await opened(visitor))["seq"]
    await visitor.send(kind="ping", at=5, seq=seq)
    assert (await visitor.hear("pong", "snapshot"))["kind"] == "pong"
    await visitor.send(kind="ping", at=5, seq=seq - 1)
    assert (await visitor.hear("pong", "snapshot"))["kind"] == "pong"
    assert (await visitor.hear("pong", "snapshot"))["seq"] == seq


async def test_a_double_click_on_the_consent_button_takes_one_slot(visitor: Visitor) -> None:
    shown = await visitor.get(visitor.join_path)
    other = Visitor(visitor.join_path)
    other.client.cookies = visitor.client.cookies.copy()  # the second click leaves before the first answer came
    await asyncio.gather(
        visitor.post(visitor.join_path, shown.forms[0], consent="yes"),
        other.post(other.join_path, shown.forms[0], consent="yes"),
    )
    assert await on_database(ParticipantSession.objects.count) == 1
    assert visitor.client.cookies[cookies.NAME].value == other.client.cookies[cookies.NAME].value


async def test_a_consent_form_without_its_key_is_asked_for_again(visitor: Visitor) -> None:
    shown = await visitor.get(visitor.join_path)
    await visitor.post(visitor.join_path, shown.forms[0], consent="yes", join_key="7")
    assert visitor.status == 400
    assert await on_database(ParticipantSession.objects.count) == 0


async def test_a_neighbours_odd_cookie_does_not_lock_the_participant_out(visitor: Visitor) -> None:
    await visitor.begin()
    token = visitor.client.cookies[cookies.NAME].value
    odd = f'prefs={{"a": [1]}}; {cookies.NAME}={token}; n=é'
    headers = [(b"cookie", odd.encode("latin-1")), (b"origin", b"http://localhost"), (b"host", b"localhost")]
    socket = WebsocketCommunicator(application, "/ws/session/", headers=headers)
    assert (await socket.connect())[0]
    await socket.send_to(text_data='{"kind": "hello"}')
    assert '"snapshot"' in await socket.receive_from(3)
    await socket.disconnect()


async def test_counts_of_any_name_are_logged_as_counts(visitor: Visitor) -> None:
    await opened(visitor)
    counts = {"trial": 1, "kind": 2, "client_at": 3}
    assert (await visitor.command("event", type="copy", counts=counts))["kind"] == "ack"
    assert (await on_database(Event.objects.get, type="copy")).data == {"counts": counts}
