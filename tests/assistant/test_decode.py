"""The decode loop gives what transformers' own `generate` gives, on models with different kinds of attention."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest
import torch
import transformers

from studies.assistant.engine import decode
from studies.assistant.engine.loader import LoadedModel
from studies.assistant.types import Request, Turn

SIZES: dict[str, Any] = {
    "vocab_size": 300, "hidden_size": 64, "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2,
    "intermediate_size": 96, "max_position_embeddings": 512, "initializer_range": 0.3, "pad_token_id": 0,
    "eos_token_id": 1, "bos_token_id": 1,
}  # fmt: skip
CONFIGS = {
    "llama": transformers.LlamaConfig(**SIZES),
    "qwen3": transformers.Qwen3Config(head_dim=16, **SIZES),
    "phi3": transformers.Phi3Config(**SIZES),
    "mistral, sliding window": transformers.MistralConfig(sliding_window=24, **SIZES),
    "gemma3, alternating windows": transformers.Gemma3TextConfig(
        head_dim=16, sliding_window=24, layer_types=["sliding_attention", "full_attention"] * 2,
        tie_word_embeddings=False, **SIZES,
    ),
    "gpt2, learned positions": transformers.GPT2Config(
        vocab_size=300, n_embd=64, n_layer=2, n_head=4, n_positions=512, initializer_range=0.3,
        eos_token_id=1, bos_token_id=1,
    ),
}  # fmt: skip
REQUEST = Request((Turn("user", "?"),), temperature=0)


def loaded_from(config: Any) -> LoadedModel:
    torch.manual_seed(0)
    auto: Any = transformers.AutoModelForCausalLM
    model = auto.from_config(config).eval()
    return LoadedModel("random", "", model, None, torch.device("cpu"), 512, frozenset({1}))


@pytest.mark.parametrize("name", CONFIGS)
def test_greedy_tokens_are_those_of_generate(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "PREFILL_CHUNK", 16)  # several chunks, the last one short, longer than the windows
    loaded = loaded_from(CONFIGS[name])
    prompt = torch.randint(2, 300, (70,), generator=torch.Generator().manual_seed(1)).tolist()
    ids = torch.tensor([prompt])
    expected = loaded.model.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=30, min_new_tokens=30, do_sample=False, pad_token_id=0
    )[0, 70:].tolist()
    steps = list(islice(decode.tokens(loaded, prompt, REQUEST), 4 + 30))
    assert steps[:4] == [None] * 4
    # generate() was told not to end; where the loop chose the end token its text would be over.
    got = steps[4:]
    until = got.index(1) if 1 in got else 30
    assert got[:until] == expected[:until]
    assert until >= 5
    assert len(set(expected)) > 3
