"""Honest sessions: five people who take the whole study while others attack, and write down what they were told."""

import asyncio
import json
import random
import time
import uuid
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from studies.management.bots import page as pages
from studies.management.bots.page import Page
from studies.participant import cookies
from tests.bench.fuzz.hostile import RIGHT, Target

PATIENCE_SECONDS = 30.0
SAID = {"item-trust": "3", "item-used-before": "", "item-comments": "Nothing."}  # to tests.small_study.SURVEY
SCALE = (0.25, 0.42, 0.6, 0.8, 1.0)


class Disturbed(Exception):
    """The server did something to an honest person that it should not have."""


@dataclass
class Diary:
    """What one honest person was told. `answers` and `messages` by position, `drafts` the last acknowledged one."""

    token: str = ""
    code: str = ""
    answers: dict[int, tuple[int, float]] = field(default_factory=dict)
    drafts: dict[int, tuple[int, float]] = field(default_factory=dict)
    messages: dict[int, list[str]] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    page_seconds: list[float] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Honest:
    """One honest person with pages and a socket; each trial is held open until its share of the fuzz is over."""

    def __init__(self, target: Target, seed: int) -> None:
        self.target, self.rng, self.diary = target, random.Random(seed), Diary()
        self.http = httpx.AsyncClient(base_url=target.url, follow_redirects=True, timeout=PATIENCE_SECONDS)
        self.writer, self.number, self.seq = str(uuid.UUID(int=self.rng.getrandbits(128))), 0, 0
        self.socket: ClientConnection

    async def run(self, trials: int) -> Diary:
        async with self.http:
            shown = await self.get(self.target.join)
            shown = await self.post(shown.forms[0], self.target.join, consent="yes")
            shown = await self.post(_form(shown, "/session/begin/"))
            checks = _form(shown, "/session/check/")
            self.diary.commands.append(checks.hidden["command_id"])
            shown = await self.post(checks, **RIGHT)
            self.diary.token = self.http.cookies[cookies.NAME]
            async with connect(
                f"ws://127.0.0.1:{self.target.port}/ws/session/",
                origin=Origin(self.target.url),
                additional_headers={"Cookie": f"{cookies.NAME}={self.diary.token}"},
                open_timeout=PATIENCE_SECONDS,
                ping_interval=None,
            ) as self.socket:
                await self.say("hello", last_seq=0, awaits="snapshot")
                for position in range(1, trials + 1):
                    shown = await self.post(_form(shown, "/session/open/"))
                    await self.think(shown, position, until=position / trials)
                    await self.answer(shown, position)
                    shown = await self.get("/session/")
                shown = await self.post(_form(shown, "/session/finish/"))
                shown = await self.post(_form(shown, "/session/survey/"), **SAID)
                self.diary.code = shown.code.strip()
        return self.diary

    async def think(self, shown: Page, position: int, until: float) -> None:
        """Draft, ask, look away and make mistakes, as long as the fuzz is not that far."""
        is_first = True
        while is_first or self.target.record.share < until:
            is_first = False
            deed = self.rng.random()
            if deed < 0.5:
                await self.draft(position)
            elif deed < 0.6:
                await self.command("event", type="blur", counts={"n": 1})
            elif deed < 0.7 and "chat" in shown.ids:
                await self.ask(position)
            elif deed < 0.75:
                await self.command("draft", position=position, option=9, confidence=None, expects="option_unknown")
            elif deed < 0.8:
                await self.command("submit", position=position + 1, option=1, confidence=0.6, expects="wrong_question")
            elif deed < 0.85:
                await self.say("ping", at=1.5, awaits="pong")
            else:
                await self.get("/session/")
            await asyncio.sleep(self.rng.uniform(0.1, 0.6))

    async def draft(self, position: int) -> None:
        option, confidence = self.rng.randrange(4), self.rng.choice(SCALE)
        self.number += 1
        mark = {"writer": self.writer, "number": self.number, "base": self.seq}
        await self.command("draft", position=position, option=option, confidence=confidence, **mark)
        self.diary.drafts[position] = (option, confidence)

    async def ask(self, position: int) -> None:
        """Send a message and wait for the whole reply."""
        text = f"Why not {self.rng.randrange(10**6)}?"
        await self.command("message", position=position, text=text)
        self.diary.messages.setdefault(position, []).append(text)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                frame = await self.next()
                ended = [item for item in frame.get("items", ()) if item["kind"] == "reply" and item["html"]]
                if frame["kind"] == "event" and ended:
                    if ended[-1]["state"] != "done":
                        raise Disturbed(f"a reply {ended[-1]['state']}: {ended[-1]['failure']}")
                    return

    async def answer(self, shown: Page, position: int) -> None:
        """By the socket or, now and then, by an ordinary form."""
        option, confidence = self.rng.randrange(4), self.rng.choice(SCALE)
        if self.rng.random() < 0.3:
            form = _form(shown, "/session/answer/")
            self.diary.commands.append(form.hidden["command_id"])
            await self.post(form, option=str(option), confidence=str(confidence))
        else:
            await self.command("submit", position=position, option=option, confidence=confidence)
        self.diary.answers[position] = (option, confidence)

    async def command(self, kind: str, expects: str = "ack", **given: Any) -> None:
        """Send a command; it must be acknowledged, or refused with the code that is expected."""
        own = str(uuid.uuid4())
        self.diary.commands.append(own)
        self.target.honest_ids.append(own)
        started = time.monotonic()
        await self.socket.send(json.dumps({"kind": kind, "id": own, "at": time.time() * 1000, **given}))
        async with asyncio.timeout(PATIENCE_SECONDS):
            frame = await self.next()
            while frame.get("id") != own:
                frame = await self.next()
        self.diary.seconds.append(time.monotonic() - started)
        told = "ack" if frame["kind"] == "ack" else frame["code"]
        if told != expects:
            raise Disturbed(f"{kind} was answered with {told}, not {expects}")

    async def say(self, kind: str, *, awaits: str, **given: Any) -> None:
        await self.socket.send(json.dumps({"kind": kind, **given}))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (await self.next())["kind"] != awaits:
                pass

    async def next(self) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(await self.socket.recv())
        if frame["kind"] == "event" and frame["after"] != self.seq:
            raise Disturbed(f"an event follows {frame['after']}, this tab knows {self.seq}")
        self.seq = frame.get("seq", self.seq)
        return frame

    async def get(self, path: str) -> Page:
        return await self._shown(self.http.get(path))

    async def post(self, form: pages.Form, path: str = "", **given: str) -> Page:
        return await self._shown(self.http.post(form.action or path, data={**form.hidden, **given}))

    async def _shown(self, asked: Any) -> Page:
        started = time.monotonic()
        response = await asked
        self.diary.page_seconds.append(time.monotonic() - started)
        if response.status_code != 200:
            raise Disturbed(f"{response.request.url.path} answered {response.status_code}")
        return pages.read(response.text)


def _form(shown: Page, ending: str) -> pages.Form:
    found = shown.form(ending)
    if found is None:
        raise Disturbed(f"a page without the form {ending}")
    return found
