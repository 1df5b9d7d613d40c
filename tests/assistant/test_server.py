"""The engine over plain HTTP: OpenAI's form, typed refusals, and a client that hangs up is noticed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from studies.assistant.engine import server
from studies.assistant.engine.sizes import Sizes
from studies.assistant.scripted import ScriptedBackend
from studies.assistant.types import BackendError, ErrorCode, Piece, Queued
from tests.assistant.http_server import serving

ASK = [{"role": "user", "content": "Which option?"}]


@pytest.fixture
async def http(engine_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=engine_url, trust_env=False, timeout=20) as client:
        yield client


async def chat(http: httpx.AsyncClient, **body: Any) -> httpx.Response:
    content = json.dumps({"messages": ASK, "max_tokens": 20, "seed": 1} | body)  # httpx itself refuses to write NaN
    return await http.post("/v1/chat/completions", content=content, headers={"content-type": "application/json"})


def chunks(body: str) -> list[Any]:
    lines = [line for line in body.split("\n\n") if line]
    assert all(line.startswith("data: ") for line in lines)
    assert lines[-1] == "data: [DONE]"
    return [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]


async def idle(http: httpx.AsyncClient) -> bool:
    """Whether the engine has nothing to do, within a moment."""
    for _ in range(40):
        state = (await http.get("/health")).json()
        if (state["running"], state["waiting"]) == (0, 0):
            return True
        await asyncio.sleep(0.02)
    return False


async def test_streamed_and_whole_replies_are_the_same(http: httpx.AsyncClient) -> None:
    whole = (await chat(http)).json()
    streamed = chunks((await chat(http, stream=True, stream_options={"include_usage": True})).text)
    assert whole["object"] == "chat.completion"
    assert whole["choices"][0]["finish_reason"] == "length"
    assert whole["usage"]["completion_tokens"] == 20
    assert whole["usage"]["total_tokens"] == whole["usage"]["prompt_tokens"] + 20
    text = "".join(chunk["choices"][0]["delta"]["content"] for chunk in streamed[:-1])
    assert text == whole["choices"][0]["message"]["content"]
    assert streamed[-2]["choices"][0]["finish_reason"] == "length"
    assert streamed[-1]["usage"] == whole["usage"]
    assert {chunk["id"] for chunk in streamed} == {streamed[0]["id"]}
    assert {chunk["object"] for chunk in streamed} == {"chat.completion.chunk"}


async def test_usage_is_streamed_only_when_asked_for(http: httpx.AsyncClient) -> None:
    assert all("usage" not in chunk for chunk in chunks((await chat(http, stream=True)).text))


async def test_content_may_come_in_parts_and_under_newer_names(http: httpx.AsyncClient) -> None:
    parts = [{"role": "user", "content": [{"type": "text", "text": "Which "}, {"type": "text", "text": "option?"}]}]
    reply = await chat(http, messages=parts, max_tokens=None, max_completion_tokens=20)
    assert reply.json()["choices"] == (await chat(http)).json()["choices"]
    developer = [{"role": "developer", "content": "Be brief."}, *ASK]
    system = [{"role": "system", "content": "Be brief."}, *ASK]
    assert (await chat(http, messages=developer)).json()["choices"] == (await chat(http, messages=system)).json()[
        "choices"
    ]


async def test_models_and_health_say_what_is_served(http: httpx.AsyncClient) -> None:
    (model,) = (await http.get("/v1/models")).json()["data"]
    assert model["id"] == "tiny-llama"
    assert model["can_score"]
    state = (await http.get("/health")).json()
    assert (state["status"], state["revision"], state["dtype"]) == ("ok", model["revision"], model["dtype"])
    assert model["dtype"] == (await chat(http)).json()["dtype"] == "float32"


@pytest.mark.parametrize(
    ("body", "status", "code", "said"),
    [
        ({"messages": []}, 400, "refused", "messages: use a list"),
        ({"messages": [{"role": "tool", "content": "x"}]}, 400, "refused", "role: system, user or assistant"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, 400, "refused", "content must be text"),
        ({"model": "gpt-4o"}, 400, "refused", "this engine serves 'tiny-llama'"),
        ({"temperature": "hot"}, 400, "refused", "temperature='hot': use a number"),
        ({"temperature": 3}, 400, "refused", "use 0 (greedy), or 0.0001 to 2"),
        ({"temperature": 1e-50}, 400, "refused", "temperature=1e-50: use 0 (greedy), or 0.0001 to 2"),
        ({"temperature": float("nan")}, 400, "refused", "temperature=nan: use a number that is finite"),
        ({"temperature": [[[]]]}, 400, "refused", "temperature=a list: use a number"),
        ({"top_p": 1e-50}, 400, "refused", "top_p=1e-50: use 0.0001 to 1"),
        ({"max_tokens": float("inf")}, 400, "refused", "max_tokens=inf: use a number that is finite"),
        ({"max_tokens": 10**400}, 400, "refused", "use a number that is finite"),
        ({"max_tokens": 10**40}, 400, "refused", "use 1 or more, at most 2147483647"),
        ({"max_tokens": 1.5}, 400, "refused", "max_tokens=1.5: use a whole number"),
        ({"max_tokens": None, "max_completion_tokens": 0}, 400, "refused", "max_completion_tokens=0: use 1 or more"),
        ({"max_completion_tokens": 21}, 400, "refused", "max_tokens and max_completion_tokens differ"),
        ({"seed": float("inf")}, 400, "refused", "seed=inf: use a number that is finite"),
        ({"seed": -1}, 400, "refused", "seed=-1: use 0 or more, at most 9223372036854775807"),
        ({"seed": 2**63}, 400, "refused", "at most 9223372036854775807"),
        ({"seed": True}, 400, "refused", "seed=True: use a number"),
        ({"seed": 0.5}, 400, "refused", "seed=0.5: use a whole number"),
        ({"seed": "7"}, 400, "refused", "seed='7': use a number"),
        ({"deadline_seconds": float("nan")}, 400, "refused", "deadline_seconds=nan: use a number that is finite"),
        ({"deadline_seconds": -1}, 400, "refused", "deadline_seconds=-1.0: use a number of seconds, 0 or more"),
        ({"messages": [{"role": "user", "content": "a \ud800"}]}, 400, "refused", "content: there is half a character"),
        ({"messages": [{"role": ["user"], "content": "a"}]}, 400, "refused", "role: system, user or assistant"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": 5}]}]}, 400, "refused", "use a text"),
        ({"stop": "\udfff"}, 400, "refused", "stop: there is half a character"),
        ({"stop": ""}, 400, "refused", "stop: an empty string"),
        ({"stop": False}, 400, "refused", "stop: use a list of texts"),
        ({"model": ["x"]}, 400, "refused", "model=a list: this engine serves 'tiny-llama'"),
        ({"top_k": 20}, 400, "unsupported", "top_k: this engine does not support it"),
        ({"min_p": 0.1}, 400, "unsupported", "min_p"),
        ({"repetition_penalty": 1.2}, 400, "unsupported", "repetition_penalty"),
        ({"min_tokens": 5}, 400, "unsupported", "min_tokens"),
        ({"temprature": 0}, 400, "unsupported", "'temprature': this engine does not know this field; leave it out. It"),
        ({"reasoning_effort": "high"}, 400, "unsupported", "It knows model, messages, max_tokens"),
        ({"top_p": 0}, 400, "refused", "top_p=0"),
        ({"max_tokens": -1}, 400, "refused", "max_tokens=-1: use 1 or more"),
        ({"max_tokens": 0}, 400, "refused", "max_tokens=0: use 1 or more"),
        ({"max_tokens": True}, 400, "refused", "max_tokens=True: use a number"),
        ({"stop": [1]}, 400, "refused", "stop: use a list of texts"),
        ({"n": 2}, 400, "unsupported", "n: this engine does not support it"),
        ({"logprobs": True}, 400, "unsupported", "logprobs"),
        ({"tools": [{"type": "function"}]}, 400, "unsupported", "tools"),
        ({"frequency_penalty": 0.5}, 400, "unsupported", "frequency_penalty"),
        ({"messages": [{"role": "user", "content": "word " * 600}]}, 413, "capacity", "takes 512 together"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_refusals_are_typed_and_say_what_is_allowed(
    http: httpx.AsyncClient, body: dict[str, Any], status: int, code: str, said: str, stream: bool
) -> None:
    reply = await chat(http, **body, stream=stream)
    assert reply.status_code == status
    assert reply.json()["error"]["code"] == code
    assert said in reply.json()["error"]["message"]


async def test_what_has_no_effect_is_accepted(http: httpx.AsyncClient) -> None:
    harmless = {"n": 1, "tools": [], "user": "x", "presence_penalty": 0.0, "response_format": {"type": "text"}}
    harmless |= {"store": True, "metadata": {"a": "b"}, "service_tier": "auto", "top_k": -1, "tool_choice": "none"}
    harmless |= {"stream_options": None, "min_p": None, "nobody_knows_this": None, "repetition_penalty": 1}
    assert (await chat(http, **harmless)).json()["choices"] == (await chat(http)).json()["choices"]


@pytest.mark.parametrize(
    ("content", "kind", "said"),
    [
        (b"{not json", "application/json", "not JSON"),
        (b"[1]", "application/json", "must be a JSON object"),
        (b"{}", "text/plain", "use application/json"),
        (b"\xff\xfe", "application/json", "not JSON"),
    ],
)
async def test_a_body_that_is_no_request_is_refused(
    http: httpx.AsyncClient, content: bytes, kind: str, said: str
) -> None:
    reply = await http.post("/v1/chat/completions", content=content, headers={"content-type": kind})
    assert reply.status_code == 400
    assert said in reply.json()["error"]["message"]


@pytest.mark.parametrize("stream", [1, "yes", []])
async def test_a_stream_is_asked_for_with_true(http: httpx.AsyncClient, stream: object) -> None:
    reply = await chat(http, stream=stream)
    assert (reply.status_code, "use true or false" in reply.text) == (400, True)


@pytest.mark.parametrize("path", ["chat/completions", "score", "warm"])
@pytest.mark.parametrize("opening", [b"[", b'{"messages": [', b'{"a":'])
async def test_a_body_that_is_nested_too_deeply_is_refused(http: httpx.AsyncClient, path: str, opening: bytes) -> None:
    reply = await http.post(f"/v1/{path}", content=opening * 100_000, headers={"content-type": "application/json"})
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "refused")
    assert "nested too deeply" in reply.json()["error"]["message"]


@pytest.mark.parametrize("path", ["score", "warm"])
async def test_a_field_that_nobody_knows_is_refused_everywhere(http: httpx.AsyncClient, path: str) -> None:
    body = {"messages": ASK, "temperature": 0} | ({"continuations": ["A"]} if path == "score" else {})
    reply = await http.post(f"/v1/{path}", json=body)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "unsupported")
    assert "'temperature': this engine does not know this field" in reply.json()["error"]["message"]


async def test_a_body_that_is_too_large_is_refused(http: httpx.AsyncClient) -> None:
    reply = await chat(http, messages=[{"role": "user", "content": "x" * (server.MAX_BODY_BYTES + 1)}])
    assert (reply.status_code, reply.json()["error"]["code"]) == (413, "capacity")


async def test_another_host_name_is_refused(http: httpx.AsyncClient) -> None:
    assert (await http.get("/v1/models", headers={"host": "evil.example"})).status_code == 400


async def test_scores_over_http(http: httpx.AsyncClient) -> None:
    body = {"messages": [*ASK, {"role": "assistant", "content": "("}], "continuations": ["A", "B two"]}
    reply = (await http.post("/v1/score", json=body)).json()
    assert len(reply["logprobs"]) == len(reply["tokens"]) == 2
    assert reply["tokens"][0] == 1
    assert reply["tokens"][1] > 1
    assert reply["pieces"][0] == ["A"]
    assert [len(ids) for ids in reply["token_ids"]] == [len(pieces) for pieces in reply["pieces"]] == reply["tokens"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"prompt": "x"}, "continuations: use a list of texts"),
        ({"prompt": "x", "continuations": []}, "give one or more"),
        ({"prompt": "x", "continuations": ["A"] * 65}, "continuations: 65 given, at most 64"),
        ({"continuations": ["A"]}, "either turns or a prompt"),
        ({"prompt": "x", "messages": ASK, "continuations": ["A"]}, "not both"),
        ({"prompt": 5, "continuations": ["A"]}, "prompt: use a text"),
        ({"prompt": "x", "continuations": ["A"], "model": "other"}, "this engine serves"),
        ({"prompt": "x", "continuations": ["A", "\ud800"]}, "continuations: there is half a character"),
        ({"prompt": "\ud800", "continuations": ["A"]}, "prompt: there is half a character"),
        ({"messages": [], "prompt": "x", "continuations": ["A"]}, "messages: use a list with at least one"),
    ],
)
async def test_score_refusals_are_typed(http: httpx.AsyncClient, body: dict[str, Any], said: str) -> None:
    reply = await http.post("/v1/score", content=json.dumps(body), headers={"content-type": "application/json"})
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, ErrorCode.REFUSED)
    assert said in reply.json()["error"]["message"]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_hangs_up_cancels(http: httpx.AsyncClient, stream: bool) -> None:
    """Ten rounds of half a second's work each: they would still be running if nobody noticed."""
    body = {"messages": ASK, "max_tokens": 480, "stream": stream}
    for _ in range(10):
        if stream:
            async with http.stream("POST", "/v1/chat/completions", json=body) as reply:
                async for _ in reply.aiter_bytes():
                    break
        else:
            with pytest.raises(httpx.ReadTimeout):
                await http.post("/v1/chat/completions", json=body, timeout=httpx.Timeout(20, read=0.01))
    assert await idle(http)


async def test_clients_that_hang_up_while_they_wait_leave_the_queue(http: httpx.AsyncClient) -> None:
    seats = Sizes().seats
    tasks = [asyncio.create_task(chat(http, max_tokens=480, stream=True)) for _ in range(seats + 5)]
    state: dict[str, int] = {}
    for _ in range(200):
        state = (await http.get("/health")).json()
        if state["running"] == seats and state["waiting"] >= 2:
            break
        await asyncio.sleep(0.01)
    assert state["running"] == seats
    assert state["waiting"] >= 2
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert await idle(http)


async def test_a_deadline_that_is_sent_along_is_kept(http: httpx.AsyncClient) -> None:
    reply = (await chat(http, max_tokens=480, deadline_seconds=0.05)).json()
    assert reply["choices"][0]["finish_reason"] == "deadline"
    assert reply["usage"]["completion_tokens"] < 480


async def test_a_stream_without_news_gives_signs_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scripted assistant cannot be reached over HTTP with a script; a slow backend of its kind stands in."""
    monkeypatch.setattr(server, "SIGN_OF_LIFE_SECONDS", 0.05)

    class Slow(ScriptedBackend):
        async def stream(self, request: Any) -> Any:
            await asyncio.sleep(0.12)
            yield Queued(2)
            await asyncio.sleep(0.5)
            yield Piece("so ")
            await asyncio.sleep(0.5)
            raise BackendError(ErrorCode.INTERNAL, "it failed")

    with serving(server.make_app(Slow())) as url:
        async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
            body = (await chat(http, stream=True)).text
    events = [json.loads(line.removeprefix("data: ")) for line in body.split("\n\n") if line]
    said = [event.get("queued", event.get("choices", [{}])[0].get("delta", {}).get("content")) for event in events]
    assert said[0] == 0, "a long prompt is being read, and the client hears that it is"
    assert said.count(2) >= 3
    assert "so " in said
    assert 0 in said[said.index("so ") :]
    assert events[-1]["error"]["code"] == "internal"


async def test_a_client_that_dies_while_it_sends_its_request_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    with serving(server.make_app(ScriptedBackend())) as url:
        async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(retries=5), trust_env=False) as http:
            await http.get(f"{url}/health")  # it listens
        _, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        head = "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        writer.write((head + 'Content-Length: 1000\r\n\r\n{"messages": ').encode())
        await writer.drain()
        await asyncio.sleep(0.1)
        writer.transport.abort()
        await asyncio.sleep(0.2)
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []
