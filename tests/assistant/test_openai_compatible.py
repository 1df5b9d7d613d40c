"""Endpoints that are strange, slow, broken or gone: every one gives a typed error or a whole reply, and never hangs."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from studies.assistant.engine.serve import bind
from studies.assistant.openai_compatible import OpenAICompatibleBackend, with_path
from studies.assistant.probe import probe
from studies.assistant.types import BackendError, Done, ErrorCode, FinishReason, Request, ScoreRequest, Turn, Usage
from studies.assistant.waiting import Timeouts
from tests.assistant.http_server import serving
from tests.assistant.streams import collect, done, pieces, places, text

KEY = "sk-very-secret"
REQUEST = Request((Turn("user", "Which?"),), max_tokens=50)
asked: list[dict[str, Any]] = []


def chunk(content: str | None = None, *, finish: str | None = None, **extra: Any) -> bytes:
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish}
    return sse({"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice], **extra})


def sse(data: Any) -> bytes:
    return f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n".encode()


def usage() -> bytes:
    counts = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    return sse(
        {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [], "usage": counts}
    )


async def slowly(*parts: bytes, gap: float = 0.0, stay: float = 0.0) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
        await asyncio.sleep(gap)
    await asyncio.sleep(stay)


# The path's first part chooses how the endpoint behaves.
STREAMS: dict[str, list[bytes]] = {
    "good": [chunk(""), chunk("Hel"), chunk("lo"), chunk(finish="stop"), usage(), sse("[DONE]")],
    "no-usage": [chunk("Hello"), chunk(finish="stop"), sse("[DONE]")],
    "no-done-mark": [chunk("Hello"), chunk(finish="length")],
    "comments": [b": ping\n\n", chunk("Hello"), b": ping\n\n", chunk(finish="stop"), sse("[DONE]")],
    "surrogates": [
        b'data: {"choices":[{"index":0,"delta":{"content":"a \\ud83c"}}],"model":"m"}\n\n',
        b'data: {"choices":[{"index":0,"delta":{"content":"\\udf0d!"}}],"model":"m"}\n\n',
        chunk(finish="stop"),
    ],
    "filtered": [chunk("He"), chunk(finish="content_filter"), sse("[DONE]")],
    "cut-off": [chunk("Hel")],
    "tools": [chunk(finish="tool_calls"), sse("[DONE]")],
    "garbage": [chunk("Hel"), sse("{not json")],
    "odd": [sse({"hello": 1})],
    "list": [sse([1, 2])],
    "odd-choice": [sse({"choices": [{"delta": 3}]})],
    "error": [chunk("Hel"), sse({"error": {"message": f"boom {KEY}", "code": "internal"}})],
    "queued": [chunk("", queued=2), chunk("", queued=2), chunk("", queued=1), chunk("", queued=0), chunk("Hello"),
               chunk(finish="stop"), sse("[DONE]")],
}  # fmt: skip
STATUSES: dict[str, tuple[int, Any]] = {
    "bad-key": (401, {"error": {"message": f"Incorrect API key: {KEY}", "code": "invalid_api_key"}}),
    "no-model": (404, {"error": {"message": "no such model", "code": "model_not_found"}}),
    "too-long": (400, {"error": {"message": "too many tokens", "code": "context_length_exceeded"}}),
    "bad-value": (400, {"error": {"message": "temperature", "code": None}}),
    "busy": (429, {"error": {"message": "slow down", "code": "rate_limit_exceeded"}}),
    "no-money": (429, {"error": {"message": "quota", "code": "insufficient_quota"}}),
    "broken": (500, {"error": {"message": "oops"}}),
    "restarting": (503, "<html>gateway</html>"),
}


async def chat(http: HttpRequest) -> Response:
    asked.append({"body": await http.json(), "key": http.headers.get("authorization")})
    kind = http.path_params["kind"]
    if kind in STATUSES:
        status, body = STATUSES[kind]
        return JSONResponse(body, status) if isinstance(body, dict) else PlainTextResponse(body, status)
    if kind == "not-a-stream":
        return PlainTextResponse("hello")
    if kind == "silent":
        await asyncio.sleep(5)
    parts = {"stalling": slowly(chunk("Hel"), stay=5), "trickling": slowly(*[chunk("a ")] * 100, gap=0.05)}
    return StreamingResponse(parts.get(kind) or slowly(*STREAMS[kind]), media_type="text/event-stream")


# Answers to the question for the models that are none; a wrong address often has one of them.
NO_LISTS: dict[str, Response] = {
    "page": HTMLResponse("<html>Welcome to nginx!</html>"),
    "words": PlainTextResponse("It works"),
    "no-json": Response("{not json", media_type="application/json"),
    "nothing": Response(b"", media_type="application/json"),
    "binary": Response(b"\xff\xfe\x00", media_type="application/json"),
    "null-list": JSONResponse({"data": None}),
    "no-data": JSONResponse({"status": "ok"}),
    "bare-list": JSONResponse(["m"]),
    "number": JSONResponse(3),
    "names": JSONResponse({"object": "list", "data": ["m"]}),
    "no-ids": JSONResponse({"object": "list", "data": [{"name": "m"}]}),
    "odd-ids": JSONResponse({"object": "list", "data": [{"id": 7}, {"id": {"a": []}}]}),
    "mapping": JSONResponse({"object": "list", "data": {"id": "m"}}),
}


async def models(http: HttpRequest) -> Response:
    if http.path_params["kind"] in NO_LISTS:
        return NO_LISTS[http.path_params["kind"]]
    if http.path_params["kind"] == "no-model":
        return JSONResponse({"object": "list", "data": [{"id": "other", "object": "model"}]})
    if http.path_params["kind"] == "bad-key":
        return JSONResponse(STATUSES["bad-key"][1], 401)
    if http.path_params["kind"] == "good":
        return JSONResponse({"object": "list", "data": [{"id": "m", "object": "model", "created": 0, "owned_by": "x"}]})
    return Response(status_code=404)


async def score(http: HttpRequest) -> Response:
    answers: dict[str, Any] = {
        "good": {"logprobs": [-1.0, -2.0], "tokens": [1, 2]},
        "named": {
            "logprobs": [-1.0, -2.0],
            "tokens": [1, 2],
            "token_ids": [[5], [6, 7]],
            "pieces": [["A"], ["B", "x"]],
        },
        "short-ids": {"logprobs": [-1.0, -2.0], "tokens": [1, 2], "token_ids": [[5], [6]]},
        "odd-pieces": {"logprobs": [-1.0, -2.0], "tokens": [1, 2], "pieces": [["A"], ["B", 7]]},
        "too-few": {"logprobs": [-1.0], "tokens": [1]},
        "positive": {"logprobs": [-1.0, 0.5], "tokens": [1, 1]},
        "words": {"logprobs": ["likely", "unlikely"], "tokens": [1, 1]},
    }
    kind = http.path_params["kind"]
    return JSONResponse(answers[kind]) if kind in answers else Response(status_code=404)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    app = Starlette(
        routes=[
            Route("/{kind}/v1/chat/completions", chat, methods=["POST"]),
            Route("/{kind}/v1/models", models),
            Route("/{kind}/v1/score", score, methods=["POST"]),
        ]
    )
    with serving(app) as url:
        yield url


def backend_of(address: str, kind: str, *, is_engine: bool = False, **timeouts: float) -> OpenAICompatibleBackend:
    url, limits = f"{address}/{kind}/v1", Timeouts(**timeouts)
    return OpenAICompatibleBackend(base_url=url, model="m", api_key=KEY, timeouts=limits, is_engine=is_engine)


@pytest.mark.parametrize(
    ("kind", "expected", "reason"),
    [
        ("good", "Hello", FinishReason.STOP),
        ("no-usage", "Hello", FinishReason.STOP),
        ("no-done-mark", "Hello", FinishReason.LENGTH),
        ("comments", "Hello", FinishReason.STOP),
        ("surrogates", "a 🌍!", FinishReason.STOP),
        ("filtered", "He", FinishReason.FILTERED),
    ],
)
async def test_different_endpoints_give_the_same_kind_of_reply(
    address: str, kind: str, expected: str, reason: FinishReason
) -> None:
    async with aclosing(backend_of(address, kind)) as backend:
        events = await collect(backend, REQUEST)
    assert text(events) == expected
    assert done(events).reason is reason
    assert done(events).usage == (Usage(3, 2) if kind == "good" else Usage())
    assert all(piece.encode() for piece in pieces(events))


async def test_a_place_in_the_queue_is_told_when_it_changes(address: str) -> None:
    async with aclosing(backend_of(address, "queued")) as backend:
        assert places(await collect(backend, REQUEST)) == [2, 1]


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("bad-key", ErrorCode.REFUSED),
        ("no-model", ErrorCode.REFUSED),
        ("bad-value", ErrorCode.REFUSED),
        ("too-long", ErrorCode.CAPACITY),
        ("busy", ErrorCode.RATE_LIMITED),
        ("no-money", ErrorCode.REFUSED),
        ("broken", ErrorCode.INTERNAL),
        ("restarting", ErrorCode.UNREACHABLE),
        ("cut-off", ErrorCode.BAD_RESPONSE),
        ("tools", ErrorCode.BAD_RESPONSE),
        ("garbage", ErrorCode.BAD_RESPONSE),
        ("odd", ErrorCode.BAD_RESPONSE),
        ("list", ErrorCode.BAD_RESPONSE),
        ("odd-choice", ErrorCode.BAD_RESPONSE),
        ("not-a-stream", ErrorCode.BAD_RESPONSE),
        ("error", ErrorCode.INTERNAL),
    ],
)
async def test_failures_are_typed_and_never_tell_the_key(address: str, kind: str, code: ErrorCode) -> None:
    before = len(asked)
    async with aclosing(backend_of(address, kind)) as backend:
        with pytest.raises(BackendError) as raised:
            await collect(backend, REQUEST)
    assert raised.value.code is code
    assert raised.value.sentence
    assert KEY not in str(raised.value)
    assert len(asked) == before + 1, "nothing is retried behind the caller's back"


@pytest.mark.parametrize(
    ("kind", "limits"),
    [
        ("silent", {"first_token": 0.2}),
        ("stalling", {"between_tokens": 0.2}),
        ("trickling", {"total": 0.3}),
    ],
)
async def test_silence_is_a_timeout(address: str, kind: str, limits: dict[str, float]) -> None:
    started_at = time.monotonic()
    async with aclosing(backend_of(address, kind, **limits)) as backend:
        with pytest.raises(BackendError, match="silent for too long") as raised:
            await collect(backend, REQUEST)
    assert raised.value.code is ErrorCode.TIMEOUT
    assert raised.value.is_retryable
    assert time.monotonic() - started_at < 3


@pytest.mark.parametrize(("kind", "expected"), [("silent", ""), ("stalling", "Hel")])
async def test_the_requests_own_deadline_is_no_failure(address: str, kind: str, expected: str) -> None:
    request = Request(REQUEST.turns, deadline_seconds=0.3)
    async with aclosing(backend_of(address, kind)) as backend:
        events = await collect(backend, request)
    assert text(events) == expected
    assert done(events).reason is FinishReason.DEADLINE


async def test_nobody_at_the_address_is_unreachable() -> None:
    with bind(0) as listening:  # bound but not listening: connections are refused
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        async with aclosing(OpenAICompatibleBackend(base_url=url, model="m")) as backend:
            with pytest.raises(BackendError, match="is it running") as raised:
                await collect(backend, REQUEST)
            assert raised.value.code is ErrorCode.UNREACHABLE
            health = await backend.health()
    assert not health.is_ok
    assert "is it running" in health.sentence


async def test_only_what_is_set_is_sent(address: str) -> None:
    async with aclosing(backend_of(address, "good")) as backend:
        await collect(backend, REQUEST)
        plain = asked[-1]
        await collect(backend, Request(REQUEST.turns, seed=5, stop=("X",), deadline_seconds=9))
    assert plain["key"] == f"Bearer {KEY}"
    assert set(plain["body"]) == {
        "model", "messages", "max_tokens", "temperature", "top_p", "stream", "stream_options",
    }  # fmt: skip
    assert set(asked[-1]["body"]) - set(plain["body"]) == {"seed", "stop"}


async def test_only_the_engine_goes_on_with_an_assistants_turn(address: str) -> None:
    async with aclosing(backend_of(address, "good")) as backend:
        with pytest.raises(BackendError) as raised:
            await collect(backend, Request((Turn("user", "?"), Turn("assistant", "Well,"))))
    assert raised.value.code is ErrorCode.UNSUPPORTED


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("nothing-there", ErrorCode.REFUSED),
        ("short-ids", ErrorCode.BAD_RESPONSE),
        ("odd-pieces", ErrorCode.BAD_RESPONSE),
        ("too-few", ErrorCode.BAD_RESPONSE),
        ("positive", ErrorCode.BAD_RESPONSE),
        ("words", ErrorCode.BAD_RESPONSE),
    ],
)
async def test_scores_that_cannot_be_used_are_refused(address: str, kind: str, code: ErrorCode) -> None:
    async with aclosing(backend_of(address, kind, is_engine=True)) as backend:
        with pytest.raises(BackendError) as raised:
            await backend.score(ScoreRequest(("A", "B"), prompt="("))
    assert raised.value.code is code


async def test_scores_say_which_tokens_they_are_of_where_the_endpoint_says_it(address: str) -> None:
    for kind, ids, written in (("named", [(5,), (6, 7)], [("A",), ("B", "x")]), ("good", [(), ()], [(), ()])):
        async with aclosing(backend_of(address, kind, is_engine=True)) as backend:
            scores = await backend.score(ScoreRequest(("A", "B"), prompt="("))
        assert [score.token_ids for score in scores] == ids
        assert [score.pieces for score in scores] == written


async def test_scores_come_in_order(address: str) -> None:
    async with aclosing(backend_of(address, "good", is_engine=True)) as backend:
        scores = await backend.score(ScoreRequest(("A", "B"), prompt="("))
    assert [(score.continuation, score.logprob, score.tokens) for score in scores] == [("A", -1.0, 1), ("B", -2.0, 2)]


@pytest.mark.parametrize(
    ("kind", "is_ok", "said"),
    [
        ("good", True, ""),
        ("silent", True, "does not list its models"),
        ("no-model", False, "does not serve 'm'; it serves other"),
        ("bad-key", False, "Incorrect API key"),
    ],
)
async def test_health_tells_what_is_wrong(address: str, kind: str, is_ok: bool, said: str) -> None:
    async with aclosing(backend_of(address, kind)) as backend:
        health = await backend.health()
    assert health.is_ok is is_ok
    assert said in health.sentence
    assert KEY not in health.sentence
    assert not health.can_score


@pytest.mark.parametrize("kind", NO_LISTS)
async def test_an_address_of_something_else_is_said_to_be_one(address: str, kind: str) -> None:
    async with aclosing(backend_of(address, kind)) as backend:
        health = await backend.health()
        found = await probe(backend)
    assert not health.is_ok
    assert health.sentence == (
        f"{address}/{kind}/v1 answers, but not like an OpenAI-compatible endpoint; is the address right, with its path?"
    )
    assert (found.health, found.findings) == (health, {})


async def test_done_is_still_the_last_event(address: str) -> None:
    async with aclosing(backend_of(address, "good")) as backend:
        events = await collect(backend, REQUEST)
    assert [isinstance(event, Done) for event in events] == [False, False, True]


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("http://127.0.0.1:8100", "http://127.0.0.1:8100/v1"),
        ("http://127.0.0.1:8100/", "http://127.0.0.1:8100/v1"),
        ("http://127.0.0.1:8100/v1", "http://127.0.0.1:8100/v1"),
        ("https://example.org/api/openai", "https://example.org/api/openai"),
    ],
)
def test_an_address_without_a_path_gets_v1(given: str, used: str) -> None:
    assert with_path(given) == used


@pytest.mark.slow
async def test_a_connection_that_was_idle_is_not_used_again() -> None:
    """The other side may be ending it at that moment, and what is sent then is lost."""
    ports: list[int] = []

    async def models(request: HttpRequest) -> Response:
        ports.append(request.client.port if request.client else 0)
        return JSONResponse({"object": "list", "data": [{"id": "m", "object": "model"}]})

    with serving(Starlette(routes=[Route("/v1/models", models)])) as url:
        async with aclosing(OpenAICompatibleBackend(base_url=url, model="m")) as backend:
            for idle in (0, 0, 3):
                await asyncio.sleep(idle)
                await backend.health()
    assert ports[0] == ports[1] != ports[2]
