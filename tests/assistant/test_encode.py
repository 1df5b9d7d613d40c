"""A context is encoded once, and with each continuation only its last line again: the tokens are those of the whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from studies.assistant.engine.encode import encode_with_each
from tests.assistant import tiny_model

CONTEXTS = (
    "The following are questions.\n\nWhich is right?\n(A) one\n(B) two  \nAnswer:",
    "because th", "", "\n", "Answer:\n", "one\n two", "one\n\nthe answer is (", "fox's \r\nA",
    "é\nA", "🌍\nThe quick br",
)  # fmt: skip
CONTINUATIONS = (" A", "A", "e", "own fox", "'s", "\u0301", "\n", "  ", "\nB", "🌍", "<|end|>", ".")


def trained(model: Any, trainer: Any, normalizer: Any, words: Any) -> Any:
    tokenizer = Tokenizer(model)
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, words
    tokenizer.train_from_iterator(["\n", *(line for text in tiny_model.CORPUS for line in text.splitlines())], trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>")  # type: ignore[no-untyped-call]


def bytes_with_start() -> Any:
    tokenizer = tiny_model.build_tokenizer()
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<|system|> $A", special_tokens=[("<|system|>", 2)]
    )
    return tokenizer


def bytes_with_end() -> Any:
    tokenizer = tiny_model.build_tokenizer()
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="$A <|end|>", special_tokens=[("<|end|>", 1)]
    )
    return tokenizer


def unigram() -> Any:
    trainer = trainers.UnigramTrainer(vocab_size=150, unk_token="<unk>", special_tokens=["<unk>"], show_progress=False)
    return trained(models.Unigram(), trainer, normalizers.NFC(), pre_tokenizers.Metaspace())


def whole_text() -> Any:
    """As Llama 2: a mark before the text, marks for blanks, and no words."""
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=["<unk>"], show_progress=False)
    marks = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    return trained(models.BPE(unk_token="<unk>"), trainer, marks, None)


def word_pieces() -> Any:
    trainer = trainers.WordPieceTrainer(vocab_size=200, special_tokens=["<unk>"], show_progress=False)
    model = models.WordPiece(unk_token="<unk>")  # type: ignore[call-arg]
    return trained(model, trainer, normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer())


def over_lines() -> Any:
    """`An` is one token; but before `s`, the `n` goes to the `s` and the `A` to the newline."""
    pairs = [("n", "s"), ("A", "n"), ("\n", "A")]
    known = ["<unk>", "x", "\n", "A", "n", "s", *map("".join, pairs)]
    model = models.BPE({token: place for place, token in enumerate(known)}, pairs, unk_token="<unk>")
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer(model), unk_token="<unk>")  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    "build",
    [
        tiny_model.build_tokenizer,
        lambda: tiny_model.build_tokenizer(use_regex=False),
        bytes_with_start,
        bytes_with_end,
        unigram,
        whole_text,
        word_pieces,
        over_lines,
    ],
    ids=["bytes", "bytes without words", "start", "end", "unigram", "whole text", "word pieces", "over lines"],
)
def test_the_tokens_are_those_of_the_whole_text(build: Callable[[], Any]) -> None:
    tokenizer = build()
    for context in (*CONTEXTS, "x\nAn"):
        for continuations in (CONTINUATIONS, ("s",)):
            joint = encode_with_each(tokenizer, context, tokenizer.encode(context), continuations)
            assert joint == [tokenizer.encode(context + text) for text in continuations]


def test_only_the_last_line_is_encoded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer, encoded = tiny_model.build_tokenizer(), []
    encode, whole = tokenizer._encode_plus, tokenizer.encode(CONTEXTS[0])

    def watched(text: str | list[str], **options: Any) -> Any:
        encoded.append(text)
        return encode(text=text, **options)

    monkeypatch.setattr(tokenizer, "_encode_plus", watched)
    encode_with_each(tokenizer, CONTEXTS[0], whole, (" A", " B"))
    assert encoded == [["Answer:", "Answer: A", "Answer: B"]]
