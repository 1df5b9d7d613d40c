"""Texts are encoded beside the event loop: whatever is being read, health answers, and whoever chats does not wait."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from studies.assistant.engine import encode
from studies.assistant.engine.backend import MAX_CONTINUATIONS, EngineBackend
from studies.assistant.engine.loader import LoadedModel
from studies.assistant.types import BackendError, ErrorCode, Request, ScoreRequest, Turn
from tests.assistant.streams import collect, text

ASK = (Turn("user", "Which option?"),)
SCORING = ScoreRequest(("A", "B"), prompt="Answer: (")


@pytest.fixture
async def backend(loaded: LoadedModel) -> AsyncIterator[EngineBackend]:
    backend = EngineBackend(loaded)
    yield backend
    await backend.aclose()


class Held:
    """Stands in for a function of `encode` until it is let go; `began` counts its calls."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        self._real = getattr(encode, name)
        self._free = threading.Event()
        self.began = 0
        monkeypatch.setattr(encode, name, self)

    def __call__(self, *arguments: Any) -> Any:
        self.began += 1
        assert self._free.wait(20)
        return self._real(*arguments)

    def let_go(self) -> None:
        self._free.set()

    async def has_begun(self) -> None:
        limit = time.monotonic() + 20
        while not self.began:
            assert time.monotonic() < limit
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("name", ["encode_score", "encode_chat"])
async def test_health_answers_while_a_text_is_encoded(
    backend: EngineBackend, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    held = Held(monkeypatch, name)
    asked = backend.score(SCORING) if name == "encode_score" else collect(backend, Request(ASK, max_tokens=3))
    task = asyncio.create_task(asked)  # type: ignore[arg-type]
    await held.has_begun()
    assert (await asyncio.wait_for(backend.health(), 1)).is_ok
    held.let_go()
    assert await task


async def test_a_reply_does_not_wait_for_the_texts_of_a_scoring(
    backend: EngineBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(monkeypatch, "encode_score")
    scorings = [asyncio.create_task(backend.score(SCORING)) for _ in range(3)]
    await held.has_begun()
    assert text(await asyncio.wait_for(collect(backend, Request(ASK, max_tokens=5)), 20))
    assert not any(task.done() for task in scorings)
    held.let_go()
    first, *others = await asyncio.gather(*scorings)
    assert others == [first, first]


async def test_whoever_hangs_up_before_its_turn_is_never_encoded(
    backend: EngineBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(monkeypatch, "encode_score")
    first, second, third = (asyncio.create_task(backend.score(SCORING)) for _ in range(3))
    await held.has_begun()
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    held.let_go()
    assert await first == await third
    assert held.began == 2


async def test_whoever_waits_to_be_encoded_hears_that_the_engine_closes(
    loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = EngineBackend(loaded)
    held = Held(monkeypatch, "encode_score")
    tasks = [asyncio.create_task(backend.score(SCORING)) for _ in range(3)]
    await held.has_begun()
    closing = asyncio.create_task(backend.aclose())
    await asyncio.sleep(0.2)
    held.let_go()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [getattr(each, "code", each) for each in found] == [ErrorCode.UNREACHABLE] * 3
    await closing
    with pytest.raises(BackendError, match="the engine is closing"):
        await backend.score(SCORING)


async def test_a_scoring_has_so_many_continuations_at_most(backend: EngineBackend) -> None:
    most = tuple(f"{number} or" for number in range(MAX_CONTINUATIONS))
    assert len(await backend.score(ScoreRequest(most, prompt="Answer: ("))) == MAX_CONTINUATIONS
    with pytest.raises(BackendError, match="continuations: 65 given, at most 64 are scored at once") as raised:
        await backend.score(ScoreRequest((*most, "none"), prompt="Answer: ("))
    assert raised.value.code is ErrorCode.REFUSED


@pytest.mark.parametrize("turns", [(), (Turn("user", "x y " * 300_000),)], ids=["prompt", "chat"])
async def test_what_cannot_fit_is_refused_before_it_is_encoded(
    backend: EngineBackend, monkeypatch: pytest.MonkeyPatch, turns: tuple[Turn, ...]
) -> None:
    def encoded(*_: Any, **__: Any) -> Any:
        raise AssertionError("it was encoded")

    tokenizer = backend._scores._loaded.tokenizer
    for name in ("encode", "apply_chat_template"):
        monkeypatch.setattr(tokenizer, name, encoded)
    request = ScoreRequest(("A",), turns=turns, prompt="" if turns else "x y " * 300_000)
    with pytest.raises(BackendError, match=r"the text has \d+ characters, but tiny-llama takes 512 tokens") as raised:
        await backend.score(request)
    assert raised.value.code is ErrorCode.CAPACITY


@pytest.mark.parametrize("turns", [(), (Turn("user", "x y " * 3_000),)], ids=["prompt", "chat"])
async def test_a_context_that_is_too_long_is_not_encoded_with_every_continuation(
    backend: EngineBackend, monkeypatch: pytest.MonkeyPatch, turns: tuple[Turn, ...]
) -> None:
    tokenizer, encoded = backend._scores._loaded.tokenizer, []
    name = "apply_chat_template" if turns else "encode"
    real = getattr(tokenizer, name)

    def watched(text: Any, **options: Any) -> Any:
        encoded.append(text)
        return real(text, **options)

    monkeypatch.setattr(tokenizer, name, watched)
    request = ScoreRequest(("A", "B", "C"), turns=turns, prompt="" if turns else "x y " * 3_000)
    with pytest.raises(BackendError, match="takes 512 together") as raised:
        await backend.score(request)
    assert raised.value.code is ErrorCode.CAPACITY
    assert len(encoded) == 1
