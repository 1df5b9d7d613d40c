"""One browser tab's socket, as static/js/socket.js and outbox.js have it: what is not acknowledged is sent again."""

import asyncio
import json
import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Origin

from tests.bench.chaos.diary import Diary

FIRST_WAIT, LONGEST_WAIT = 0.2, 2.0
ANSWER_WITHIN = 5.0
PING_SECONDS = 5.0
OVER = ("done", "failed", "stopped")
Frame = dict[str, Any]


@dataclass
class Store:
    """A browser's local storage: its name, a count over all its tabs, and what is not acknowledged yet."""

    writer: str
    number: int = 0
    outbox: dict[str, Frame] = field(default_factory=dict)

    def forget_others(self, position: int) -> None:
        self.outbox = {own: frame for own, frame in self.outbox.items() if frame.get("position") == position}


class Tab:
    """A tab begins with what waits in its browser's store. `url` picks a web process for each connection."""

    def __init__(
        self, *, name: str, entry: str, store: Store, url: Callable[[], str], cookie: str, diary: Diary, seed: str
    ) -> None:
        self.name, self.entry, self.store, self.url, self.cookie, self.diary = name, entry, store, url, cookie, diary
        self.rng = random.Random(seed)
        self.waiting = dict(store.outbox)
        self.state: Frame = {"seq": -1, "page": None, "chat": None, "items": []}
        self.connection: ClientConnection | None = None
        self.is_ready = False
        self.answers: dict[str, str] = {}
        self._heard_at = self._asked_at = 0.0
        self._task = asyncio.create_task(self._live(), name=f"tab {name}")

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def cut(self) -> None:
        """The network goes away without a word."""
        if self.connection is not None:
            self.connection.transport.abort()

    async def command(self, kind: str, **values: Any) -> str:
        """Something that is kept and sent again until it is acknowledged or refused. Returns its id."""
        if kind == "draft":
            values |= {"writer": self.store.writer, "base": max(0, self.state["seq"])}
            for old in [each for each in self.waiting.values() if each["kind"] == "draft"]:
                self._forget(old["id"])
        frame = self._made(kind, values)
        self.waiting[frame["id"]] = self.store.outbox[frame["id"]] = frame
        self._asked_at = time.monotonic()
        if self.is_ready:
            await self._say(frame)
        return str(frame["id"])

    async def mention(self, kind: str, **values: Any) -> str:
        """Something that is sent once; nobody misses it when it is lost."""
        frame = self._made(kind, values)
        await self._say(frame)
        return str(frame["id"])

    async def settled(self, own: str, seconds: float) -> str:
        """Wait for the server's word: `ack`, the code of a refusal, or `` when there was none in that time."""
        until = time.monotonic() + seconds
        while own not in self.answers and time.monotonic() < until:
            await asyncio.sleep(0.03)
        return self.answers.get(own, "")

    @property
    def reply(self) -> Frame | None:
        """The last reply on the screen."""
        return next((item for item in reversed(self.state["items"]) if item["kind"] == "reply"), None)

    def is_over(self, position: int) -> bool:
        """Whether the server has told that the question is no longer open."""
        page = self.state["page"]
        return page is not None and (page["position"] != position or page["trial"] != "open")

    def _made(self, kind: str, values: Frame) -> Frame:
        self.store.number += 1
        own, now = str(uuid.uuid4()), round(time.time() * 1000)
        frame = {"kind": kind, "id": own, "at": now, "number": self.store.number, **values}
        about = {key: value for key, value in frame.items() if key not in ("at", "writer", "base", "reply")}
        self.diary.note("make", entry=self.entry, tab=self.name, writer=self.store.writer, **about)
        return frame

    async def _live(self) -> None:
        wait = FIRST_WAIT
        while True:
            address = self.url()
            try:
                async with connect(
                    address.replace("http", "ws", 1) + "/ws/session/",
                    origin=Origin(address),
                    additional_headers={"Cookie": self.cookie},
                    open_timeout=5,
                    close_timeout=0.3,
                    ping_interval=None,
                ) as self.connection:
                    await self._say({"kind": "hello", "last_seq": max(0, self.state["seq"])})
                    await self._listen(self.connection)
            except (OSError, WebSocketException, TimeoutError, EOFError):
                self.diary.note("cut", tab=self.name)
            finally:
                wait = FIRST_WAIT if self.is_ready else min(LONGEST_WAIT, wait * 2)
                self.connection, self.is_ready = None, False
            await asyncio.sleep(wait * self.rng.uniform(0.5, 1.5))

    async def _listen(self, connection: ClientConnection) -> None:
        """Take frames until the connection breaks, or looks dead because nothing answers."""
        self._heard_at = pinged_at = time.monotonic()
        while True:
            try:
                async with asyncio.timeout(0.5):
                    raw = await connection.recv()
            except TimeoutError:
                raw = None
            now = time.monotonic()
            if raw is not None:
                self._heard_at = now
                await self._receive(json.loads(raw))
            if self.waiting and now - max(self._asked_at, self._heard_at) > ANSWER_WITHIN:
                return
            if now - pinged_at > PING_SECONDS:
                pinged_at = now
                await self._say({"kind": "ping", "at": now, "seq": max(0, self.state["seq"])})

    async def _receive(self, frame: Frame) -> None:
        match frame["kind"]:
            case "ack":
                self._answered(frame["id"], "ack")
            case "refused" if frame["code"] == "internal":
                self.diary.note("troubled", id=frame["id"])
                await asyncio.sleep(self.rng.uniform(0.2, 1))
                if self.connection is not None:
                    await self.connection.close()
            case "refused":
                self._answered(frame["id"], frame["code"])
            case "snapshot":
                self.state = frame
                if not self.is_ready:
                    self.is_ready = True
                    for waiting in list(self.waiting.values()):
                        await self._say(waiting)
                    self._asked_at = time.monotonic()
            case "event" if frame["seq"] > self.state["seq"]:
                if frame["after"] != self.state["seq"]:
                    await self._say({"kind": "resync"})
                    return
                turns = {item["id"]: item for item in frame["set"].get("items", self.state["items"])}
                turns.update({item["id"]: item for item in frame["items"]})
                self.state = {**self.state, **frame["set"], "seq": frame["seq"], "items": list(turns.values())}

    def _answered(self, own: str, word: str) -> None:
        if word == "ack":
            self.diary.note("ack", id=own)
        else:
            self.diary.note("refused", id=own, code=word)
        self.answers[own] = word
        self._forget(own)

    def _forget(self, own: str) -> None:
        self.waiting.pop(own, None)
        self.store.outbox.pop(own, None)

    async def _say(self, frame: Frame) -> None:
        if self.connection is None:
            return
        if "id" in frame:
            self.diary.note("send", id=frame["id"])
        try:
            await self.connection.send(json.dumps(frame))
        except (OSError, WebSocketException):
            return  # the reader notices too, and what waits in the outbox goes out again
