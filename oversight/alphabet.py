"""Requests in UTF-8 alone: a client that names another alphabet could make texts that no database can store."""

import codecs
from collections.abc import Awaitable, Callable

from asgiref.sync import markcoroutinefunction
from django.http import HttpRequest, HttpResponseBadRequest, HttpResponseBase

ALLOWED = frozenset({"utf-8", "ascii"})  # as codecs name them


class OnlyUtf8:
    """Refuses a request whose Content-Type names another charset; pages of this server send none."""

    async_capable = True
    sync_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], Awaitable[HttpResponseBase]]) -> None:
        self.get_response = get_response
        markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.encoding and codecs.lookup(request.encoding).name not in ALLOWED:
            return HttpResponseBadRequest("This request cannot be read.\n", content_type="text/plain")
        return await self.get_response(request)


only_utf8 = OnlyUtf8
