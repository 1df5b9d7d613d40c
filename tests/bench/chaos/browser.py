"""A browser's pages: cookies, forms, and the patience to try again while a server is away."""

import asyncio
import json
import random
import re
from collections.abc import Callable
from typing import Any

import httpx

from studies.management.bots import page
from studies.management.bots.page import Form, Page
from tests.bench.chaos.diary import Diary

_CLOCK = re.compile(r'<script id="page-clock" type="application/json">(.*?)</script>', re.S)


class Unknown(Exception):
    """A form went out and no answer came: it may have been taken or not."""


class Browser:
    """`url` picks a web process for each request, as a proxy in front would."""

    def __init__(self, *, url: Callable[[], str], diary: Diary, rng: random.Random) -> None:
        self.url, self.diary, self.rng = url, diary, rng
        self.http = httpx.AsyncClient(timeout=15, trust_env=False)
        self.html = ""

    async def close(self) -> None:
        await self.http.aclose()

    @property
    def cookie(self) -> str:
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.http.cookies.jar)

    async def get(self, path: str) -> Page:
        """The page at the path, tried until there is one."""
        while True:
            response = await self._try("GET", path)
            if response is None:
                await asyncio.sleep(self.rng.uniform(0.1, 0.6))
            elif response.is_redirect:
                path = response.headers["Location"]
            else:
                self.html = response.text
                return page.read(response.text)

    async def post(self, form: Form, path: str = "", **values: str) -> httpx.Response:
        """Send the form once; raises Unknown when nothing came back."""
        response = await self._try("POST", form.action or path, data={**form.hidden, **values})
        if response is None:
            raise Unknown
        return response

    async def _try(self, method: str, path: str, data: dict[str, str] | None = None) -> httpx.Response | None:
        try:
            response = await self.http.request(method, self.url() + path, data=data)
        except httpx.TransportError:
            return None
        if response.status_code >= 500:
            self.diary.note("status", status=response.status_code, path=path)
            return None
        return response

    def clock(self) -> dict[str, Any]:
        """The clock that the page was told: instants and grace in ms."""
        found = _CLOCK.search(self.html)
        if found is None:
            raise ValueError("the page has no clock")
        told: dict[str, Any] = json.loads(found[1])
        return told
