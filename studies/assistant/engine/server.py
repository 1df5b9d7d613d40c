"""A backend over HTTP, in OpenAI's form: chat completions with and without streaming, models; scores, health, metrics.

For loopback only: there are no keys. A client that hangs up cancels its request.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from studies.assistant.engine import metrics as numbers
from studies.assistant.engine import wire
from studies.assistant.engine.fields import refused
from studies.assistant.types import Backend, BackendError, Done, ErrorCode, Event, Piece, Queued

logger = logging.getLogger(__name__)
T = TypeVar("T")

MAX_BODY_BYTES = 8 * 1024 * 1024
SIGN_OF_LIFE_SECONDS = 5.0  # how often a stream that has no news says so, for a client to tell waiting from death

_Endpoint = Callable[[HttpRequest], Awaitable[Response]]


class _HungUp(Exception):
    """The client has gone; nobody reads what we would answer."""


def make_app(backend: Backend) -> Starlette:
    """The application. It does not close the backend: whoever made it does."""

    async def chat(http: HttpRequest) -> Response:
        health = await backend.health()
        body = await _body(http)
        request = wire.chat_request(body, health.model)
        is_streamed, with_usage = wire.wants_stream(body), wire.wants_usage(body)
        completion = wire.Completion(health)
        reply = _Reply(backend.stream(request))
        try:
            if not is_streamed:
                text, done = await _unless_hung_up(http, reply.whole())
                return JSONResponse(completion.whole(text, done))
            # What is refused before it begins is answered with its status; once a stream runs that is too late.
            first = await _unless_hung_up(http, reply.news(position=0))
        except BaseException:
            reply.cancel()
            raise
        return _Stream(reply, first, completion, with_usage=with_usage)

    async def score(http: HttpRequest) -> Response:
        body = await _body(http)
        request = wire.score_request(body, (await backend.health()).model)
        return JSONResponse(wire.scores_body(await _unless_hung_up(http, backend.score(request))))

    async def warm(http: HttpRequest) -> Response:
        body = await _body(http)
        turns = wire.turns(body, (await backend.health()).model)
        await _unless_hung_up(http, backend.warm(turns))
        return JSONResponse({"status": "ok"})

    async def metrics(http: HttpRequest) -> Response:
        return Response(numbers.text(await backend.health()), media_type=numbers.KIND)

    async def models(http: HttpRequest) -> Response:
        return JSONResponse(wire.models_body(await backend.health()))

    async def health(http: HttpRequest) -> Response:
        found = await backend.health()
        return JSONResponse(wire.health_body(found), status_code=200 if found.is_ok else 503)

    return Starlette(
        routes=[
            Route("/v1/chat/completions", _typed_errors(chat), methods=["POST"]),
            Route("/v1/score", _typed_errors(score), methods=["POST"]),
            Route("/v1/warm", _typed_errors(warm), methods=["POST"]),
            Route("/metrics", _typed_errors(metrics)),
            Route("/v1/models", _typed_errors(models)),
            Route("/health", _typed_errors(health)),
        ],
        # A page in a browser on this machine must not reach the engine under another name.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
    )


class _Reply:
    """A reply that is being generated in a task of its own, so that cancelling it needs no waiting anywhere."""

    def __init__(self, events: AsyncGenerator[Event, None]) -> None:
        self._heard: asyncio.Queue[Event | BackendError] = asyncio.Queue()
        self._task = asyncio.create_task(self._listen(events))

    async def next(self) -> Event:
        item = await self._heard.get()
        if isinstance(item, BackendError):
            raise item
        return item

    async def news(self, position: int) -> Event:
        """The next event, or a sign of life when it takes long: the position again, 0 while it is worked on."""
        try:
            return await asyncio.wait_for(self.next(), SIGN_OF_LIFE_SECONDS)
        except TimeoutError:
            return Queued(position)

    async def whole(self) -> tuple[str, Done]:
        text = ""
        while not isinstance(event := await self.next(), Done):
            text += event.text if isinstance(event, Piece) else ""
        return text, event

    def cancel(self) -> None:
        self._task.cancel()

    async def _listen(self, events: AsyncGenerator[Event, None]) -> None:
        try:
            async with aclosing(events):
                async for event in events:
                    self._heard.put_nowait(event)
        except BackendError as error:
            self._heard.put_nowait(error)
        except Exception as error:
            self._heard.put_nowait(_unexpected(error))


class _Stream(StreamingResponse):
    """Server-sent events: a chunk for each event, the usage, [DONE]; or an error, which ends the stream."""

    def __init__(self, reply: _Reply, first: Event, completion: wire.Completion, *, with_usage: bool) -> None:
        self._reply = reply
        chunks = self._chunks(first, completion, with_usage)
        super().__init__(chunks, media_type="text/event-stream", headers={"cache-control": "no-store"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._reply.cancel()

    async def _chunks(self, event: Event, completion: wire.Completion, with_usage: bool) -> AsyncIterator[bytes]:
        try:
            while not isinstance(event, Done):
                yield wire.sse(completion.chunk(event))
                event = await self._reply.news(event.position if isinstance(event, Queued) else 0)
            yield wire.sse(completion.chunk(event))
            if with_usage:
                yield wire.sse(completion.usage_chunk(event))
            yield wire.sse("[DONE]")
        except BackendError as error:
            yield wire.sse(wire.error_body(error))


def _typed_errors(endpoint: _Endpoint) -> _Endpoint:
    async def answer(http: HttpRequest) -> Response:
        try:
            return await endpoint(http)
        except (_HungUp, ClientDisconnect):  # the second: it was killed while it still sent its request
            return Response(status_code=499)
        except Exception as error:
            typed = error if isinstance(error, BackendError) else _unexpected(error)
            return JSONResponse(wire.error_body(typed), status_code=wire.status(typed))

    return answer


def _unexpected(error: Exception) -> BackendError:
    logger.error("a request failed", exc_info=error)
    return BackendError(ErrorCode.INTERNAL, f"the engine failed: {type(error).__name__}")


async def _body(http: HttpRequest) -> dict[str, Any]:
    # A page of another origin may not send this content type without asking first, and it would be refused.
    if http.headers.get("content-type", "").split(";")[0].strip() != "application/json":
        raise refused("content-type: use application/json")
    raw = bytearray()
    async for part in http.stream():
        raw += part
        if len(raw) > MAX_BODY_BYTES:
            raise BackendError(ErrorCode.CAPACITY, f"the request is larger than {MAX_BODY_BYTES} bytes")
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise refused("the body is not JSON") from error
    except RecursionError as error:
        raise refused("the body is nested too deeply: use a few levels") from error
    if not isinstance(body, dict):
        raise refused("the body must be a JSON object")
    return body


async def _unless_hung_up(http: HttpRequest, work: Coroutine[Any, Any, T]) -> T:
    """The result of the work, which is cancelled when the client goes away first."""
    working = asyncio.create_task(work)
    gone = asyncio.create_task(_gone(http))
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise _HungUp
        return working.result()
    finally:
        working.cancel()
        gone.cancel()


async def _gone(http: HttpRequest) -> None:
    while (await http.receive())["type"] != "http.disconnect":
        pass
