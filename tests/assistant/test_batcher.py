"""The queue, with one seat: first come, first served, bounded, honest about positions; no request harms another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest
import torch

from studies.assistant.engine.backend import EngineBackend
from studies.assistant.engine.encode import ScoreTokens, encode_chat
from studies.assistant.engine.loader import LoadedModel
from studies.assistant.engine.sizes import Sizes
from studies.assistant.types import (
    BackendError,
    ErrorCode,
    Event,
    FinishReason,
    Piece,
    Queued,
    Request,
    ScoreRequest,
    Turn,
)
from tests.assistant.streams import collect, done, places, text

ASK = (Turn("user", "Which option?"),)


@pytest.fixture(params=["own", "transformers", "none"])
async def backend(loaded: LoadedModel, request: pytest.FixtureRequest) -> AsyncIterator[EngineBackend]:
    """Its model knows no end of text: a reply takes all its tokens, whatever the random weights say."""
    loaded.model.set_attn_implementation("sdpa")
    engine = EngineBackend(replace(loaded, end_ids=frozenset()), Sizes(seats=1, max_waiting=3), request.param)
    yield engine
    await engine.aclose()


def endless(seed: int = 0, **changes: Any) -> Request:
    """400 tokens: about half a second of work, unless changed."""
    return replace(Request(ASK, max_tokens=400, seed=seed), **changes)


async def test_greedy_text_is_that_of_generate(loaded: LoadedModel, reference: LoadedModel) -> None:
    backend = EngineBackend(loaded)
    events = await collect(backend, Request(ASK, max_tokens=60, temperature=0))
    prompt = torch.tensor([encode_chat(loaded, ASK)])
    ids = reference.model.generate(prompt, max_new_tokens=60, do_sample=False)[0, prompt.shape[1] :]
    expected = loaded.tokenizer.decode(ids, skip_special_tokens=True)
    assert text(events) == expected.rstrip("\ufffd")
    assert len(text(events)) > 40
    assert done(events).usage.prompt_tokens == prompt.shape[1]
    await backend.aclose()


async def test_the_end_token_ends_the_reply_and_is_not_counted(loaded: LoadedModel, reference: LoadedModel) -> None:
    prompt = torch.tensor([encode_chat(loaded, ASK)])
    ids = reference.model.generate(prompt, max_new_tokens=20, do_sample=False)[0, prompt.shape[1] :].tolist()
    backend = EngineBackend(replace(loaded, end_ids=frozenset({ids[10]})))
    end = done(await collect(backend, Request(ASK, max_tokens=60, temperature=0)))
    assert (end.reason, end.usage.completion_tokens) == (FinishReason.STOP, ids.index(ids[10]))
    await backend.aclose()


async def test_those_who_wait_hear_their_place_and_are_served_in_order(backend: EngineBackend) -> None:
    finished: list[int] = []

    async def take(number: int) -> list[Event]:
        events = await collect(backend, endless(number, max_tokens=60))
        finished.append(number)
        return events

    all_events = await asyncio.gather(*(take(number) for number in range(4)))
    assert finished == [0, 1, 2, 3]
    for number, events in enumerate(all_events):
        assert places(events) == list(range(number, 0, -1))
        assert not any(isinstance(event, Queued) for event in events[number:])
    waits = [done(events).queue_seconds or 0.0 for events in all_events]
    assert waits == sorted(waits)


async def test_a_full_queue_refuses_and_says_so(backend: EngineBackend) -> None:
    tasks = [asyncio.create_task(collect(backend, endless(number))) for number in range(4)]
    await asyncio.sleep(0.05)
    with pytest.raises(BackendError, match="3 requests wait already") as raised:
        await collect(backend, endless())
    assert raised.value.code is ErrorCode.RATE_LIMITED
    assert raised.value.is_retryable
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_cancelled_reply_frees_the_model_within_a_step(backend: EngineBackend) -> None:
    async with aclosing(backend.stream(endless())) as events:
        async for event in events:
            assert isinstance(event, Piece)
            break
    await asyncio.sleep(0.1)
    assert ((await backend.health()).running, (await backend.health()).waiting) == (0, 0)


async def test_a_cancelled_waiter_gives_its_place_up(backend: EngineBackend) -> None:
    first = asyncio.create_task(collect(backend, endless(max_tokens=200)))
    await asyncio.sleep(0)
    second = asyncio.create_task(collect(backend, endless()))
    third = asyncio.create_task(collect(backend, Request(ASK, max_tokens=5, seed=1)))
    await asyncio.sleep(0.02)
    second.cancel()
    events = await third
    assert places(events) == [2, 1]
    assert done(await first).reason is not FinishReason.DEADLINE


async def test_a_deadline_ends_a_running_reply_with_the_text_so_far(backend: EngineBackend) -> None:
    whole = await collect(backend, endless(7))
    part = await collect(backend, endless(7, deadline_seconds=0.1))
    assert done(part).reason is FinishReason.DEADLINE
    assert text(whole).startswith(text(part))
    assert 0 < len(text(part)) < len(text(whole))


async def test_a_deadline_ends_a_wait(backend: EngineBackend) -> None:
    first = asyncio.create_task(collect(backend, endless()))
    await asyncio.sleep(0)
    events = await collect(backend, endless(deadline_seconds=0.03))
    assert (done(events).reason, done(events).usage.completion_tokens) == (FinishReason.DEADLINE, 0)
    assert done(events).first_token_seconds is None
    assert not first.done()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)


async def test_what_does_not_fit_is_refused_before_it_waits(backend: EngineBackend) -> None:
    with pytest.raises(BackendError, match=r"takes 512 together: reset the conversation") as raised:
        await collect(backend, Request((Turn("user", "word " * 400),), max_tokens=200))
    assert raised.value.code is ErrorCode.CAPACITY
    with pytest.raises(BackendError) as raised:
        await backend.score(ScoreRequest(("A",), prompt="word " * 600))
    assert raised.value.code is ErrorCode.CAPACITY


def fail_on(monkeypatch: pytest.MonkeyPatch, loaded: LoadedModel, length: int, error: Exception) -> None:
    """Let the model fail whenever it reads tokens at that place of a text or later."""
    plain = loaded.model.forward

    def failing(*arguments: Any, **options: Any) -> Any:
        positions = options.get("position_ids")
        cached = options.get("past_key_values")
        furthest = int(positions.max()) if positions is not None else cached.get_seq_length()
        if furthest >= length:
            raise error
        return plain(*arguments, **options)

    monkeypatch.setattr(loaded.model, "forward", failing)


async def test_a_request_that_fails_harms_no_other(
    backend: EngineBackend, loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_on(monkeypatch, loaded, 100, ZeroDivisionError("secret words"))
    good, bad, after = (asyncio.create_task(collect(backend, endless(1, max_tokens=most))) for most in (20, 200, 20))
    with pytest.raises(BackendError, match="the model failed: ZeroDivisionError") as raised:
        await bad
    assert raised.value.code is ErrorCode.INTERNAL
    assert "secret" not in raised.value.sentence
    assert text(await good) == text(await after) != ""
    assert (await backend.health()).is_ok


async def test_too_little_memory_is_a_capacity_error(
    backend: EngineBackend, loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_on(monkeypatch, loaded, 0, torch.OutOfMemoryError("CUDA out of memory"))
    with pytest.raises(BackendError) as raised:
        await collect(backend, endless())
    assert raised.value.code is ErrorCode.CAPACITY


async def test_scores_take_their_turn(backend: EngineBackend) -> None:
    chat = asyncio.create_task(collect(backend, endless(max_tokens=100)))
    while backend._batcher.counts() == (0, 0):  # it is encoded in another thread than scorings are
        await asyncio.sleep(0)
    scores = await backend.score(ScoreRequest(("A", "B"), prompt="Answer: ("))
    assert [score.tokens for score in scores] == [1, 1]
    assert chat.done()


async def test_a_scoring_lets_everybody_else_go_first(backend: EngineBackend) -> None:
    tokens = ScoreTokens([5, 6, 7], [[8], [9]])
    [ticket] = backend._batcher.score(tokens, ("A", "B"), lambda event: None)[:1]
    assert ticket.is_patient


async def test_closing_tells_everybody(loaded: LoadedModel) -> None:
    engine = EngineBackend(replace(loaded, end_ids=frozenset()))
    tasks = [asyncio.create_task(collect(engine, endless(number))) for number in range(3)]
    await asyncio.sleep(0.05)
    await engine.aclose()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [getattr(result, "code", None) for result in results] == [ErrorCode.UNREACHABLE] * 3
    with pytest.raises(BackendError, match="the engine is closing"):
        await collect(engine, endless())
    assert not (await engine.health()).is_ok
