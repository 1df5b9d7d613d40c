"""A reply that one web process runs is shown by another one, and can be asked again there when the first one dies."""

import asyncio
import json
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from studies.management.bots import page as pages
from tests import services
from tests.bench.chaos import setups
from tests.bench.chaos.setups import Setup

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not settings.REDIS_URL, reason="two web processes need Redis: python -m tests.scaled runs this"),
    pytest.mark.timeout(180),
]


@pytest.fixture
def setup() -> Iterator[Setup]:
    """In a folder that PostgreSQL's own user may enter, which pytest's is not."""
    with tempfile.TemporaryDirectory(prefix="oversight-two-") as folder:
        try:
            made = setups.scaled(Path(folder), None)
        except services.Missing as why:
            services.skip_or_fail("postgres", why)
        yield made
        made.stop()


async def open_chat(url: str, join: str) -> tuple[str, int]:
    """Go to the first question with a chat; returns the cookie and the question's position."""
    async with httpx.AsyncClient(base_url=url, follow_redirects=True, timeout=30) as http:
        shown = pages.read((await http.get(join)).text)
        shown = pages.read((await http.post(join, data={**shown.forms[0].hidden, "consent": "yes"})).text)
        while "chat" not in shown.ids:
            form = shown.form("/session/begin/") or shown.form("/session/open/") or shown.form("/session/answer/")
            assert form is not None
            shown = pages.read(
                (await http.post(form.action, data={**form.hidden, "option": "0", "confidence": "0.6"})).text
            )
        form = shown.form("/session/answer/")
        assert form is not None
        return "; ".join(f"{each.name}={each.value}" for each in http.cookies.jar), int(form.hidden["position"])


class Tab:
    """A socket and the last reply that its person sees."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket, self.text, self.state = socket, "", ""

    async def say(self, kind: str, **values: Any) -> None:
        await self.socket.send(json.dumps({"kind": kind, "id": str(uuid.uuid4()), **values}))

    async def see(self, is_so: Any, seconds: float = 20) -> None:
        async with asyncio.timeout(seconds):
            while not is_so(self):
                frame = json.loads(await self.socket.recv())
                assert frame["kind"] != "refused", frame
                if frame["kind"] == "piece":
                    assert frame["offset"] <= len(self.text)
                    self.text = self.text[: frame["offset"]] + frame["text"]
                for item in frame.get("items", []):
                    if item["kind"] == "reply":
                        self.text, self.state = max(item["text"], self.text, key=len), item["state"]


def tab_at(url: str, cookie: str) -> Any:
    return connect(
        url.replace("http", "ws") + "/ws/session/", origin=Origin(url), additional_headers={"Cookie": cookie}
    )


async def test_another_web_process_shows_a_reply_and_outlives_the_one_that_ran_it(setup: Setup) -> None:
    study = await asyncio.to_thread(
        setup.server.make_small_study, study__name="two", assistants__helper__words_per_second=3
    )
    one, other = setup.web
    cookie, position = await open_chat(one.url, study["join"])
    async with tab_at(one.url, cookie) as first, tab_at(other.url, cookie) as second:
        here, there = Tab(first), Tab(second)
        await here.say("hello")
        await here.say("message", position=position, text="Tell me everything, at length.")
        await here.see(lambda tab: len(tab.text.split()) >= 6)
        await there.say("hello")  # comes to another process in the middle of the reply
        await there.see(lambda tab: len(tab.text.split()) >= 3)
        so_far = there.text
        await there.see(lambda tab: len(tab.text.split()) >= len(so_far.split()) + 4)
        assert there.text.startswith(so_far)
        await asyncio.sleep(1.2)  # the row's text is at most a second behind
        one.kill()
        await there.see(lambda tab: tab.state == "failed")
        assert len(there.text.split()) >= 6
        kept = there.text
        await there.say("retry", position=position, reply="r1.1")
        there.text = ""
        await there.see(lambda tab: tab.state in ("queued", "streaming") and len(tab.text.split()) >= 3)
        assert kept
        await there.say("stop", position=position, reply="r1.2")
        await there.see(lambda tab: tab.state == "stopped")
