"""A participant without a browser: the real pages through Django's client and the real socket, recording every byte."""

import json
import uuid
from typing import Any

from channels.testing import WebsocketCommunicator
from django.test import AsyncClient

from oversight.asgi import application
from studies.management.bots import page as pages
from studies.management.bots.page import Page
from studies.participant import cookies

ORIGIN = b"http://localhost"


class Visitor:
    """Goes through a study; `received` holds the bytes of every page and frame in order."""

    def __init__(self, join_path: str) -> None:
        self.client, self.join_path = AsyncClient(enforce_csrf_checks=True, HTTP_HOST="localhost"), join_path
        self.received: list[str] = []
        self.status = 0
        self.socket: WebsocketCommunicator | None = None

    async def get(self, path: str) -> Page:
        return await self._shown(await self.client.get(path))

    async def post(self, path: str, form: pages.Form, **values: object) -> Page:
        data = {**form.hidden, **{key: str(value) for key, value in values.items()}}
        return await self._shown(await self.client.post(form.action or path, data))

    async def _shown(self, response: Any) -> Page:
        while response.status_code in (301, 302):
            response = await self.client.get(response["Location"])
        self.status = response.status_code
        text = response.content.decode()
        self.received.append(text)
        return pages.read(text)

    async def join(self) -> Page:
        """Consent; the instructions are shown."""
        shown = await self.get(self.join_path)
        return await self.post(self.join_path, shown.forms[0], consent="yes")

    async def begin(self) -> Page:
        """Consent and instructions; the page before the first question is shown."""
        shown = await self.join()
        return await self.post("", _form(shown, "/session/begin/"))

    async def open_next(self, shown: Page) -> Page:
        return await self.post("", _form(shown, "/session/open/"))

    async def answer(self, shown: Page, option: int = 1, confidence: float = 0.6) -> Page:
        """An ordinary form post, as without JavaScript."""
        return await self.post("", _form(shown, "/session/answer/"), option=option, confidence=confidence)

    async def connect(self) -> dict[str, Any]:
        """Open the socket as a browser would; returns the snapshot."""
        token = self.client.cookies[cookies.NAME].value
        headers = [(b"cookie", f"{cookies.NAME}={token}".encode()), (b"origin", ORIGIN), (b"host", b"localhost")]
        self.socket = WebsocketCommunicator(application, "/ws/session/", headers=headers)
        connected, _ = await self.socket.connect(timeout=3)
        assert connected
        await self.send(kind="hello", last_seq=0)
        return await self.hear("snapshot")

    async def send(self, **frame: Any) -> None:
        assert self.socket is not None
        await self.socket.send_to(text_data=json.dumps(frame))

    async def hear(self, *kinds: str) -> dict[str, Any]:
        """The next frame of one of these kinds; all frames are recorded."""
        assert self.socket is not None
        while True:
            raw = await self.socket.receive_from(timeout=5)
            self.received.append(raw)
            frame: dict[str, Any] = json.loads(raw)
            if frame["kind"] in kinds:
                return frame

    async def command(self, kind: str, **values: Any) -> dict[str, Any]:
        """Send a command; returns its ack or refusal."""
        own = values.pop("id", str(uuid.uuid4()))
        await self.send(kind=kind, id=own, **values)
        while True:
            frame = await self.hear("ack", "refused")
            if frame["id"] == own:
                return frame

    async def settled(self, kind: str, **values: Any) -> None:
        """Send a command and hear both its acknowledgement and its event, recorded in an order that never varies."""
        start = len(self.received)
        await self.send(kind=kind, id=str(uuid.uuid4()), **values)
        awaited = {"ack", "event"}
        while awaited:
            awaited.discard((await self.hear("ack", "event"))["kind"])
        self.received[start:] = sorted(self.received[start:])

    async def leave(self) -> None:
        if self.socket is not None:
            await self.socket.disconnect(timeout=3)
            self.socket = None


def _form(shown: Page, ending: str) -> pages.Form:
    form = shown.form(ending)
    assert form is not None, f"no form that posts to {ending}; the page says {shown.texts}"
    return form
