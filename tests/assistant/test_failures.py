"""Whatever fails for one of many conversations, the others get what they would get alone, and the engine goes on."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch

from studies.assistant.engine import batcher as engine
from studies.assistant.engine import serve
from studies.assistant.engine.admit import Admission
from studies.assistant.engine.backend import EngineBackend
from studies.assistant.engine.batcher import Batcher
from studies.assistant.engine.cache import Shape
from studies.assistant.engine.loader import load
from studies.assistant.engine.sizes import Sizes
from studies.assistant.engine.text import TextStream
from studies.assistant.types import BackendError, ErrorCode
from tests.assistant.test_batching import SERVED, Answered, alone, ask, asked, is_empty, made_of, score, tokens

LLAMA = SERVED["llama"]
STORY = tokens(9, 300)
PROMPTS = [STORY + tokens(number, 6 + 5 * number) for number in range(4)]
OUT_OF_MEMORY = torch.OutOfMemoryError("CUDA out of memory")


@pytest.fixture
def batcher() -> Iterator[Batcher]:
    made = Batcher(made_of(LLAMA), Sizes(seats=4, seat_tokens=256, stored_tokens=8192))
    yield made
    assert is_empty(made)
    assert not any(entry.pins for entry in made._store.entries if entry.parent is None and not _children(made, entry))
    made.close()


def _children(made: Batcher, entry: Any) -> list[Any]:
    return [each for each in made._store.entries if each.parent is entry]


def refused(heard: Answered) -> ErrorCode:
    with pytest.raises(BackendError) as raised:
        heard.end()
    return raised.value.code


def all_are_right(batcher: Batcher, count: int = 20) -> None:
    heard = [ask(batcher, prompt, asked(count)) for prompt in PROMPTS]
    for prompt, each in zip(PROMPTS, heard, strict=True):
        assert each.tokens() == alone(LLAMA, prompt, count)


def test_a_text_that_cannot_be_put_together_ends_one_reply_alone(
    batcher: Batcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = TextStream.push
    pushed: dict[int, int] = {}

    def push(text: TextStream, token: int) -> str:
        pushed[id(text)] = pushed.get(id(text), 0) + 1
        if id(text) == spoilt and pushed[id(text)] == 8:
            raise ZeroDivisionError
        return plain(text, token)

    monkeypatch.setattr(TextStream, "push", push)
    spoilt = 0
    heard = [ask(batcher, prompt, asked(60)) for prompt in PROMPTS]
    spoilt = id(heard[1].tickets[0].text)  # type: ignore[attr-defined]
    assert refused(heard[1]) is ErrorCode.INTERNAL
    for number in (0, 2, 3):
        assert heard[number].tokens() == alone(LLAMA, PROMPTS[number], 60)
    all_are_right(batcher)


def test_a_step_that_is_too_large_is_taken_in_smaller_ones(batcher: Batcher, monkeypatch: pytest.MonkeyPatch) -> None:
    model = batcher._loaded.model
    plain = model.forward
    sizes: list[int] = []

    def small(*arguments: Any, input_ids: torch.Tensor, **options: Any) -> Any:
        if input_ids.shape[-1] > 40:
            raise OUT_OF_MEMORY
        sizes.append(input_ids.shape[-1])
        return plain(*arguments, input_ids=input_ids, **options)

    monkeypatch.setattr(model, "forward", small)
    all_are_right(batcher, 5)
    assert max(sizes) > 1
    assert score(batcher, STORY[:100]).events.get(timeout=60)


def test_a_step_that_never_fits_is_a_capacity_error(batcher: Batcher, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: Any, **options: Any) -> Any:
        raise OUT_OF_MEMORY

    with monkeypatch.context() as patch:
        patch.setattr(batcher._loaded.model, "forward", full)
        assert {refused(ask(batcher, prompt, asked())) for prompt in PROMPTS} == {ErrorCode.CAPACITY}
    all_are_right(batcher)


def test_what_a_failed_step_held_is_free_before_the_next_try(batcher: Batcher, monkeypatch: pytest.MonkeyPatch) -> None:
    model = batcher._loaded.model
    plain = model.forward
    held: list[weakref.ref[torch.Tensor]] = []

    def once(*arguments: Any, **options: Any) -> Any:
        if not held:
            activations = torch.zeros(1000)
            held.append(weakref.ref(activations))
            raise OUT_OF_MEMORY
        assert held[0]() is None
        return plain(*arguments, **options)

    monkeypatch.setattr(model, "forward", once)
    gc.disable()
    try:
        assert ask(batcher, PROMPTS[0], asked()).tokens() == alone(LLAMA, PROMPTS[0], 20)
    finally:
        gc.enable()
    assert held


@pytest.mark.parametrize("error", [OUT_OF_MEMORY, ZeroDivisionError()], ids=["memory", "another"])
def test_tokens_that_cannot_be_chosen_together_are_chosen_alone(
    batcher: Batcher, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    plain = engine.choose
    together: list[int] = []

    def choose(logits: torch.Tensor, draws: Any) -> list[int]:
        if len(draws) > 1:
            together.append(len(draws))
            raise error
        return plain(logits, draws)

    monkeypatch.setattr(engine, "choose", choose)
    all_are_right(batcher)
    assert together


def test_words_that_cannot_be_kept_are_read_again(batcher: Batcher, monkeypatch: pytest.MonkeyPatch) -> None:
    def keep(*_: Any) -> None:
        raise OUT_OF_MEMORY

    monkeypatch.setattr(Admission, "keep", keep)
    all_are_right(batcher, 40)
    all_are_right(batcher, 40)


def test_whoever_gets_no_seat_for_an_error_is_told(batcher: Batcher, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Admission.seat

    def seat(admission: Admission, guest: Any, slot: int, waiting: Any) -> Any:
        if len(guest.ids) == len(PROMPTS[1]):
            raise OUT_OF_MEMORY
        return plain(admission, guest, slot, waiting)

    with monkeypatch.context() as patch:
        patch.setattr(Admission, "seat", seat)
        heard = [ask(batcher, prompt, asked()) for prompt in PROMPTS]
        assert refused(heard.pop(1)) is ErrorCode.CAPACITY
        for prompt, each in zip([PROMPTS[0], *PROMPTS[2:]], heard, strict=True):
            assert each.tokens() == alone(LLAMA, prompt, 20)
    all_are_right(batcher)


def test_memory_in_pieces_lets_go_what_is_idle_and_then_waits_or_refuses(
    batcher: Batcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The budget has room, and the device has no piece of that size."""
    plain = Shape.empty
    largest = 10_000

    def empty(shape: Shape, *dimensions: int) -> list[torch.Tensor]:
        held = sum(entry.cost for entry in batcher._store.entries)
        if held + dimensions[-1] > largest:
            raise OUT_OF_MEMORY
        return plain(shape, *dimensions)

    monkeypatch.setattr(Shape, "empty", empty)
    all_are_right(batcher)
    largest = 330
    other = tokens(77, 320)
    assert ask(batcher, other, asked()).tokens() == alone(LLAMA, other, 20)
    all_are_right(batcher)
    largest = 0
    assert refused(ask(batcher, tokens(78, 320), asked())) is ErrorCode.CAPACITY


def test_a_listener_that_fails_harms_itself_alone(batcher: Batcher) -> None:
    def deaf(event: Any) -> None:
        raise RuntimeError("nobody is there")

    batcher.generate(PROMPTS[0], asked(), deaf)
    all_are_right(batcher)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_process_whose_engine_died_ends(model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that answered every request with an error would look alive to whoever starts it again."""
    backend = EngineBackend(load(str(model_folder)))
    monkeypatch.setattr(backend._batcher, "_leave", lambda: 1 // 0)  # ends its thread
    replies: list[Future[httpx.Response]] = []

    def ask_once(address: str) -> None:
        body = {"messages": [{"role": "user", "content": "?"}], "max_tokens": 5}
        url = f"{address}/v1/chat/completions"
        replies.append(pool.submit(httpx.post, url, json=body, trust_env=False, timeout=30))

    with ThreadPoolExecutor() as pool:
        with pytest.raises(serve.BackendDied, match="start the engine again"):
            serve.serve(lambda: backend, serve.bind(0), ask_once)
        assert [reply.result().status_code for reply in replies] == [503]
