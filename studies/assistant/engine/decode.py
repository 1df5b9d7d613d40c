"""One conversation, token by token: the prompt in chunks, then a step per token, so that a caller can stop between."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import torch
from transformers import DynamicCache

from studies.assistant.engine.choose import Draws, choose
from studies.assistant.engine.loader import LoadedModel
from studies.assistant.types import Request

PREFILL_CHUNK = 512  # tokens between two looks at the clock


def tokens(loaded: LoadedModel, prompt: list[int], request: Request) -> Generator[int | None, None, None]:
    """Yield new tokens without end; None after each chunk of the prompt, so that a long one can be stopped as well.

    The end-of-text token is yielded like any other: when to stop is the caller's decision.
    """
    draws = Draws(request.temperature, request.top_p, request.seed)
    cache = new_cache(loaded)
    logits = yield from prefill(loaded, prompt, cache)
    while True:
        token = choose(logits.unsqueeze(0), [draws])[0]
        yield token
        logits = forward(loaded, [[token]], cache)[0, -1]


def prefill(loaded: LoadedModel, prompt: list[int], cache: Any) -> Generator[None, None, torch.Tensor]:
    """Read the prompt into the cache, chunk by chunk; returns the logits [vocabulary] after its last token."""
    for start in range(0, len(prompt) - PREFILL_CHUNK, PREFILL_CHUNK):
        forward(loaded, [prompt[start : start + PREFILL_CHUNK]], cache)
        yield
    return forward(loaded, [prompt[(len(prompt) - 1) // PREFILL_CHUNK * PREFILL_CHUNK :]], cache)[0, -1]


def new_cache(loaded: LoadedModel) -> Any:
    """An empty key-value cache with the kind of layers that the model has."""
    return DynamicCache(config=loaded.model.config)


@torch.inference_mode()
def forward(loaded: LoadedModel, ids: list[list[int]], cache: Any, keep: int = 1) -> torch.Tensor:
    """Logits [batch, keep, vocabulary] for the last `keep` tokens of each row; the cache grows by the row's length."""
    rows = torch.tensor(ids, device=loaded.device)
    output = loaded.model(input_ids=rows, past_key_values=cache, use_cache=True, logits_to_keep=keep)
    logits: torch.Tensor = output.logits
    return logits[:, -keep:]
