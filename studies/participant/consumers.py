"""The participant's socket: frames in, one operation each, acknowledged after its commit; committed events out.

Nothing here waits for the assistant: messages of one socket are handled one at a time, so a reply runs in a task of its
own (runtime.replies) and reaches this socket through the session's group like every other event.
"""

import asyncio
import json
import logging
from typing import Any

from autobahn.exception import Disconnected
from channels.consumer import get_handler_name
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import transaction
from django.utils import timezone

from studies.jobs.executor import on_database
from studies.participant import protocol
from studies.participant.cookies import token_in_scope
from studies.participant.limits import Bucket
from studies.runtime import access, chat, live, operations, replies, sessions
from studies.runtime.models import ParticipantSession
from studies.runtime.rules import Refusal
from studies.runtime.snapshot import milliseconds, snapshot

log = logging.getLogger(__name__)
NO_SESSION = 4401
TOO_MANY_FRAMES = 4429


class ParticipantConsumer(AsyncWebsocketConsumer):
    """One tab. The session comes from the cookie; no URL and no frame names it."""

    session_id: int
    mark: str
    group: str | None = None
    timer: asyncio.TimerHandle | None = None

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
            case protocol.Ping(at=at):
                await self.tell("pong", at=at, server_at=milliseconds(timezone.now()))
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
        except Exception:
            log.exception("%s failed in session %s", type(frame).__name__, self.session_id)
            await self.tell(
                "refused", id=str(frame.id), code="internal", sentence="Something went wrong here; please try again."
            )
        else:
            await self.tell("ack", id=str(frame.id))

    async def run(self, frame: protocol.Command) -> None:
        common: dict[str, Any] = {"session_id": self.session_id, "now": timezone.now()}
        timed = common | {"client_at": frame.at}
        match frame:
            case protocol.Draft(position=position, option=option, confidence=confidence):
                await on_database(
                    operations.save_draft,
                    position=position,
                    draft_id=frame.id,
                    option=option,
                    confidence=confidence,
                    **timed,
                )
            case protocol.Submit(position=position, option=option, confidence=confidence):
                await on_database(
                    operations.submit_answer,
                    position=position,
                    submit_id=frame.id,
                    option=option,
                    confidence=confidence,
                    **timed,
                )
                replies.stop_all(self.session_id)
            case protocol.Message(position=position, text=text):
                reply = await on_database(chat.send_message, position=position, client_id=frame.id, text=text, **timed)
                if reply is not None:
                    replies.start(reply.pk, self.session_id)
            case protocol.Retry(position=position):
                reply = await on_database(chat.retry_reply, position=position, **common)
                replies.start(reply.pk, self.session_id)
            case protocol.Stop(position=position):
                await on_database(chat.stop_reply, position=position, **common)
                replies.stop_all(self.session_id)
            case protocol.Reset(position=position):
                await on_database(chat.reset_context, position=position, **common)
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
        await on_database(operations.close_if_due, session_id=self.session_id, now=now)
        state = await on_database(read_snapshot, self.session_id)
        self.arm(state["clock"], state["page"])
        await self.tell("snapshot", **state, session=self.mark, server_at=milliseconds(timezone.now()))

    async def live_frame(self, message: dict[str, Any]) -> None:
        """Something was committed, or a reply grew: pass it on."""
        frame = message["frame"]
        if "clock" in frame.get("set", {}):
            self.arm(frame["set"]["clock"], frame["set"]["page"])
        await self.send(text_data=json.dumps(frame))

    def arm(self, clock: dict[str, Any], page: dict[str, Any]) -> None:
        """Wake up just after deadline + grace; the sweep would notice a second later."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
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
        except Exception:
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
