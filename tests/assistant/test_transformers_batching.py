"""Models that our batcher does not serve exactly, in a batch of transformers': the same text, and none of its traps."""

from __future__ import annotations

import logging
import queue
import time
import weakref
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
import transformers
from transformers.generation.continuous_batching import input_outputs
from transformers.generation.continuous_batching.cache import PagedAttentionMemoryHandler

from studies.assistant.engine import paged, transformers_trial
from studies.assistant.engine.batcher import Batcher
from studies.assistant.engine.encode import ScoreTokens
from studies.assistant.engine.lines import new_line
from studies.assistant.engine.loader import LoadError
from studies.assistant.engine.one_at_a_time import OneAtATime
from studies.assistant.engine.sizes import Sizes
from studies.assistant.engine.step import shape_of
from studies.assistant.engine.transformers_batching import TransformersBatching
from studies.assistant.engine.transformers_trial import NotExact, exact_line
from studies.assistant.types import BackendError, ErrorCode, FinishReason
from tests.assistant.test_batching import COMMON, CONTEXT, SERVED, alone, ask, asked, is_empty, made_of, tokens

MISTRAL = transformers.MistralConfig(sliding_window=24, **COMMON)
WINDOWED = {
    "mistral": MISTRAL,
    "phi3": transformers.Phi3Config(sliding_window=40, **COMMON),
    "gemma3": transformers.Gemma3TextConfig(head_dim=16, sliding_window=32, tie_word_embeddings=False, **COMMON),
    "gpt-oss": transformers.GptOssConfig(head_dim=16, num_local_experts=4, sliding_window=32, **COMMON),
}
GEMMA2 = transformers.Gemma2Config(
    head_dim=16,
    sliding_window=32,
    query_pre_attn_scalar=1,
    attn_logit_softcapping=0.5,
    tie_word_embeddings=False,
    **COMMON,
)
GPT2 = transformers.GPT2Config(
    vocab_size=300, n_embd=64, n_layer=3, n_head=4, n_positions=CONTEXT, initializer_range=0.3, eos_token_id=1
)
GPTJ = transformers.GPTJConfig(vocab_size=300, n_embd=64, n_layer=2, n_head=4, rotary_dim=8, n_positions=CONTEXT)
FALCON = transformers.FalconConfig(vocab_size=300, hidden_size=64, num_hidden_layers=2, num_attention_heads=4)
SIZES = Sizes(seats=4, seat_tokens=256, stored_tokens=32_768)


@pytest.fixture
def make() -> Iterator[Any]:
    made: list[TransformersBatching] = []

    def line(config: Any = MISTRAL, attention: str = "sdpa", **sizes: int) -> TransformersBatching:
        made.append(TransformersBatching(made_of(config), replace(SIZES, **sizes), attention))
        return made[-1]

    yield line
    for each in made:
        each.close()


@pytest.mark.parametrize("name", WINDOWED)
def test_greedy_tokens_are_those_of_generate_whatever_shares_the_batch(name: str) -> None:
    """More requests than seats, beyond and below the window and a step, arrivals and cancels in the middle."""
    config = WINDOWED[name]
    line = new_line(made_of(config), SIZES)
    assert isinstance(line, TransformersBatching)
    asks = [
        (tokens(1, 700), 30), (tokens(2, 7), 20), (tokens(3, 250), 25), (tokens(4, 33), 40),
        (tokens(5, 31), 12), (tokens(6, 90), 60), (tokens(7, 3), 22),
    ]  # fmt: skip
    heard = []
    for number, (prompt, count) in enumerate(asks):
        heard.append(ask(line, prompt, asked(count)))
        if number % 3 == 2:
            heard[number - 1].has_begun()  # some are in the middle by now
            gone = ask(line, tokens(50 + number, 60), asked(200))
            heard[number].has_begun()
            line.cancel(gone.tickets)
    got = [each.tokens() for each in heard]
    assert got == [alone(config, prompt, count) for prompt, count in asks]
    assert len({token for each in got for token in each}) > 20
    assert is_empty(line)
    line.close()


def test_a_seed_gives_the_same_text_whatever_else_is_in_the_batch_and_as_one_at_a_time(make: Any) -> None:
    requests = [asked(40, temperature=1.0 + seed / 10, top_p=0.9, seed=seed) for seed in range(4)]
    slow = OneAtATime(made_of(MISTRAL))
    expected = [ask(slow, tokens(seed, 50), request).tokens() for seed, request in enumerate(requests)]
    slow.close()
    line = make()
    crowd = [ask(line, tokens(50 + n, 90), asked(30, temperature=n % 2 * 1.5, seed=n)) for n in range(6)]
    crowded = [ask(line, tokens(seed, 50), request) for seed, request in enumerate(requests)]
    assert [each.tokens() for each in crowded] == expected
    assert len({tuple(each) for each in expected}) == 4
    assert all(len(each.tokens()) == 30 for each in crowd)


def test_trap_a_text_that_is_too_long_is_refused_and_the_others_go_on(make: Any) -> None:
    line = make(seats=2, seat_tokens=64, stored_tokens=3000)
    assert line.room < CONTEXT
    writing = ask(line, tokens(1, 20), asked(60))
    with pytest.raises(
        BackendError, match=rf"a reply of 60 do not fit the engine's memory, which holds {line.room}"
    ) as raised:
        ask(line, tokens(2, line.room - 40), asked(60))
    assert raised.value.code is ErrorCode.CAPACITY
    longest = ask(line, tokens(3, line.room - 60), asked(60))
    assert len(longest.tokens()) == len(writing.tokens()) == 60
    assert line.is_alive


def test_trap_its_thread_dies_and_whom_it_served_hears_a_typed_error(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = make(seats=2)
    plain = line._loaded.model.forward

    def failing(*arguments: Any, **options: Any) -> Any:
        if int(options["position_ids"].max()) >= 300:
            raise ZeroDivisionError("secret words")
        return plain(*arguments, **options)

    monkeypatch.setattr(line._loaded.model, "forward", failing)
    good, bad, waiting = (
        ask(line, tokens(1, 20), asked(400)),
        ask(line, tokens(2, 290), asked(20)),
        ask(line, [5], asked(9)),
    )
    for each in (good, bad):
        with pytest.raises(BackendError, match="the model failed: ZeroDivisionError") as raised:
            each.end()
        assert raised.value.code is ErrorCode.INTERNAL
    assert waiting.tokens() == alone(MISTRAL, [5], 9)  # by the thread that came after
    assert line.is_alive
    assert is_empty(line)


def test_after_a_fall_the_old_cache_is_gone_and_the_room_is_that_of_the_new_one(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Less memory is free by then: whoever waits and no longer fits hears of it, and stands in nobody's way."""
    line = make(seats=1)
    plain, new_manager, room = line._loaded.model.forward, paged.new_manager, line.room
    old = weakref.ref(line._manager.batch_processor.cache)
    was_gone: list[bool] = []

    def failing(*arguments: Any, **options: Any) -> Any:
        if int(options["position_ids"].max()) >= 300:
            raise torch.OutOfMemoryError("no memory")
        return plain(*arguments, **options)

    def watched(*arguments: Any) -> Any:
        was_gone.append(old() is None)
        monkeypatch.setattr(PagedAttentionMemoryHandler, "get_available_memory", lambda cache: 8 * 2**20)
        return new_manager(*arguments)

    monkeypatch.setattr(line._loaded.model, "forward", failing)
    monkeypatch.setattr(paged, "new_manager", watched)
    # pytest keeps what is logged, with tracebacks.
    monkeypatch.setattr(logging.getLogger("ContinuousBatchingLogger"), "disabled", True)
    bad, long, waiting = (
        ask(line, tokens(1, 290), asked(20)),
        ask(line, tokens(2, room - 100), asked(60)),
        ask(line, [5], asked(9)),
    )
    with pytest.raises(BackendError, match="a conversation of 290 tokens does not fit") as raised:
        bad.end()
    assert raised.value.code is ErrorCode.CAPACITY
    with pytest.raises(BackendError, match="do not fit the engine's memory, which holds") as raised:
        long.end()
    assert raised.value.code is ErrorCode.CAPACITY
    assert waiting.tokens() == alone(MISTRAL, [5], 9)
    assert was_gone == [True]
    assert line.room == paged.room(line._manager) < room
    with pytest.raises(BackendError, match=f"which holds {line.room}"):
        ask(line, tokens(2, room - 100), asked(60))


def test_a_model_that_fails_again_and_again_ends_the_engine(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    line = make(seats=1)

    def failing(*arguments: Any, **options: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(line._loaded.model, "forward", failing)
    heard = [ask(line, [5], asked(9)) for _ in range(3)]
    codes = []
    for each in heard:
        with pytest.raises(BackendError) as raised:
            each.end()
        codes.append(raised.value.code)
    assert codes == [ErrorCode.INTERNAL, ErrorCode.INTERNAL, ErrorCode.UNREACHABLE]
    line._thread.join(5)
    assert not line.is_alive


def test_trap_a_cancel_leaves_nothing_behind(make: Any) -> None:
    line = make(seats=4, max_waiting=100)
    heard = [ask(line, tokens(n, 5 + n % 40), asked(10 + n % 30)) for n in range(40)]
    for each in heard[::3]:
        line.cancel(each.tickets)
    for number, each in enumerate(heard):
        if number % 3:
            each.end()
    assert is_empty(line)
    cancelled = ask(line, tokens(1, 20), asked(1500))
    cancelled.has_begun()
    line.cancel(cancelled.tickets)
    at = len(cancelled.tickets[0].written)  # type: ignore[attr-defined]
    assert ask(line, [7], asked(3)).tokens()
    assert len(cancelled.tickets[0].written) <= at + 3  # type: ignore[attr-defined]
    processor = line._manager.batch_processor
    assert is_empty(line)
    time.sleep(0.2)  # a step of transformers' thread
    assert not processor.has_pending_requests()
    assert not line._manager.output_router.result_handlers
    assert processor.cache.compute_free_capacity() == 1.0
    assert line._seated == {}


@pytest.mark.parametrize(("config", "attention"), [(MISTRAL, "sdpa"), (WINDOWED["gpt-oss"], "eager")])
def test_trap_cache_and_masks_stay_within_the_budget(config: Any, attention: str) -> None:
    for stored in (16_384, 65_536):
        sizes = replace(SIZES, stored_tokens=stored)
        loaded = made_of(config)
        line = TransformersBatching(loaded, sizes, attention)
        io = line._manager.batch_processor.inputs_and_outputs
        held = [io.cache.cache_tensor[2 * io.cache.bytes_per_sector :], *io.attention_mask.values()]
        taken = sum(tensor.numel() * tensor.element_size() for tensor in held)
        budget = (4 * 256 + stored) * shape_of(loaded).bytes_per_token
        assert budget * 0.98 - io.cache.bytes_per_sector < taken < budget + 2 * io.cache.bytes_per_sector
        line.close()


def test_a_cache_for_which_too_little_memory_is_free_is_made_smaller(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = make().room
    monkeypatch.setattr(PagedAttentionMemoryHandler, "get_available_memory", lambda cache: 24 * 2**20)
    line = make()
    assert 0 < line.room < wanted
    assert ask(line, tokens(3, 60), asked(8)).tokens() == alone(MISTRAL, tokens(3, 60), 8)
    monkeypatch.setattr(PagedAttentionMemoryHandler, "get_available_memory", lambda cache: 1000)
    with pytest.raises(MemoryError):
        make()


def test_trap_only_those_are_admitted_for_whose_whole_text_there_is_room(make: Any) -> None:
    line = make(stored_tokens=8000)
    each_takes = line.room // 2 - 40
    heard = [ask(line, tokens(n, each_takes - 60), asked(60)) for n in range(5)]
    most = 0
    while not heard[-1].events.qsize() > 40:
        most = max(most, line.counts()[0])
        time.sleep(0.002)
    assert most == 2
    assert [len(each.tokens()) for each in heard] == [60] * 5


def test_those_who_wait_for_a_seat_hear_their_place(make: Any) -> None:
    line = make(seats=2)
    heard = [ask(line, tokens(n, 40), asked(30 + 20 * n)) for n in range(5)]
    places = []
    for each in heard:
        each.end()
    for each in heard:
        places.append(each.places)
    assert places == [[], [], [1], [2, 1], [3, 2, 1]]


def test_scores_beside_replies_are_those_of_a_plain_forward_pass(make: Any) -> None:
    line, plain = make(WINDOWED["gpt-oss"], "eager"), made_of(WINDOWED["gpt-oss"]).model
    asks = [ScoreTokens(tokens(1, 700), [[5], [6], [7]]), ScoreTokens(tokens(2, 60), [[5, 9, 11], [6], [8, 4]])]
    prompt = tokens(3, 60)
    writing = ask(line, prompt, asked(600))
    writing.has_begun()
    for each in asks:
        heard: queue.Queue[Any] = queue.Queue()
        line.score(each, ["a", "b", "c"], heard.put)
        scores = heard.get(timeout=60)
        for score, ids in zip(scores, each.continuations, strict=True):
            rows = plain(torch.tensor([each.context + ids])).logits[0].float().log_softmax(-1)
            first = len(each.context) - 1
            expected = sum(rows[first + place, token].item() for place, token in enumerate(ids))
            assert score.logprob == pytest.approx(expected, abs=1e-4)
    assert line.counts()[0] == 1  # it is still being written
    assert writing.tokens() == alone(WINDOWED["gpt-oss"], prompt, 600)


def test_a_model_that_it_would_change_is_found_out_and_served_one_at_a_time(caplog: pytest.LogCaptureFixture) -> None:
    """Its eager attention leaves the soft cap out; sdpa does not take the model."""
    assert transformers_trial.attentions(made_of(GEMMA2)) == []
    wrong = TransformersBatching(made_of(GEMMA2), SIZES, "eager")
    prompt = tokens(1, 100)
    assert ask(wrong, prompt, asked(20)).tokens() != alone(GEMMA2, prompt, 20)
    wrong.close()
    loaded = made_of(GEMMA2)
    with caplog.at_level(logging.WARNING):
        line = new_line(loaded, SIZES)
    assert isinstance(line, OneAtATime)
    assert "is served one request at a time: it has layers of sliding_attention" in caplog.text
    assert ask(line, prompt, asked(20)).tokens() == alone(GEMMA2, prompt, 20)
    line.close()


@pytest.mark.parametrize(
    ("config", "names"),
    [
        (MISTRAL, ["sdpa"]),
        (WINDOWED["gpt-oss"], ["eager"]),  # sdpa and some flash attentions have no sinks
        (transformers.GptOssConfig(head_dim=16, num_local_experts=4, attn_logit_softcapping=1.0, **COMMON), []),
        (GEMMA2, []),
        (FALCON, []),  # computes its attention itself
    ],
)
def test_only_attentions_that_may_be_exact_are_tried(config: Any, names: list[str]) -> None:
    assert transformers_trial.attentions(made_of(config)) == names


@pytest.mark.parametrize("config", [GEMMA2, MISTRAL, transformers.MistralConfig(sliding_window=300, **COMMON)])
def test_the_trial_finds_an_attention_that_gives_other_logits(config: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Soft-capping left out; and a window that is one token wider than the model's."""
    monkeypatch.setattr(transformers_trial, "attentions", lambda _: ["eager"])
    loaded = made_of(config)
    if config is not GEMMA2:
        plain = input_outputs.build_attention_mask
        monkeypatch.setattr(
            input_outputs,
            "build_attention_mask",
            lambda **given: plain(**given | {"sliding_window": given["sliding_window"] + 1}),
        )
    with pytest.raises(NotExact, match=r"eager gave other logits than its own attention after \d+ tokens"):
        exact_line(loaded, SIZES)
    assert loaded.model.config._attn_implementation == "eager"
    prompt = tokens(1, 40)
    ids = torch.tensor([prompt])
    made = loaded.model.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=5, do_sample=False, pad_token_id=0, eos_token_id=299
    )
    assert made[0, 40:].tolist() == alone(config, prompt, 5)  # the model is as it was


def test_models_that_have_full_attention_can_be_asked_for_too() -> None:
    for config in (GPT2, SERVED["llama"]):
        own = new_line(made_of(config), SIZES)
        assert isinstance(own, Batcher)
        own.close()
        line = new_line(made_of(config), SIZES, "transformers")
        prompts = [tokens(n, 30 + 40 * n) for n in range(3)]
        heard = [ask(line, prompt, asked(15)) for prompt in prompts]
        assert [each.tokens() for each in heard] == [alone(config, prompt, 15) for prompt in prompts]
        line.close()


def test_none_is_one_at_a_time() -> None:
    line = new_line(made_of(SERVED["llama"]), SIZES, "none")
    assert isinstance(line, OneAtATime)
    line.close()


@pytest.mark.parametrize(
    ("config", "batching", "said"),
    [
        (MISTRAL, "own", "'own': .* exactly: its attention looks back 24 tokens only; use auto"),
        (GEMMA2, "transformers", "'transformers': .* exactly: no attention of transformers' batching does what"),
        (GPTJ, "transformers", "'transformers': .* exactly: no attention of transformers' batching does what"),
        (MISTRAL, "both", "batching='both': use one of auto, own, transformers, none"),
    ],
)
def test_a_choice_that_is_not_exact_is_refused(config: Any, batching: Any, said: str) -> None:
    with pytest.raises(LoadError, match=said):
        new_line(made_of(config), SIZES, batching)


def test_too_little_memory_for_a_trial_is_a_reason() -> None:
    with pytest.raises(NotExact, match="sdpa has memory for 16 tokens only"):
        exact_line(made_of(MISTRAL), replace(SIZES, seat_tokens=16, stored_tokens=0))


def test_a_short_queue_does_not_stop_the_trial() -> None:
    line = exact_line(made_of(MISTRAL), replace(SIZES, seats=1, max_waiting=1))
    assert ask(line, [5], asked(9)).tokens() == alone(MISTRAL, [5], 9)
    line.close()


def test_deadlines_end_a_reply_and_a_wait(make: Any) -> None:
    line = make(seats=1)
    first = ask(line, tokens(1, 20), asked(1500, deadline_seconds=0.5))
    waiting = ask(line, tokens(2, 20), asked(20, deadline_seconds=0.2))
    assert waiting.end().reason is FinishReason.DEADLINE
    assert waiting.text == ""
    assert first.end().reason is FinishReason.DEADLINE
    assert alone(MISTRAL, tokens(1, 20), 5) == [int(number) for number in first.text.split()][:5]
    assert is_empty(line)


def test_an_end_token_and_a_stop_string_end_a_reply_and_are_not_in_it() -> None:
    prompt = tokens(1, 50)
    plain = alone(MISTRAL, prompt, 20)
    first = plain.index(plain[9])
    line = TransformersBatching(replace(made_of(MISTRAL), end_ids=frozenset({plain[9]})), SIZES)
    ended = ask(line, prompt, asked(20))
    assert (ended.end().reason, [int(number) for number in ended.text.split()]) == (FinishReason.STOP, plain[:first])
    stopped = ask(line, prompt, asked(20, stop=(f"{plain[3]} {plain[4]} ",)))
    assert (stopped.end().reason, stopped.text) == (FinishReason.STOP, "".join(f"{token} " for token in plain[:3]))
    assert is_empty(line)
    line.close()
