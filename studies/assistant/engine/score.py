"""Log-probabilities of given continuations: the context is read once, continuations side by side, a few at a time."""

from __future__ import annotations

import copy
from collections.abc import Generator, Sequence
from typing import Any

import torch

from studies.assistant.engine import decode
from studies.assistant.engine.encode import ScoreTokens
from studies.assistant.engine.loader import LoadedModel
from studies.assistant.types import ContinuationScore

# Those that are read side by side have a copy of the context each, and logits for each of their tokens.
ROWS = 16
CONTEXT_TOKENS = 32_768
LOGITS = 512


def score(
    loaded: LoadedModel, tokens: ScoreTokens, continuations: Sequence[str]
) -> Generator[None, None, list[ContinuationScore]]:
    """The scores, in the order given. Yields between steps, so that a caller can stop.

    log P(continuation | context) = Σ log P(token | everything before it), natural logarithm, in float32, not normalised
    by length: what lm-evaluation-harness calls the log-likelihood.
    """
    cache = decode.new_cache(loaded)
    after_context = yield from decode.prefill(loaded, tokens.context, cache)
    first_logprobs = after_context.float().log_softmax(-1)
    totals = [first_logprobs[ids[0]].item() for ids in tokens.continuations]
    longer = [place for place, ids in enumerate(tokens.continuations) if len(ids) > 1]
    size = max(1, min(ROWS, CONTEXT_TOKENS // len(tokens.context)))
    for start in range(0, len(longer), size):
        if start:
            yield
        places = longer[start : start + size]
        own = cache if start + size >= len(longer) else copy.deepcopy(cache)
        own.batch_repeat_interleave(len(places))
        found = yield from _rest(loaded, [tokens.continuations[place] for place in places], own)
        for place, rest in zip(places, found, strict=True):
            totals[place] += rest
    return [
        ContinuationScore(text, total, len(ids))
        for text, total, ids in zip(continuations, totals, tokens.continuations, strict=True)
    ]


def _rest(loaded: LoadedModel, group: list[list[int]], cache: Any) -> Generator[None, None, list[float]]:
    """Σ log P of each continuation's tokens after its first; the cache has a row with the context for each."""
    totals = [0.0] * len(group)
    longest = max(map(len, group))
    width = max(1, LOGITS // len(group))
    for start in range(0, longest - 1, width):
        if start:
            yield
        end = min(start + width, longest - 1)
        # Padding stands at the end, where no token that counts can see it; any id will do.
        rows = [(ids + [0] * longest)[start:end] for ids in group]
        logprobs = decode.forward(loaded, rows, cache, keep=end - start).float().log_softmax(-1)
        for row, ids in enumerate(group):
            rest = torch.tensor(ids[start + 1 : end + 1], device=logprobs.device, dtype=torch.long)
            totals[row] += logprobs[row, torch.arange(len(rest)), rest].sum().item()
    return totals
