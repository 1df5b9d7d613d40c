"""Run one assistant reply in a task of its own, outside any socket: it goes on while the person's tab is away.

The row is the truth: the text so far and a heartbeat are written once a second, the end once. Pieces go to the tabs
joined (every PIECE_SECONDS) and may be lost. A stop, the trial's deadline or the answer closes the backend's stream,
which cancels the generation on the model.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from studies.assistant.types import Backend, BackendError, Done, Event, Piece, Queued
from studies.jobs.executor import on_database
from studies.runtime import backends, conversation, live, reply_rows
from studies.runtime.conversation import Conversation
from studies.runtime.models import Reply
from studies.runtime.reply_rows import Outcome

log = logging.getLogger(__name__)
PIECE_SECONDS = 0.05
HEARTBEAT_SECONDS = 1.0


@dataclass
class Running:
    """A reply under way in this process."""

    session_id: int
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


_running: dict[int, Running] = {}


def start(reply_id: int, session_id: int) -> None:
    """Begin the reply now; the caller has committed its row. Returns at once."""
    running = _running[reply_id] = Running(session_id)
    running.task = asyncio.create_task(_run_logged(reply_id, running), name=f"reply {reply_id}")
    running.task.add_done_callback(lambda _: _running.pop(reply_id, None))


def stop_all(session_id: int) -> None:
    """Stop the session's replies of this process at once; those of other processes see the row within a second."""
    for running in _running.values():
        if running.session_id == session_id:
            running.stop.set()


async def drain() -> None:
    """Stop everything and wait for the ends to be written; at the server's stop."""
    for running in list(_running.values()):
        running.stop.set()
    await asyncio.gather(*(running.task for running in list(_running.values()) if running.task))


async def _run_logged(reply_id: int, running: Running) -> None:
    try:
        await _run(reply_id, running)
    except Exception:
        log.exception("reply %s failed", reply_id)
        outcome = Outcome(Reply.State.FAILED, None, error_code="internal")
        await on_database(reply_rows.end, reply_id=reply_id, outcome=outcome, now=timezone.now())


async def _run(reply_id: int, running: Running) -> None:
    asked = await on_database(conversation.prepare, reply_id)
    backend = await backends.of(asked.assistant)
    if not await on_database(reply_rows.claim, reply_id=reply_id, now=timezone.now(), sent=asked.sent):
        await on_database(reply_rows.end_unclaimed, reply_id=reply_id, now=timezone.now())
        return
    outcome = await _Stream(asked, running, backend).outcome()
    await on_database(reply_rows.end, reply_id=reply_id, outcome=outcome, now=timezone.now())


class _Stream:
    """One stream from the backend to the row and the tabs."""

    def __init__(self, asked: Conversation, running: Running, backend: Backend) -> None:
        self.asked, self.running, self.backend = asked, running, backend
        self.group = live.session_group(asked.session_id)
        self.text, self.sent = "", 0
        self.first_piece_at: datetime | None = None
        self.done: Done | None = None

    async def outcome(self) -> Outcome:
        reader = asyncio.create_task(self._read())
        try:
            reason = await self._until_over(reader)
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
        await self._flush()
        error = reader.exception() if reader.done() and not reader.cancelled() else None
        if isinstance(error, BackendError):
            log.warning("reply %s: %s: %s", self.asked.reply_id, error.code, error.sentence)
            return self._ended(Reply.State.FAILED, error_code=error.code.value)
        if error is not None:
            log.error("reply %s failed", self.asked.reply_id, exc_info=error)
            return self._ended(Reply.State.FAILED, error_code="internal")
        if self.done is None:
            return self._ended(Reply.State.STOPPED, reason=reason)
        return self._ended(Reply.State.DONE, reason=self.done.reason.value)

    def _ended(self, state: str, *, reason: str = "", error_code: str = "") -> Outcome:
        details: dict[str, Any] = {"first_piece_at": self.first_piece_at}
        if self.done is not None:
            details |= {
                "model": self.done.model,
                "revision": self.done.revision,
                "queue_seconds": self.done.queue_seconds,
                "prompt_tokens": self.done.usage.prompt_tokens,
                "completion_tokens": self.done.usage.completion_tokens,
            }
        return Outcome(state, self.text, reason, error_code, details)

    async def _read(self) -> None:
        events: AsyncGenerator[Event, None] = self.backend.stream(self.asked.request)
        async with aclosing(events):
            async for event in events:
                match event:
                    case Queued(position=position):
                        await self._send({"kind": "reply_state", "state": "queued", "position": position})
                    case Piece(text=text):
                        self.first_piece_at = self.first_piece_at or timezone.now()
                        self.text += _storable(text)
                    case Done():
                        self.done = event

    async def _until_over(self, reader: asyncio.Task[None]) -> str:
        """Pass on pieces and beat until the reader ends (""), or somebody or the deadline ends it (why)."""
        next_beat = 0.0
        while not reader.done():
            await asyncio.wait({reader}, timeout=PIECE_SECONDS)
            await self._flush()
            if self.running.stop.is_set():
                return "stopped"
            if self.asked.deadline_at is not None and time.time() >= self.asked.deadline_at:
                return "time_up"
            if time.monotonic() >= next_beat:
                next_beat = time.monotonic() + HEARTBEAT_SECONDS
                if not await self._beat():
                    return "stopped"
        return ""

    async def _beat(self) -> bool:
        """Whether to go on; a beat that fails is tried again a second later."""
        try:
            return await on_database(
                reply_rows.heartbeat, reply_id=self.asked.reply_id, text=self.text, now=timezone.now()
            )
        except Exception:
            log.exception("heartbeat of reply %s failed; the next one tries again", self.asked.reply_id)
            return True

    async def _flush(self) -> None:
        piece, offset = self.text[self.sent :], self.sent
        if piece:
            self.sent = len(self.text)
            await self._send({"kind": "piece", "offset": offset, "text": piece})

    async def _send(self, frame: live.Frame) -> None:
        await live.send(self.group, {**frame, "reply": self.asked.item_id})


def _storable(text: str) -> str:
    """Without what no database stores: NUL, and half characters that a broken endpoint may send."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
