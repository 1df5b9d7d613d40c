"""While the database is away, pages say so kindly and ask the browser to come again; nothing is a bare 500."""

import logging
from collections.abc import Awaitable, Callable

from asgiref.sync import markcoroutinefunction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string

from studies.jobs.outage import is_outage

log = logging.getLogger(__name__)
RETRY_SECONDS = 3


class OutagePage:
    """Turns an outage in a view into a 503 with Retry-After; a page that was only looked at loads again by itself."""

    async_capable = True
    sync_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], Awaitable[HttpResponseBase]]) -> None:
        self.get_response = get_response
        markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return await self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not is_outage(error):
            return None
        log.warning("%s answered 503: %s", request.path, type(error.__cause__ or error).__name__)
        is_reading = request.method in ("GET", "HEAD")
        page = render_to_string("away.html", {"is_reading": is_reading})
        response = HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_SECONDS)})
        response.headers["Cache-Control"] = "no-store"
        if is_reading:
            response.headers["Refresh"] = str(RETRY_SECONDS)
        return response
