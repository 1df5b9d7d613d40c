"""Pieces of text are whole characters, join to the whole text, and stop before a stop string."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from studies.assistant.engine.text import TextStream
from tests.assistant.tiny_model import build_tokenizer

TEXTS = [
    "The answer is (B), because the passage says so.",
    "Grüße aus Zürich – 10 € für 🌍🌍 und 👩‍👩‍👧!",
    "日本語のテキスト、ありがとう。",
    "naïve café\n\n  two spaces\tand a tab ",
    "मैं ठीक हूँ",
]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return build_tokenizer()


@pytest.fixture(scope="module")
def blank_marking_tokenizer() -> Any:
    """Of the SentencePiece kind: blanks belong to the next word, and unknown characters are written as bytes."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    special = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256))]
    trainer = trainers.BpeTrainer(vocab_size=360, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(TEXTS[:1] * 5, trainer)
    # The bytes are ordinary tokens in such models.
    data = json.loads(tokenizer.to_str())
    data["added_tokens"] = [token for token in data["added_tokens"] if token["content"] == "<unk>"]
    fast: Any = PreTrainedTokenizerFast  # it ships no types for its constructor
    return fast(tokenizer_object=Tokenizer.from_str(json.dumps(data)), unk_token="<unk>")


@pytest.mark.parametrize("text", ["The answer is (B), so.", "The answer 🌍 is über so."])
def test_a_tokenizer_that_marks_blanks_loses_none(blank_marking_tokenizer: Any, text: str) -> None:
    ids = blank_marking_tokenizer.encode(text)
    found = pieces(blank_marking_tokenizer, ids)
    assert "".join(found) == blank_marking_tokenizer.decode(ids) == text
    assert not any("\ufffd" in piece for piece in found)


def pieces(tokenizer: Any, ids: list[int], stop: tuple[str, ...] = ()) -> list[str]:
    stream = TextStream(tokenizer, stop)
    found = []
    for token in ids:
        found.append(stream.push(token))
        if stream.is_stopped:
            return found
    return [*found, stream.finish()]


@pytest.mark.parametrize("text", TEXTS)
def test_pieces_join_to_the_text_and_no_character_is_halved(tokenizer: Any, text: str) -> None:
    found = pieces(tokenizer, tokenizer.encode(text))
    assert "".join(found) == text
    assert not any("\ufffd" in piece for piece in found)
    assert len([piece for piece in found if piece]) > 4


def test_an_unfinished_character_is_dropped_at_the_end(tokenizer: Any) -> None:
    ids = tokenizer.encode("so 🌍")
    assert len(tokenizer.encode("🌍")) == 4
    assert "".join(pieces(tokenizer, ids[:-1])) == "so "


def test_bytes_that_are_no_text_do_not_hold_up_what_follows(tokenizer: Any) -> None:
    broken = tokenizer.encode("🌍")[:2]
    ids = [*tokenizer.encode("a"), *broken, *tokenizer.encode("b c")]
    assert "".join(pieces(tokenizer, ids)) == tokenizer.decode(ids)


def test_special_tokens_are_not_text(tokenizer: Any) -> None:
    ids = [*tokenizer.encode("yes"), tokenizer.convert_tokens_to_ids("<|user|>"), *tokenizer.encode(" no")]
    assert "".join(pieces(tokenizer, ids)) == "yes no"


@pytest.mark.parametrize(
    ("stop", "expected"),
    [
        (("passage",), "The answer is (B), because the "),
        (("because the passage",), "The answer is (B), "),
        (("so.", "is"), "The answer "),
        (("never there",), TEXTS[0]),
        (("so.!",), TEXTS[0]),  # begins at the very end and does not come: nothing may be lost
        (("T",), ""),
        (("(B), because", "swer"), "The an"),
    ],
)
def test_nothing_of_a_stop_string_gets_out(tokenizer: Any, stop: tuple[str, ...], expected: str) -> None:
    assert "".join(pieces(tokenizer, tokenizer.encode(TEXTS[0]), stop)) == expected
