"""Random Llama models of a chosen size with a byte-level tokenizer, built on the spot, and what is asked of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedTokenizerFast

from studies.assistant.engine.loader import LoadedModel, load

SPECIAL = ["<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
TEMPLATE = (
    "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] + '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
CONTEXT = 16_384
SIZES = {
    "10M": {
        "hidden_size": 256, "num_hidden_layers": 8, "num_attention_heads": 8, "num_key_value_heads": 4,
        "intermediate_size": 768,
    },
    "90M": {
        "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "num_key_value_heads": 4,
        "intermediate_size": 2048,
    },
    "8B": {
        "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
        "intermediate_size": 14_336,
    },
}  # fmt: skip
VOCABULARY = {"10M": 8_000, "90M": 8_000, "8B": 128_256}


def words(count: int, seed: int) -> str:
    """Made-up words of common letters, so that a tokenizer trained on them has something to learn."""
    rng = random.Random(seed)
    syllables = [consonant + vowel for consonant in "bcdfghklmnprstvw" for vowel in "aeiou"]
    known = ["".join(rng.choices(syllables, k=rng.randint(1, 4))) for _ in range(6000)]
    return " ".join(rng.choices(known, k=count))


def tokenizer(corpus: Sequence[str]) -> Any:
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=8_000,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(corpus, trainer)
    fast: Any = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=made, pad_token="<|pad|>", eos_token="<|end|>", additional_special_tokens=SPECIAL[2:]
    )
    fast.chat_template = TEMPLATE
    return fast


def build(size: str, folder: Path, corpus: Sequence[str] = (), device: str = "cpu") -> Path:
    """Write the model to `folder`, once: in float32, on CUDA in bfloat16. It practically never ends a text by itself.

    Its tokenizer is trained on the `corpus`, by default on made-up words.
    """
    if (folder / "config.json").exists():
        return folder
    config = LlamaConfig(
        vocab_size=VOCABULARY[size],
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=False,  # a tied random model repeats its last token
        pad_token_id=0,
        eos_token_id=1,
        bos_token_id=None,
        initializer_range=0.02,
        **SIZES[size],
    )
    torch.manual_seed(0)
    auto: Any = AutoModelForCausalLM
    with torch.device(device):
        model = auto.from_config(config, dtype=torch.bfloat16 if device == "cuda" else torch.float32)
    model.get_output_embeddings().weight.data[: len(SPECIAL)] = 0  # so that what is written is text
    model.save_pretrained(folder)
    tokenizer(corpus or [words(60_000, 1)]).save_pretrained(folder)
    return folder


def own(folder: Path, threads: int, device: str = "cpu") -> LoadedModel:
    return load(str(folder), threads=threads, device=device)


def plain(folder: Path, loaded: LoadedModel) -> Any:
    """The same weights for transformers' own ways."""
    auto: Any = AutoModelForCausalLM
    return auto.from_pretrained(folder, dtype=loaded.dtype, attn_implementation="sdpa").eval().to(loaded.device)
