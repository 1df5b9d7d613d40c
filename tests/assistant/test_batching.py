"""Many conversations in one batch: each gets what it would get alone, whatever shares the step with it."""

from __future__ import annotations

import copy
import queue
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import torch
import transformers

from studies.assistant.engine import line, supports
from studies.assistant.engine.batcher import CHUNK, PATIENT_CHUNKS, PATIENT_SHARE, Batcher
from studies.assistant.engine.encode import ScoreTokens
from studies.assistant.engine.line import Heard, Ticket
from studies.assistant.engine.lines import AnyLine
from studies.assistant.engine.loader import LoadedModel
from studies.assistant.engine.one_at_a_time import OneAtATime
from studies.assistant.engine.sizes import Sizes
from studies.assistant.engine.step import Part
from studies.assistant.types import BackendError, Done, ErrorCode, Piece, Queued, Request, Turn

CONTEXT = 2048
COMMON: dict[str, Any] = {
    "vocab_size": 300, "hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2,
    "intermediate_size": 96, "max_position_embeddings": CONTEXT, "initializer_range": 0.3, "pad_token_id": 0,
    "eos_token_id": 1, "bos_token_id": 1,
}  # fmt: skip
SERVED = {
    "llama": transformers.LlamaConfig(**COMMON),
    "qwen2": transformers.Qwen2Config(**COMMON),
    "qwen3": transformers.Qwen3Config(head_dim=16, **COMMON),
    "mistral": transformers.MistralConfig(sliding_window=None, **COMMON),
    "olmo2": transformers.Olmo2Config(**COMMON),
    "smollm3": transformers.SmolLM3Config(**COMMON),
    "phi3": transformers.Phi3Config(**COMMON),
    "granite": transformers.GraniteConfig(**COMMON),
}
NOT_SERVED = {
    "mistral, sliding window": transformers.MistralConfig(sliding_window=24, **COMMON),
    "gemma2, soft-capped": transformers.Gemma2Config(head_dim=16, sliding_window=32, **COMMON),
    "gemma3, alternating": transformers.Gemma3TextConfig(head_dim=16, sliding_window=32, **COMMON),
    "gpt-oss, sinks": transformers.GptOssConfig(head_dim=16, num_local_experts=4, sliding_window=32, **COMMON),
    "gpt-oss, sinks only": transformers.GptOssConfig(
        head_dim=16, num_local_experts=4, layer_types=["full_attention"] * 3, sliding_window=None, **COMMON
    ),
}


class Numbers:
    """A tokenizer whose text is the tokens' numbers."""

    def decode(self, ids: list[int], **_: Any) -> str:
        return "".join(f"{token} " for token in ids)


def made_of(config: Any) -> LoadedModel:
    torch.manual_seed(0)
    auto: Any = transformers.AutoModelForCausalLM
    model = auto.from_config(copy.deepcopy(config), attn_implementation="eager").eval()
    return LoadedModel("random", "", model, Numbers(), torch.device("cpu"), CONTEXT, frozenset())


def tokens(seed: int, count: int) -> list[int]:
    return torch.randint(2, 300, (count,), generator=torch.Generator().manual_seed(seed)).tolist()


def alone(config: Any, prompt: list[int], count: int) -> list[int]:
    """transformers' own greedy tokens."""
    model = made_of(config).model
    model.generation_config.eos_token_id = None
    ids = torch.tensor([prompt])
    made = model.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=count, do_sample=False, pad_token_id=0
    )
    found: list[int] = made[0, len(prompt) :].tolist()
    return found


def asked(count: int = 20, **changes: Any) -> Request:
    return Request((Turn("user", "?"),), max_tokens=count, **({"temperature": 0} | changes))


class Answered:
    """What one request heard."""

    def __init__(self) -> None:
        self.events: queue.Queue[Heard] = queue.Queue()
        self.tickets: tuple[Ticket, ...] = ()

    def has_begun(self) -> None:
        """Wait for the first word; it stays to be heard."""
        limit = time.monotonic() + 60
        while self.events.empty():
            assert time.monotonic() < limit
            time.sleep(0.001)

    def end(self) -> Done:
        self.text, self.places = "", []
        while not isinstance(event := self.events.get(timeout=60), Done):
            if isinstance(event, BackendError):
                raise event
            self.text += event.text if isinstance(event, Piece) else ""
            self.places += [event.position] if isinstance(event, Queued) else []
        return event

    def tokens(self) -> list[int]:
        self.end()
        return [int(number) for number in self.text.split()]


def ask(batcher: AnyLine, prompt: list[int], request: Request) -> Answered:
    heard = Answered()
    heard.tickets = batcher.generate(prompt, request, heard.events.put)
    return heard


def is_empty(batcher: AnyLine) -> bool:
    """Whether it has nothing to do, within a moment."""
    limit = time.monotonic() + 5
    while batcher.counts() != (0, 0) and time.monotonic() < limit:
        time.sleep(0.01)
    return batcher.counts() == (0, 0)


@pytest.fixture
def make() -> Iterator[Any]:
    made: list[Batcher] = []

    def batcher(config: Any = SERVED["llama"], **sizes: int) -> Batcher:
        made.append(
            Batcher(made_of(config), Sizes(**({"seats": 4, "seat_tokens": 256, "stored_tokens": 8192} | sizes)))
        )
        return made[-1]

    yield batcher
    for each in made:
        each.close()


@pytest.mark.parametrize("name", SERVED)
def test_greedy_tokens_are_those_of_generate_whatever_shares_the_batch(name: str, make: Any) -> None:
    """Two stories, plain chats, more requests than seats, arrivals in the middle, turns that go on."""
    config = SERVED[name]
    assert supports.why_not(made_of(config)) == ""
    one, two = tokens(1, 700), tokens(2, 300)
    asks = [
        (one + tokens(3, 20), 30), (two + tokens(4, 35), 20), (tokens(5, 60), 25), (one + tokens(6, 11), 15),
        (two + tokens(7, 200), 12), (one[:650] + tokens(8, 40), 18), (tokens(9, 3), 22),
    ]  # fmt: skip
    batcher = make(config)
    heard = []
    for number, (prompt, count) in enumerate(asks):
        heard.append(ask(batcher, prompt, asked(count)))
        if number % 3 == 2:
            heard[number - 1].has_begun()  # some are in the middle by now
    got = [each.tokens() for each in heard]
    assert got == [alone(config, prompt, count) for prompt, count in asks]
    assert len({token for each in got for token in each}) > 20
    again = [(asks[0][0] + got[0] + tokens(10, 15), 20), (asks[2][0] + got[2] + tokens(11, 9), 20)]
    before = batcher.counters.reused_tokens
    heard = [ask(batcher, prompt, asked(count)) for prompt, count in again]
    assert [each.tokens() for each in heard] == [alone(config, prompt, count) for prompt, count in again]
    assert batcher.counters.reused_tokens - before >= 720 + 60  # earlier turns were not read again


@pytest.mark.parametrize("name", NOT_SERVED)
def test_models_with_another_attention_are_found_out(name: str) -> None:
    loaded = made_of(NOT_SERVED[name])
    assert supports.why_not(loaded)


def test_a_seed_gives_the_same_text_whatever_else_is_in_the_batch(make: Any) -> None:
    story = tokens(1, 400)
    requests = [asked(40, temperature=1.0, top_p=0.9, seed=seed) for seed in range(4)]
    batcher = make()
    quiet = [ask(batcher, [*story, seed + 2], request).tokens() for seed, request in enumerate(requests)]
    crowded = [ask(batcher, [*story, seed + 2], request) for seed, request in enumerate(requests)]
    crowd = [ask(batcher, tokens(50 + n, 90), asked(30, temperature=1.5, seed=n)) for n in range(6)]
    assert [each.tokens() for each in crowded] == quiet
    assert len({tuple(each) for each in quiet}) == 4
    assert all(len(each.tokens()) == 30 for each in crowd)


def test_a_story_that_many_ask_about_at_once_is_read_once(make: Any) -> None:
    story = tokens(1, 1000)
    batcher = make(seats=8)
    heard = [ask(batcher, story + tokens(20 + n, 30), asked(8)) for n in range(8)]
    for each in heard:
        each.end()
    read = batcher.counters.prompt_tokens - batcher.counters.reused_tokens
    assert batcher.counters.prompt_tokens == 8 * 1030
    assert read <= 1030 + 7 * (30 + 16)


@pytest.mark.parametrize("name", SERVED)
def test_what_people_add_to_a_story_takes_no_copy_of_it(name: str, make: Any) -> None:
    """They paste a question; or talk for longer than a seat holds, over several turns and beside short chats."""
    config, story = SERVED[name], tokens(1, 1000)
    batcher = make(config, seats=6)
    ask(batcher, [*story, 5], asked(1)).end()
    asks = [(story + tokens(40 + n, 140 + n), 20) for n in range(3)]
    asks += [(story + tokens(50 + n, 250 + 40 * n), 20) for n in range(4)] + [(story + tokens(60, 5), 40)]
    for turn in range(3):
        read = batcher.counters.prompt_tokens - batcher.counters.reused_tokens
        heard = [ask(batcher, prompt, asked(count)) for prompt, count in asks]
        got = [each.tokens() for each in heard]
        assert got == [alone(config, prompt, count) for prompt, count in asks]
        if turn:  # what stands in the store was not read again
            now = batcher.counters.prompt_tokens - batcher.counters.reused_tokens
            assert now - read <= len(asks) * (9 + 20)
        own = sum(len(prompt) + count - len(story) for prompt, count in asks)
        assert batcher.metrics()["stored_tokens"] <= 1000 + 2 * (turn + 1) * (own + 16 * len(asks))
        asks = [
            (prompt + written + tokens(70 + number, 9), 20)
            for number, ((prompt, _), written) in enumerate(zip(asks, got, strict=True))
        ]
    assert is_empty(batcher)
    parents = [entry.parent for entry in batcher._store.entries if entry.parent is not None]
    assert all(entry.is_ready and entry.pins == parents.count(entry) for entry in batcher._store.entries)
    assert all(parent.parent is None for parent in parents)


def test_what_two_add_alike_to_a_story_is_read_once_and_not_copied(make: Any) -> None:
    """It is too long for a seat: the second follows what the first has read, while the first still writes."""
    story, added = tokens(1, 1000), tokens(2, 400)
    batcher = make(seats=4)
    ask(batcher, [*story, 5], asked(1)).end()
    first = ask(batcher, story + added + tokens(3, 9), asked(200))
    first.has_begun()
    before = batcher.counters.reused_tokens
    prompts = [story + added + tokens(4 + n, 20 + n) for n in range(2)]
    heard = [ask(batcher, prompt, asked(20)) for prompt in prompts]
    assert [each.tokens() for each in heard] == [alone(SERVED["llama"], prompt, 20) for prompt in prompts]
    assert batcher.counters.reused_tokens - before == 2 * 1400
    assert first.tokens() == alone(SERVED["llama"], story + added + tokens(3, 9), 200)
    assert batcher.metrics()["stored_tokens"] <= 1000 + 400 + 3 * (400 + 9 + 200)


def test_a_long_addition_that_is_given_up_lets_go_of_the_story(make: Any) -> None:
    story = tokens(1, 1000)
    batcher = make(seats=2)
    ask(batcher, [*story, 5], asked(1)).end()
    held = batcher.metrics()["stored_tokens"]
    leaving = [ask(batcher, story + tokens(n, 900), asked(20)) for n in range(2)]
    while batcher.counts()[0] < 2:
        time.sleep(0.001)
    for each in leaving:
        batcher.cancel(each.tickets)
    assert is_empty(batcher)
    [entry] = batcher._store.entries
    assert (batcher.metrics()["stored_tokens"], entry.pins) == (held, 0)


def test_nobody_waits_behind_a_long_prompt(make: Any) -> None:
    """Its prompt takes four steps; a short one that comes after it is written meanwhile."""
    batcher = make(stored_tokens=20_000)
    writing = ask(batcher, tokens(1, 40), asked(200))
    writing.has_begun()
    long = ask(batcher, tokens(2, 4 * CHUNK["cpu"] - 10), asked(4))
    short = ask(batcher, tokens(3, 30), asked(4))
    short_end, long_end = short.end(), long.end()
    assert (short_end.first_token_seconds or 9) < (long_end.first_token_seconds or 0)
    assert writing.end().usage.completion_tokens == 200


def test_the_cache_stays_within_its_budget_and_lets_the_oldest_go(make: Any) -> None:
    batcher = make(stored_tokens=1000, seats=2)
    stories = [tokens(seed, 400) for seed in range(5)]
    for story in stories:
        ask(batcher, [*story, 7], asked(4)).end()
        assert batcher.metrics()["stored_tokens"] <= 1000
    assert batcher.metrics()["evicted"] >= 3
    before = batcher.counters.reused_tokens
    ask(batcher, [*stories[-1], 8], asked(4)).end()
    assert batcher.counters.reused_tokens - before >= 384
    before = batcher.counters.reused_tokens
    ask(batcher, [*stories[0], 8], asked(4)).end()
    assert batcher.counters.reused_tokens == before


def test_what_never_fits_is_refused_and_what_does_not_fit_now_waits(make: Any) -> None:
    batcher = make(stored_tokens=700, seats=2)
    with pytest.raises(BackendError, match="a conversation of 900 tokens does not fit") as raised:
        ask(batcher, tokens(1, 900), asked(4)).end()
    assert raised.value.code is ErrorCode.CAPACITY
    with pytest.raises(BackendError, match="max_tokens=250: this engine gives a reply at most 224 tokens"):
        ask(batcher, tokens(1, 20), asked(250))
    first, second = (ask(batcher, tokens(seed, 500), asked(60)) for seed in (2, 3))
    assert len(first.tokens()) == len(second.tokens()) == 60


def test_many_come_and_go_and_nothing_is_left(make: Any) -> None:
    batcher = make(seats=4, max_waiting=100)
    story = tokens(1, 300)
    heard = [ask(batcher, story + tokens(n, 5 + n % 40), asked(10 + n % 30)) for n in range(40)]
    for each in heard[::3]:
        batcher.cancel(each.tickets)
    for number, each in enumerate(heard):
        if number % 3:
            each.end()
    assert is_empty(batcher)
    parents = [entry.parent for entry in batcher._store.entries if entry.parent is not None]
    assert all(entry.is_ready and entry.pins == parents.count(entry) for entry in batcher._store.entries)


@pytest.mark.parametrize("engine", [Batcher, OneAtATime])
def test_scores_are_those_of_a_plain_forward_pass(engine: Any) -> None:
    loaded, plain = made_of(SERVED["llama"]), made_of(SERVED["llama"]).model
    context = tokens(1, 700)
    asks = [
        ScoreTokens(context + tokens(2, 30), [[5], [6], [7]]),
        ScoreTokens(context + tokens(3, 31), [[5, 9, 11], [6], [8, 4]]),
        ScoreTokens(tokens(4, 9), [[5], [6, 7]]),
    ]
    batcher = engine(loaded) if engine is OneAtATime else Batcher(loaded, Sizes(seats=4, seat_tokens=256))
    for each in asks:
        heard: queue.Queue[Any] = queue.Queue()
        batcher.score(each, ["a", "b", "c"][: len(each.continuations)], heard.put)
        while not isinstance(scores := heard.get(timeout=60), list):
            assert not isinstance(scores, BackendError)
        for score, ids in zip(scores, each.continuations, strict=True):
            rows = plain(torch.tensor([each.context + ids])).logits[0].float().log_softmax(-1)
            first = len(each.context) - 1
            expected = sum(rows[first + place, token].item() for place, token in enumerate(ids))
            assert score.logprob == pytest.approx(expected, abs=1e-4)
            assert score.tokens == len(ids)
    batcher.close()


def test_a_text_that_was_read_ahead_is_not_read_again(make: Any) -> None:
    batcher = make()
    story = tokens(1, 400)
    heard: queue.Queue[Any] = queue.Queue()
    batcher.warm([*story, 5, 6], heard.put)
    assert isinstance(heard.get(timeout=60), Done)
    before = batcher.counters.reused_tokens
    ask(batcher, story + tokens(2, 20), asked(4)).end()
    assert batcher.counters.reused_tokens - before == 400
    assert is_empty(batcher)


def score(batcher: Batcher, context: list[int], letters: Sequence[int] = (5, 6, 7)) -> Answered:
    heard = Answered()
    scored = ScoreTokens(context, [[letter] for letter in letters])
    heard.tickets = batcher.score(scored, [str(letter) for letter in letters], heard.events.put)
    return heard


def test_nobody_who_chats_waits_behind_a_long_scoring_job(make: Any) -> None:
    """The job is longer than the queue of chats and could take every seat; the chat comes last and is served first."""
    batcher = make(seats=4, max_waiting=8)
    examples = tokens(1, 300)
    job = [score(batcher, examples + tokens(100 + number, 60)) for number in range(200)]
    chats = [ask(batcher, tokens(3 + number, 40), asked(30)) for number in range(2)]
    for chat in chats:
        assert chat.end().usage.completion_tokens == 30
    assert sum(each.events.empty() for each in job) > 100, "the job was over before the chats were"
    assert all(isinstance(each.events.get(timeout=60), list) for each in job)
    assert all(each.events.empty() for each in job), "a scoring was told its place in the queue"
    for number in range(4 + 8):
        ask(batcher, tokens(number, 40), asked(200))
    with pytest.raises(BackendError, match="8 requests wait already"):
        ask(batcher, tokens(20, 40), asked(200))


def test_a_scoring_takes_a_place_in_the_queue_for_each_that_it_reads(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "MAX_PATIENT", 10)
    batcher = make(seats=4)
    scored = ScoreTokens(tokens(1, 30), [[5, 6]] * 8)
    heard: queue.Queue[Any] = queue.Queue()
    with batcher._changed:  # nobody is seated meanwhile
        batcher.score(scored, ["?"] * 8, heard.put)
        with pytest.raises(BackendError, match="8 requests wait already, at most 10 may") as raised:
            batcher.score(scored, ["?"] * 8, heard.put)
        assert raised.value.code is ErrorCode.RATE_LIMITED
        ask(batcher, tokens(2, 30), asked(5))  # who chats has places of their own
        batcher.score(ScoreTokens(scored.context, [[5, 6]] * 6), ["?"] * 6, heard.put)
    assert [len(heard.get(timeout=60)) for _ in range(2)] == [8, 6]


def test_while_a_reply_is_written_scorings_read_little_in_a_step(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    batcher = make(seats=8)
    steps: list[list[int]] = []
    seated: list[int] = []
    step = batcher._model.step

    def watched(parts: Sequence[Part]) -> list[torch.Tensor]:
        steps.append([len(part.tokens) for part in parts])
        seated.append(len(batcher._seated))
        return step(parts)

    monkeypatch.setattr(batcher._model, "step", watched)
    job = [score(batcher, tokens(100 + number, 100)) for number in range(30)]
    for each in job:
        each.events.get(timeout=60)
    assert CHUNK["cpu"] < max(map(sum, steps)) <= CHUNK["cpu"] * PATIENT_CHUNKS
    assert max(seated) == 4, "scorings leave half of the seats free"
    writing = ask(batcher, tokens(1, 5), asked(60))
    writing.has_begun()
    steps.clear()
    job = [score(batcher, tokens(200 + number, 100)) for number in range(8)]
    for each in job:
        each.events.get(timeout=60)
    writing.end()
    shared = [taken for taken in steps if taken[0] == 1 and len(taken) > 1]
    assert shared
    assert max(map(sum, shared)) <= CHUNK["cpu"] // PATIENT_SHARE + 1


def test_the_examples_that_many_questions_share_are_read_once_and_nothing_else_is_kept(make: Any) -> None:
    batcher = make(seats=8)
    examples = tokens(1, 405)
    job = [score(batcher, examples + tokens(100 + number, 140)) for number in range(40)]
    for each in job:
        each.events.get(timeout=60)
    read = batcher.counters.prompt_tokens - batcher.counters.reused_tokens
    assert read <= 405 + 40 * (140 + 16), "some of the examples were read again"
    assert batcher.metrics()["stored_tokens"] < 600, "a question that nobody asks about again was kept"


def test_a_question_that_comes_later_reads_none_of_the_examples_again(make: Any) -> None:
    """The first question is read and kept as one text, for nobody else is there to show where the examples end."""
    batcher = make(seats=8)
    examples = tokens(1, 405)
    for number in range(3):
        before = batcher.counters.reused_tokens
        score(batcher, examples + tokens(100 + number, 140)).events.get(timeout=60)
        assert batcher.counters.reused_tokens - before == (405 if number else 0)
