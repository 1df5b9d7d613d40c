"""How much the engine holds: fitted into memory, or refused with what to change."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest
import torch
import transformers
from django.core.management import CommandError, call_command

from studies.assistant.engine import serve
from studies.assistant.engine.backend import EngineBackend
from studies.assistant.engine.batcher import Batcher
from studies.assistant.engine.lines import new_line
from studies.assistant.engine.loader import LoadedModel, LoadError
from studies.assistant.engine.one_at_a_time import OneAtATime
from studies.assistant.engine.sizes import GIB, Asked, Sizes
from studies.assistant.engine.step import shape_of
from studies.assistant.types import BackendError, ErrorCode, Request, Turn
from tests.assistant.streams import collect, text
from tests.assistant.test_batching import COMMON, SERVED, Numbers, alone, ask, asked, made_of, tokens


class Described:
    """A model of which only the configuration is here."""

    def __init__(self, config: Any, dtype: torch.dtype) -> None:
        self.config, self.dtype = config, dtype


def described(context: int, dtype: torch.dtype = torch.float32, **changes: int) -> LoadedModel:
    config = transformers.LlamaConfig(**COMMON | changes | {"max_position_embeddings": context})
    return LoadedModel("big", "", Described(config, dtype), Numbers(), torch.device("cpu"), context, frozenset())


def kib(loaded: LoadedModel) -> float:
    return shape_of(loaded).bytes_per_token / 2**10


LLAMA_8B = described(131_072, torch.bfloat16, num_hidden_layers=32, num_key_value_heads=8, head_dim=128)
LLAMA_1B = described(131_072, num_hidden_layers=16, num_key_value_heads=8, head_dim=64)
QWEN3_06B = described(40_960, num_hidden_layers=28, num_key_value_heads=8, head_dim=128)


def test_seats_come_first_and_the_rest_is_for_what_is_kept(loaded: LoadedModel) -> None:
    token = shape_of(loaded).bytes_per_token
    assert token == 2 * 2 * 2 * 16 * 4  # keys and values, layers, heads, size, bytes
    asked = Asked(seats=4, seat_tokens=256, max_waiting=9, cache_gib=(4 * 256 + 1000) * token / GIB)
    sizes = asked.fitted(loaded)
    assert (sizes.seats, sizes.seat_tokens, sizes.max_waiting) == (4, 256, 9)
    assert sizes.stored_tokens in (999, 1000)


def test_a_seat_is_never_longer_than_the_model_s_context(loaded: LoadedModel) -> None:
    assert Asked(seats=1, seat_tokens=100_000, max_waiting=1).fitted(loaded).seat_tokens == loaded.context_length


def test_too_little_memory_is_refused_with_what_would_do(loaded: LoadedModel) -> None:
    with pytest.raises(
        LoadError, match=r"32 seats of 512 tokens .* need 0\.0[0-9] GiB .* there are 0\.00; lower --seats"
    ):
        Asked(seats=32, seat_tokens=1024, max_waiting=1, cache_gib=0.001).fitted(loaded)


@pytest.mark.parametrize(
    ("loaded", "gib", "seats", "longest"),
    [
        (LLAMA_8B, 20.0, 32, 131_072),  # all of it, to the last token
        (LLAMA_8B, 5.6, 32, 13_107),  # what a card of 24 GB leaves
        (LLAMA_1B, 4.0, 32, 32_768),  # a CPU's default
        (QWEN3_06B, 4.0, 10, 8_484),  # 32 seats alone would need 7 GiB
        (QWEN3_06B, 2.0, 4, 5_266),
        (QWEN3_06B, 15.75, 32, 40_960),
    ],
)
def test_common_models_start_and_say_what_fits(
    loaded: LoadedModel, gib: float, seats: int, longest: int, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        sizes = Asked(cache_gib=gib).fitted(loaded)
    assert (sizes.seats, sizes.seat_tokens, sizes.longest_text(loaded)) == (seats, 1024, longest)
    assert (sizes.seats * sizes.seat_tokens + sizes.stored_tokens) * kib(loaded) <= gib * 2**20
    if longest == loaded.context_length:
        assert caplog.text == ""
    else:
        assert len(caplog.records) == 1
        assert (
            f"big: in a cache of {gib:.2f} GiB there is room for {seats} seats of 1024 tokens and for conversations of "
            f"{longest}, where the model takes {loaded.context_length}; longer ones are refused. Raise --cache-gib"
        ) in caplog.text


def test_what_was_asked_for_is_kept_or_refused() -> None:
    assert Asked(seats=12, cache_gib=4.0).fitted(QWEN3_06B).seats == 12
    asked = Asked(context_tokens=16_000, cache_gib=4.0)
    sizes = asked.fitted(asked.shortened(QWEN3_06B))
    assert (sizes.seats, sizes.stored_tokens) == (2, 16_676)
    asked = Asked(context_tokens=20_000, cache_gib=4.0)
    with pytest.raises(LoadError, match=r"1 seats of 1024 tokens and one text of 20000 need 4\.49 GiB .* there are 4"):
        asked.fitted(asked.shortened(QWEN3_06B))
    with pytest.raises(LoadError, match=r"--context-tokens 50000: big takes 40960 at most"):
        Asked(context_tokens=50_000).shortened(QWEN3_06B)


async def test_a_conversation_beyond_what_fits_is_refused_with_the_limit(
    loaded: LoadedModel, caplog: pytest.LogCaptureFixture
) -> None:
    model = replace(loaded, end_ids=frozenset(), context_length=2000)
    token = shape_of(loaded).bytes_per_token
    with caplog.at_level(logging.WARNING):
        backend = EngineBackend(model, Asked(seats=1, seat_tokens=128, cache_gib=1628.5 * token / GIB), "own")
    assert "conversations of 1500, where the model takes 2000" in caplog.text
    try:
        assert text(await collect(backend, Request((Turn("user", "word " * 300),), max_tokens=8)))
        with pytest.raises(BackendError, match=r"takes 1500 together: reset the conversation") as raised:
            await collect(backend, Request((Turn("user", "word " * 700),), max_tokens=90))
        assert raised.value.code is ErrorCode.CAPACITY
    finally:
        await backend.aclose()


def test_a_text_as_long_as_the_limit_is_served() -> None:
    line = Batcher(made_of(SERVED["llama"]), Sizes(seats=2, seat_tokens=128, stored_tokens=400))
    assert line.context_length == 400
    for new in (1, 60, 96):
        prompt = tokens(new, 400 - new)
        assert ask(line, prompt, asked(new)).tokens() == alone(SERVED["llama"], prompt, new)
    line.close()


def test_one_at_a_time_needs_no_such_cache(loaded: LoadedModel) -> None:
    asked = Asked(cache_gib=0.0001, context_tokens=300, max_waiting=3)
    line = new_line(asked.shortened(loaded), asked, "none")
    assert isinstance(line, OneAtATime)
    assert line.context_length == 300
    line.close()


@pytest.mark.parametrize(
    ("option", "value", "allowed"),
    [("seats", 0, 1), ("seat_tokens", 10, 64), ("max_waiting", -1, 1), ("context_tokens", 9, 64)],
)
def test_the_command_refuses_values_that_make_no_sense(
    model_folder: object, option: str, value: int, allowed: int
) -> None:
    name = option.replace("_", "-")
    with pytest.raises(CommandError, match=f"--{name} {value}: use {allowed} or more"):
        call_command("run_engine", model=str(model_folder), port=0, device="cpu", **{option: value})


def test_the_command_serves_without_batching_in_any_memory(
    model_folder: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[EngineBackend] = []

    def take(make: Any, listening: Any, say: Any) -> None:
        served.append(make())
        listening.close()

    monkeypatch.setattr(serve, "serve", take)
    few: dict[str, Any] = {"cache_gib": 0.0001, "batching": "none", "context_tokens": 200}
    call_command("run_engine", model=str(model_folder), port=0, device="cpu", **few)
    assert served[0]._loaded.context_length == 200
    served[0]._batcher.close()


def test_what_is_kept_takes_no_room_from_a_text_within_the_limit() -> None:
    """What it shares with a text that is kept is read anew, where both do not fit; also in a chat that goes on."""
    line = Batcher(made_of(SERVED["llama"]), Sizes(seats=2, seat_tokens=128, stored_tokens=400))
    first, second = tokens(1, 300), tokens(1, 160) + tokens(2, 220)
    for prompt in (first, second, first):
        written = ask(line, prompt, asked(16)).tokens()
        assert written == alone(SERVED["llama"], prompt, 16)
    for _ in range(3):
        prompt = [*prompt, *written, *tokens(3, 8)]
        written = ask(line, prompt, asked(16)).tokens()
        assert written == alone(SERVED["llama"], prompt, 16)
    line.close()
