"""Run one assistant reply in a task of its own, outside any socket: it goes on while the person's tab is away.

The row is the truth: the text so far and a heartbeat are written once a second, the end once. Pieces go to the tabs
joined (every PIECE_SECONDS) and may be lost. A stop, the trial's deadline or the answer closes the backend's stream,
which cancels the generation on the model.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ParamSpec, TypeVar

from django.conf import settings
from django.utils import timezone

from studies.assistant.types import Backend, BackendError, Done, ErrorCode, Event, Piece, Queued
from studies.jobs.executor import on_database
from studies.jobs.outage import is_outage
from studies.runtime import backends, conversation, live, reply_rows
from studies.runtime.conversation import Conversation
from studies.runtime.models import Reply
from studies.runtime.reply_rows import Outcome

log = logging.getLogger(__name__)
PIECE_SECONDS = 0.05
HEARTBEAT_SECONDS = 1.0
RETRY_SECONDS = 0.5
P = ParamSpec("P")
R = TypeVar("R")


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
    except Exception as error:
        if is_outage(error):
            log.warning("reply %s left to the sweep: %s", reply_id, type(error).__name__)
            return
        log.exception("reply %s failed", reply_id)
        code = error.code if isinstance(error, BackendError) else ErrorCode.INTERNAL
        outcome = Outcome(Reply.State.FAILED, None, error_code=code.value)
        await on_database(reply_rows.end, reply_id=reply_id, outcome=outcome, now=timezone.now())


async def _run(reply_id: int, running: Running) -> None:
    asked = await _patiently(conversation.prepare, reply_id)
    backend = await backends.of(asked.assistant)
    if not await _patiently(reply_rows.claim, reply_id=reply_id, now=timezone.now(), sent=asked.sent):
        await _patiently(reply_rows.end_unclaimed, reply_id=reply_id, now=timezone.now())
        return
    outcome = await _Stream(asked, running, backend).outcome()
    await _patiently(reply_rows.end, reply_id=reply_id, outcome=outcome, now=timezone.now())


async def _patiently(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Try again while the database is away, until the reply is so old that the sweep fails it. Raises the last error.

    So a reply that was read on the screen is stored as it was read.
    """
    until = time.monotonic() + settings.REPLY_STALE_SECONDS
    while True:
        try:
            return await on_database(function, *args, **kwargs)
        except Exception as error:
            if not is_outage(error) or time.monotonic() > until:
                raise
            log.warning("a reply's row waits for the database: %s", type(error).__name__)
        await asyncio.sleep(RETRY_SECONDS)


class _Stream:
    """One stream from the backend to the row and the tabs."""

    def __init__(self, asked: Conversation, running: Running, backend: Backend) -> None:
        self.asked, self.running, self.backend = asked, running, backend
        self.group = live.session_group(asked.session_id)
        self.deadline_at = asked.deadline_at
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
                **_fitting(model=self.done.model, revision=self.done.revision, dtype=self.done.dtype),
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
            if time.monotonic() >= next_beat:
                next_beat = time.monotonic() + HEARTBEAT_SECONDS
                if not await self._beat():
                    return "stopped"
            if self._is_time_up():
                if not await self._beat():
                    return "stopped"
                if self._is_time_up():  # still: no pause and no outage has moved the deadline since the last beat
                    return "time_up"
        return ""

    def _is_time_up(self) -> bool:
        return self.deadline_at is not None and time.time() >= self.deadline_at.timestamp()

    async def _beat(self) -> bool:
        """Whether to go on; a beat that fails is tried again a second later."""
        try:
            beat = await on_database(
                reply_rows.heartbeat, reply_id=self.asked.reply_id, text=self.text, now=timezone.now()
            )
        except Exception as error:
            if not is_outage(error):
                log.exception("heartbeat of reply %s failed; the next one tries again", self.asked.reply_id)
            return True
        self.deadline_at = beat.deadline_at
        return beat.goes_on

    async def _flush(self) -> None:
        piece, offset = self.text[self.sent :], self.sent
        if piece:
            self.sent = len(self.text)
            await self._send({"kind": "piece", "offset": offset, "text": piece})

    async def _send(self, frame: live.Frame) -> None:
        await live.send_if_possible(self.group, {**frame, "reply": self.asked.item_id})


def _fitting(**names: str) -> dict[str, str]:
    """An endpoint may call itself by names of any length: cut to the columns, so that the reply's end is written."""
    widths = {column.name: column.max_length for column in Reply._meta.fields}
    return {column: _storable(name)[: widths[column]] for column, name in names.items()}


def _storable(text: str) -> str:
    """Without what no database stores: NUL, and half characters that a broken endpoint may send."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
