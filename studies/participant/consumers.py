"""The participant's socket: frames in, one operation each, acknowledged after its commit; committed events out.

Nothing here waits for the assistant: messages of one socket are handled one at a time, so a reply runs in a task of its
own (runtime.replies) and reaches this socket through the session's group like every other event.
"""

import asyncio
import json
import logging
from contextlib import suppress
from typing import Any

from autobahn.exception import Disconnected
from channels.consumer import get_handler_name
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import transaction
from django.utils import timezone

from studies.design.access import StudyChanged
from studies.jobs.executor import on_database
from studies.jobs.outage import is_outage
from studies.participant import protocol
from studies.participant.cookies import token_in_scope
from studies.participant.limits import Bucket
from studies.runtime import access, chat, live, operations, replies, sessions, warm
from studies.runtime.models import ParticipantSession
from studies.runtime.rules import DraftMark, Refusal
from studies.runtime.snapshot import milliseconds, snapshot

log = logging.getLogger(__name__)
NO_SESSION = 4401
STUDY_CHANGED = 4409
TOO_MANY_FRAMES = 4429
TRY_AGAIN_LATER = 4503  # Daphne lets applications close with 1000 and 3000 to 4999 only
STOPPED = "This study cannot go on at the moment; the people who run it have to look at it first."


class ParticipantConsumer(AsyncWebsocketConsumer):
    """One tab. The session comes from the cookie; no URL and no frame names it."""

    session_id: int
    mark: str
    group: str | None = None
    timer: asyncio.TimerHandle | None = None
    is_paused = False

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """The socket's whole life. While the database or Redis is away it is closed: the tab comes again by itself."""
        try:
            await super().__call__(scope, receive, send)
        except Exception as error:
            if not is_outage(error):
                raise
            log.warning("a session's socket was closed: %s", type(error).__name__)
            if self.timer is not None:
                self.timer.cancel()
            with suppress(Disconnected):
                await send({"type": "websocket.close", "code": TRY_AGAIN_LATER})

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Look up the handler and await it: channels' own dispatch goes through the shared thread for every message."""
        handler = getattr(self, get_handler_name(message), None)
        if handler is None:
            raise ValueError(f"No handler for message type {message['type']}")
        await handler(message)

    async def connect(self) -> None:
        session = await on_database(access.session_by_token, token_in_scope(self.scope))
        await self.accept()
        if session is None:
            await self.close(code=NO_SESSION)
            return
        self.session_id, self.group = session.pk, live.session_group(session.pk)
        self.mark = access.session_mark(session)
        self.bucket, self.tasks = Bucket(), set[asyncio.Task[None]]()
        await self.channel_layer.group_add(self.group, self.channel_name)

    async def disconnect(self, code: int) -> None:
        if self.timer is not None:
            self.timer.cancel()
        if self.group is not None:
            await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.group is None:
            return
        if not self.bucket.take():
            await self.close(code=TOO_MANY_FRAMES)
            return
        try:
            frame = protocol.read(text_data if text_data is not None else "")
        except protocol.BadFrame as bad:
            await self.tell("refused", id=bad.id, code=bad.code, sentence=bad.sentence)
            return
        match frame:
            case protocol.Ping(at=at, seq=seq):
                await self.tell("pong", at=at, server_at=milliseconds(timezone.now()))
                await self.channel_layer.group_add(self.group, self.channel_name)  # a Redis that came back knows nobody
                if seq is not None and seq < await on_database(access.last_seq, self.session_id):
                    await self.send_snapshot()  # an event was lost on its way
            case protocol.Hello() | protocol.Resync():
                await self.send_snapshot()
            case protocol.Command():
                await self.obey(frame)

    async def obey(self, frame: protocol.Command) -> None:
        """Run the command; acknowledge it after its commit, or say why it was refused."""
        try:
            await self.run(frame)
        except Refusal as refusal:
            await self.tell("refused", id=str(frame.id), code=refusal.code, sentence=refusal.sentence)
        except StudyChanged as error:
            log.error("session %s cannot go on: %s", self.session_id, error)
            # "internal": the browser keeps what it could not send, for the time when the study is in order again
            await self.tell("refused", id=str(frame.id), code="internal", sentence=STOPPED)
        except Exception as error:
            if is_outage(error):
                log.warning("%s waits in session %s: %s", type(frame).__name__, self.session_id, type(error).__name__)
            else:
                log.exception("%s failed in session %s", type(frame).__name__, self.session_id)
            await self.tell(
                "refused", id=str(frame.id), code="internal", sentence="Something went wrong here; please try again."
            )
        else:
            await self.tell("ack", id=str(frame.id))

    async def run(self, frame: protocol.Command) -> None:
        common: dict[str, Any] = {"session_id": self.session_id, "now": timezone.now()}
        known = common | {"command_id": frame.id}
        timed = known | {"client_at": frame.at}
        choice: dict[str, Any]
        match frame:
            case protocol.Draft(position=position, option=option, confidence=confidence):
                mark = DraftMark(frame.writer, frame.number, frame.base)
                choice = {"position": position, "option": option, "confidence": confidence, "mark": mark}
                await on_database(operations.save_draft, **choice, **timed)
            case protocol.Submit(position=position, option=option, confidence=confidence):
                choice = {"position": position, "option": option, "confidence": confidence}
                await on_database(operations.submit_answer, **choice, **timed)
                replies.stop_all(self.session_id)
            case protocol.Message(position=position, text=text):
                reply = await on_database(chat.send_message, position=position, text=text, **timed)
                if reply is not None:
                    replies.start(reply.pk, self.session_id)
            case protocol.Retry(position=position, reply=name):
                reply = await on_database(chat.retry_reply, position=position, reply=name, **known)
                if reply is not None:
                    replies.start(reply.pk, self.session_id)
            case protocol.Stop(position=position, reply=name):
                if await on_database(chat.stop_reply, position=position, reply=name, **known):
                    replies.stop_all(self.session_id)
            case protocol.Reset(position=position):
                if await on_database(chat.reset_context, position=position, **known):
                    replies.stop_all(self.session_id)
            case protocol.Open(position=position):
                await on_database(operations.open_next_trial, position=position, **common)
            case protocol.Event(type=kind, counts=counts):
                if kind not in sessions.REPORTED:
                    raise Refusal("unknown_event")
                await on_database(sessions.report, kind=kind, counts=counts, **timed)
            case protocol.Withdraw():
                await on_database(sessions.withdraw, **common)
                replies.stop_all(self.session_id)

    async def send_snapshot(self) -> None:
        now = timezone.now()
        try:
            await on_database(operations.close_if_due, session_id=self.session_id, now=now)
            state = await on_database(read_snapshot, self.session_id)
        except StudyChanged as error:
            log.error("session %s cannot go on: %s", self.session_id, error)
            await self.close(code=STUDY_CHANGED)
            return
        self.arm(state["clock"], state["page"])
        if state["page"]["trial"] != "open":
            warm.start(self.session_id)
        await self.tell("snapshot", **state, session=self.mark, server_at=milliseconds(timezone.now()))

    async def live_frame(self, message: dict[str, Any]) -> None:
        """Something was committed, or a reply grew: pass it on."""
        frame = message["frame"]
        if self.is_paused and frame["kind"] in ("piece", "reply_state"):
            return
        if "clock" in frame.get("set", {}):
            self.arm(frame["set"]["clock"], frame["set"]["page"])
        await self.send(text_data=json.dumps(frame))

    def arm(self, clock: dict[str, Any], page: dict[str, Any]) -> None:
        """Wake up just after deadline + grace; the sweep would notice a second later."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        self.is_paused = page["is_paused"]
        if page["trial"] != "open" or clock["deadline_at"] is None:
            return
        delay = (clock["deadline_at"] + clock["grace"] - (milliseconds(timezone.now()) or 0)) / 1000 + 0.02
        self.timer = asyncio.get_running_loop().call_later(max(0.0, delay), self.spawn_close)

    def spawn_close(self) -> None:
        task = asyncio.create_task(self.close_overdue())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def close_overdue(self) -> None:
        try:
            await on_database(operations.close_if_due, session_id=self.session_id, now=timezone.now())
        except Exception as error:
            if is_outage(error):
                return  # the sweep closes it when the database is back
            log.exception("overdue trial of session %s not closed by its timer; the sweep does it", self.session_id)
        else:
            replies.stop_all(self.session_id)

    async def send(self, text_data: str | None = None, bytes_data: bytes | None = None, close: bool = False) -> None:
        """Send, unless the tab has just gone: Daphne raises then, and its disconnect is the next thing handled."""
        try:
            await super().send(text_data=text_data, bytes_data=bytes_data, close=close)
        except Disconnected:
            log.debug("session socket closed before a frame was sent; the tab asks for a snapshot when it is back")

    async def tell(self, kind: str, **values: Any) -> None:
        await self.send(text_data=json.dumps({"kind": kind, **values}))


@transaction.atomic
def read_snapshot(session_id: int) -> dict[str, Any]:
    """The session and what its tabs show, read at one instant."""
    return snapshot(ParticipantSession.objects.select_related("study").get(pk=session_id))
