"""What every assistant promises: one suite over all of them, the remote ones against the engine in its own process."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studies.assistant.prompts import questions
from studies.assistant.registry import BACKENDS, AssistantConfig, make_backend
from studies.assistant.types import (
    Backend,
    BackendError,
    Done,
    ErrorCode,
    FinishReason,
    Piece,
    Queued,
    Request,
    ScoreRequest,
    Script,
    Turn,
)
from tests.assistant.streams import collect, done, pieces, places, text

QUESTION = "Which of these grüßt the 🌍 in 日本語?"
OPTIONS = ("“Grüße” 🌍", "日本語 👩‍👩‍👧", "naïve café", "plain")
SCRIPT = Script(QUESTION, OPTIONS, stance=1, pace_words_per_second=50.0)
# The tiny model never ends by itself: 200 tokens take about a fifth of a second.
REQUEST = Request(
    (Turn("system", "Be brief."), Turn("user", "Which option is right? 🌍")), max_tokens=200, seed=1, script=SCRIPT
)


@pytest.fixture(params=BACKENDS)
async def backend(request: pytest.FixtureRequest) -> AsyncIterator[Backend]:
    name: str = request.param
    folder: Path = request.getfixturevalue("model_folder")
    configs = {
        "scripted": AssistantConfig("scripted"),
        "in_process": AssistantConfig("in_process", model=str(folder)),
    }
    if name in ("openai", "engine"):
        url: str = request.getfixturevalue("engine_url")
        configs["openai"] = AssistantConfig("openai", model="tiny-llama", base_url=f"{url}/v1")
        configs["engine"] = AssistantConfig("engine", base_url=url)
    made = make_backend(configs[name])
    yield made
    await made.aclose()


async def timed(backend: Backend, request: Request) -> tuple[str, float]:
    """The reply's text and how many seconds it took."""
    started_at = time.monotonic()
    whole = text(await collect(backend, request))
    return whole, time.monotonic() - started_at


async def test_pieces_join_to_the_reply_and_done_comes_last_and_once(backend: Backend) -> None:
    events = await collect(backend, REQUEST)
    assert [type(event) for event in events].count(Done) == 1
    assert isinstance(events[-1], Done)
    assert all(piece for piece in pieces(events))
    assert len(pieces(events)) > 5
    assert len(text(events)) > 20


async def test_done_says_what_was_used(backend: Backend) -> None:
    end = done(await collect(backend, REQUEST))
    health = await backend.health()
    assert (end.model, end.revision, end.dtype) == (health.model, health.revision, health.dtype)
    assert end.revision
    assert end.dtype == ("" if backend.name == "scripted" else "float32")
    assert end.usage.prompt_tokens
    assert end.usage.completion_tokens
    assert end.usage.completion_tokens <= REQUEST.max_tokens
    assert end.queue_seconds is not None
    assert end.first_token_seconds is not None
    assert 0 <= end.first_token_seconds < 5


async def test_the_same_seed_gives_the_same_text_and_another_seed_another(backend: Backend) -> None:
    request = replace(REQUEST, script=replace(SCRIPT, pace_words_per_second=0.0))
    first, second = text(await collect(backend, request)), text(await collect(backend, request))
    assert first == second
    others = {text(await collect(backend, replace(request, seed=seed))) for seed in (2, 3, 4)}
    assert len(others | {first}) > 2


async def test_no_piece_holds_half_a_character(backend: Backend) -> None:
    for seed in range(3):
        for piece in pieces(await collect(backend, replace(REQUEST, seed=seed))):
            assert piece.encode()
            assert not piece.endswith("\ufffd")


async def test_max_tokens_cuts_the_reply(backend: Backend) -> None:
    end = done(await collect(backend, replace(REQUEST, max_tokens=7)))
    assert (end.reason, end.usage.completion_tokens) == (FinishReason.LENGTH, 7)


async def test_a_stop_string_ends_the_reply_before_itself(backend: Backend) -> None:
    whole = text(await collect(backend, REQUEST))
    stop = whole[len(whole) // 2 :][:3]
    events = await collect(backend, replace(REQUEST, stop=(stop,)))
    assert text(events) == whole[: whole.index(stop)]
    assert done(events).reason is FinishReason.STOP


async def test_the_deadline_ends_the_reply_with_the_text_so_far(backend: Backend) -> None:
    request = replace(REQUEST, max_tokens=450, script=replace(SCRIPT, pace_words_per_second=40.0))
    whole, whole_seconds = await timed(backend, request)
    events = await collect(backend, replace(request, deadline_seconds=whole_seconds / 4))
    assert done(events).reason is FinishReason.DEADLINE
    assert len(text(events)) < len(whole)
    assert whole.startswith(text(events))


async def test_closing_cancels_and_the_next_request_is_served(backend: Backend) -> None:
    request = replace(REQUEST, max_tokens=450, script=replace(SCRIPT, pace_words_per_second=20.0))
    _, whole_seconds = await timed(backend, request)
    async with aclosing(backend.stream(request)) as events:
        async for event in events:
            if isinstance(event, Piece):
                break
    cut, cut_seconds = await timed(backend, replace(REQUEST, max_tokens=3))
    assert cut
    assert cut_seconds < whole_seconds / 2


async def test_cancelling_the_task_that_reads_cancels_too(backend: Backend) -> None:
    task = asyncio.create_task(collect(backend, replace(REQUEST, max_tokens=450)))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert text(await collect(backend, replace(REQUEST, max_tokens=3)))


async def test_conversations_at_the_same_time_all_get_their_own_reply(backend: Backend) -> None:
    requests = [replace(REQUEST, seed=seed, max_tokens=40) for seed in range(4)]
    alone = [text(await collect(backend, request)) for request in requests]
    together = await asyncio.gather(*(collect(backend, request) for request in requests))
    assert [text(events) for events in together] == alone
    for events in together:
        waits = places(events)
        assert waits == sorted(waits, reverse=True)
        assert all(place >= 1 for place in waits)
        assert not any(isinstance(event, Queued) for event in events[len(waits) :])


async def test_what_cannot_be_done_is_a_typed_error(backend: Backend) -> None:
    if backend.name == "scripted":
        impossible, code = replace(REQUEST, script=None), ErrorCode.UNSUPPORTED
    else:
        impossible, code = replace(REQUEST, turns=(Turn("user", "word " * 600),)), ErrorCode.CAPACITY
    with pytest.raises(BackendError) as raised:
        await collect(backend, impossible)
    assert raised.value.code is code
    assert not raised.value.is_retryable
    assert "word word" not in raised.value.sentence
    assert text(await collect(backend, REQUEST))


async def test_scores_are_probabilities_in_the_order_asked(backend: Backend) -> None:
    turns = questions.zero_shot(QUESTION, OPTIONS)
    letters = ("A", "B", "C", "D")
    scores = await backend.score(ScoreRequest(letters, turns=turns, script=SCRIPT))
    assert tuple(score.continuation for score in scores) == letters
    assert all(score.tokens == 1 for score in scores)
    assert 0 < math.fsum(math.exp(score.logprob) for score in scores) <= 1 + 1e-9
    backwards = await backend.score(ScoreRequest(letters[::-1], turns=turns, script=SCRIPT))
    for one, other in zip(scores, reversed(backwards), strict=True):
        assert one.logprob == pytest.approx(other.logprob, abs=1e-5)


async def test_remote_and_local_scores_are_the_same(model_folder: Path, engine_url: str) -> None:
    request = ScoreRequest(("A", "B two", "C"), turns=questions.zero_shot(QUESTION, OPTIONS))
    plain = ScoreRequest(("A", "B two", "C"), prompt=questions.zero_shot_plain(QUESTION, OPTIONS))
    local = make_backend(AssistantConfig("in_process", model=str(model_folder)))
    remote = make_backend(AssistantConfig("engine", base_url=engine_url))
    for one in (request, plain):
        for ours, theirs in zip(await local.score(one), await remote.score(one), strict=True):
            assert (ours.continuation, ours.tokens) == (theirs.continuation, theirs.tokens)
            assert ours.logprob == pytest.approx(theirs.logprob, abs=1e-5)
    await local.aclose()
    await remote.aclose()


async def test_health_says_what_is_served(backend: Backend) -> None:
    health = await backend.health()
    assert health.is_ok, health.sentence
    assert health.backend == backend.name
    assert health.model
    assert health.can_score


async def test_it_satisfies_the_protocol(backend: Backend) -> None:
    for member in ("name", "stream", "score", "health", "aclose"):
        found: Any = getattr(backend, member)
        assert found
