"""One bot's session: consent, instructions, every trial with its chat, the survey, the completion code."""

import asyncio
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from studies.management.bots import mind, page
from studies.management.bots.mind import Mind
from studies.management.bots.page import Page

MESSAGE = "Which option is right, and why?\n\n{question}\n{options}"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class BotStuck(Exception):
    """The server did something that a person could not go on from."""


class NoReply(BotStuck):
    """The server is there, and the assistant gave no whole reply."""


@dataclass(frozen=True)
class Part:
    """What one bot is to do. `keys` maps (question, options) to the key, which the page does not say.

    `checks` holds the right option (0-based) of each check question after the instructions, in the page's order.
    """

    url: str
    join_path: str
    slot: int
    mind: Mind
    keys: dict[tuple[str, tuple[str, ...]], int]
    checks: tuple[int, ...] = ()
    patience_seconds: float = 60.0


class Socket:
    """The session's socket: commands that wait for their acknowledgement, and the end of a reply."""

    def __init__(self, connection: ClientConnection, patience_seconds: float) -> None:
        self.connection, self.patience = connection, patience_seconds

    async def command(self, kind: str, **values: Any) -> None:
        own = str(uuid.uuid4())
        await self.connection.send(json.dumps({"kind": kind, "id": own, **values}))
        await self.until(lambda frame: frame["kind"] == "ack" and frame["id"] == own)

    async def until(self, is_it: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first frame of that kind; a refusal or too long a silence is an error."""
        async with asyncio.timeout(self.patience):
            while True:
                frame: dict[str, Any] = json.loads(await self.connection.recv())
                if is_it(frame):
                    return frame
                if frame["kind"] == "refused":
                    raise BotStuck(f"refused: {frame['code']}: {frame['sentence']}")

    async def ask(self, text: str, position: int) -> str:
        """Send a message and return the assistant's whole reply."""
        await self.connection.send(
            json.dumps({"kind": "message", "id": str(uuid.uuid4()), "position": position, "text": text})
        )
        frame = await self.until(lambda frame: frame["kind"] == "event" and bool(_ended(frame)))
        reply = _ended(frame)[-1]
        if reply["state"] != "done":
            raise NoReply(f"the assistant's reply {reply['state']}: {reply['failure']}")
        return str(reply["text"])


def _ended(frame: dict[str, Any]) -> list[dict[str, Any]]:
    over = ("done", "failed", "stopped")
    return [item for item in frame["items"] if item["kind"] == "reply" and item["state"] in over]


class Bot:
    """A browser of its own: cookies, pages, socket."""

    def __init__(self, part: Part, trial_done: Callable[[], None] = lambda: None) -> None:
        self.part, self.trial_done = part, trial_done
        self.http = httpx.AsyncClient(base_url=part.url, follow_redirects=True, timeout=part.patience_seconds)

    async def __aenter__(self) -> "Bot":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.aclose()

    async def get(self, path: str) -> Page:
        return self._read(await self.http.get(path))

    async def post(self, form: page.Form, path: str, **values: str) -> Page:
        return self._read(await self.http.post(form.action or path, data={**form.hidden, **values}))

    def _read(self, response: httpx.Response) -> Page:
        if response.status_code != 200:
            errors = page.read(response.text).texts.get("error", [])
            raise BotStuck(
                f"{response.request.url.path} answered {response.status_code}: {' '.join(errors)}".strip(": ")
            )
        return page.read(response.text)

    async def run(self) -> str:
        """Take the whole session; returns the completion code."""
        shown = await self.get(self.part.join_path)
        shown = await self.post(shown.forms[0], self.part.join_path, consent="yes")
        begin = shown.form("/session/begin/")
        if begin is not None:
            shown = await self.post(begin, "")
        check = shown.form("/session/check/")
        if check is not None:
            right = {f"check-{number}": str(option) for number, option in enumerate(self.part.checks, start=1)}
            shown = await self.post(check, "", **right)
        address = self.part.url.replace("http", "ws", 1) + "/ws/session/"
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.http.cookies.jar)
        async with connect(address, origin=Origin(self.part.url), additional_headers={"Cookie": cookies}) as connection:
            socket = Socket(connection, self.part.patience_seconds)
            while (following := shown.form("/session/open/")) is not None or shown.form("/session/answer/"):
                if following is not None:
                    shown = await self.post(following, "")
                await self.answer(shown, socket)
                self.trial_done()
                shown = await self.get("/session/")
        finish = shown.form("/session/finish/")
        if finish is None:
            raise BotStuck("no page to finish the session on")
        shown = await self.post(finish, "")
        survey = shown.form("/session/survey/")
        if survey is not None:
            filled = mind.fill(self.part.mind, slot=self.part.slot, choices=shown.choices, areas=shown.areas)
            shown = await self.post(survey, "", **filled)
        if not shown.code:
            raise BotStuck("no completion code at the end")
        return shown.code.strip()

    async def answer(self, shown: Page, socket: Socket) -> None:
        form = shown.form("/session/answer/")
        if form is None:
            raise BotStuck("the question did not open")
        position, options = int(form.hidden["position"]), shown.options
        reply = None
        if "chat" in shown.ids:
            listed = "\n".join(f"({letter}) {option}" for letter, option in zip(LETTERS, options, strict=False))
            reply = await socket.ask(MESSAGE.format(question=shown.question, options=listed), position)
        decision = mind.decide(
            self.part.mind,
            slot=self.part.slot,
            question=shown.question,
            options=options,
            key=self.part.keys[shown.question, tuple(options)],
            scale=shown.scale,
            reply=reply,
        )
        choice = {"position": position, "option": decision.option, "confidence": decision.confidence}
        await socket.command("draft", **choice)
        await socket.command("submit", **choice)
