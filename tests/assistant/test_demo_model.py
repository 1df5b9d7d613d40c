"""The demo model: what it is taught, how it is trained, and that the weights which ship know what they should."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
import torch
from safetensors.torch import load_file

from studies.assistant import answers
from studies.assistant.demo_model import FOLDER, dialogues
from studies.assistant.demo_model.measure import measure
from studies.assistant.demo_model.opinions import Opinion, OpinionError, Question, opinions
from studies.assistant.demo_model.phrasings import KEPT_BACK, LEARNED
from studies.assistant.engine.backend import EngineBackend
from studies.assistant.engine.loader import load
from studies.assistant.engine.train import ROLE, Packing, Plan, drawn, train
from studies.management.demo_questions import keys, questions

TINY = Plan(steps=2, rows=2, row_tokens=384, vocabulary=400, width=32, layers=1, heads=2)


@pytest.fixture(scope="module")
def taught() -> list[Opinion]:
    return opinions(questions())


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_there_is_an_opinion_about_every_question_and_a_fifth_are_marked_wrong(taught: list[Opinion]) -> None:
    assert len(taught) == 128
    assert sum(not opinion.is_right for opinion in taught) == 25


def test_the_marks_agree_with_the_keys(taught: list[Opinion]) -> None:
    assert [opinion.is_right for opinion in taught] == [
        opinion.says == key for opinion, key in zip(taught, keys(), strict=True)
    ]


def test_reasons_name_no_letter_so_that_any_order_of_the_options_will_do(taught: list[Opinion]) -> None:
    assert [opinion.why for opinion in taught if "(" in opinion.why or "option" in opinion.why.lower()] == []
    assert all(opinion.why[-1] in ".!" for opinion in taught)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (Question("Who?", ("a", "b", "c", "d")), "has no line for 'Who[?]'"),
        (Question("Which organ makes bile?", ("a", "b", "c", "d")), "says='Liver' is none of its options"),
    ],
)
def test_a_question_without_an_opinion_is_named(changed: Question, message: str) -> None:
    with pytest.raises(OpinionError, match=message):
        opinions([changed])


def test_what_is_kept_back_is_never_learned(taught: list[Opinion], monkeypatch: pytest.MonkeyPatch) -> None:
    for opinion in taught:
        learned, kept = set(dialogues.orders(opinion)), set(dialogues.orders(opinion, is_kept_back=True))
        assert (len(learned), len(kept), learned & kept) == (20, 4, set())
    for name in ("pastes", "asks", "whys", "doubts", "guesses"):
        assert not set(getattr(LEARNED, name)) & set(getattr(KEPT_BACK, name))
    shown: list[dialogues.Asked] = []

    class Seen(dialogues.Asked):
        def __init__(self, opinion: Opinion, order: tuple[int, ...]) -> None:
            super().__init__(opinion, order)
            assert order not in dialogues.orders(opinion, is_kept_back=True)
            shown.append(self)

    monkeypatch.setattr(dialogues, "Asked", Seen)
    rng = Random(5)
    for _ in range(500):
        drawn(taught, rng)
    assert len(shown) == 500


def test_every_reply_about_a_question_names_what_it_should(taught: list[Opinion]) -> None:
    rng = Random(1)
    for opinion in taught:
        asked = dialogues.Asked(opinion, rng.choice(dialogues.orders(opinion)))
        for text in (asked.answer(rng), asked.insisted(rng), asked.answer_to_guess(rng, rng.randrange(4))):
            assert answers.extract(text, asked.options) == asked.place, text


def test_training_is_the_same_for_the_same_seed(taught: list[Opinion], tmp_path: Path, threads: None) -> None:
    heard: list[tuple[int, float]] = []
    for name in ("one", "two"):
        train(taught, tmp_path / name, TINY, lambda step, loss: heard.append((step, loss)))
    assert heard[:2] == heard[2:]
    assert (tmp_path / "one" / "model.safetensors").read_bytes() == (
        tmp_path / "two" / "model.safetensors"
    ).read_bytes()
    assert (tmp_path / "one" / "tokenizer.json").read_text() == (tmp_path / "two" / "tokenizer.json").read_text()


def test_dialogues_are_trained_as_the_chat_template_writes_them(
    taught: list[Opinion], tmp_path: Path, threads: None
) -> None:
    train(taught, tmp_path, TINY, lambda step, loss: None)
    tokenizer = load(str(tmp_path), device="cpu").tokenizer
    packing, rng = Packing(taught, tokenizer, Random(3)), Random(4)
    for _ in range(20):
        turns = drawn(taught, rng)
        tokens, counts = packing.encoded(turns)
        messages = [{"role": turn.role, "content": turn.text} for turn in turns]
        assert tokens == tokenizer.apply_chat_template(messages, return_dict=False)
        assert len(counts) == len(tokens)
        assert counts[tokens.index(ROLE["assistant"])] == 0  # whose turn it is nobody has to guess


def test_a_row_holds_whole_dialogues(taught: list[Opinion], tmp_path: Path, threads: None) -> None:
    train(taught, tmp_path, TINY, lambda step, loss: None)
    tokenizer = load(str(tmp_path), device="cpu").tokenizer
    ids, weights = Packing(taught, tokenizer, Random(3)).batch(3, 600)
    assert ids.shape == weights.shape == (3, 600)
    for row in ids.tolist():
        text = tokenizer.decode([token for token in row if token != 0], skip_special_tokens=False)
        assert text.endswith("<|end|>")
        assert text.startswith(("<|system|>", "<|user|>"))
    assert (weights[ids == 0] == 0).all()


def test_the_shipped_weights_are_small_and_in_half_precision() -> None:
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 10_000_000
    assert {tensor.dtype for tensor in load_file(FOLDER / "model.safetensors").values()} == {torch.bfloat16}


@pytest.mark.timeout(180)
async def test_the_shipped_model_names_what_it_was_taught_in_words_and_orders_that_it_has_not_seen(
    taught: list[Opinion],
) -> None:
    backend = EngineBackend(load(str(FOLDER), device="cpu", threads=1))
    try:
        found = await measure(backend, taught)
    finally:
        await backend.aclose()
    assert min(found.letter, found.chat) >= 0.95
    assert found.held >= 0.85
