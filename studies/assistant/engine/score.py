"""Log-probabilities of given continuations: the context is read once, the continuations are read side by side."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import torch

from studies.assistant.engine import decode
from studies.assistant.engine.encode import ScoreTokens
from studies.assistant.engine.loader import LoadedModel
from studies.assistant.types import ContinuationScore


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
    longest = max(len(ids) for ids in tokens.continuations)
    if longest > 1:
        cache.batch_repeat_interleave(len(tokens.continuations))
        # Padding stands at the end, where no token that counts can see it; any id will do.
        rows = [(ids + [0] * longest)[: longest - 1] for ids in tokens.continuations]
        logprobs = decode.forward(loaded, rows, cache, keep=longest - 1).float().log_softmax(-1)
        for row, ids in enumerate(tokens.continuations):
            rest = torch.tensor(ids[1:], device=logprobs.device, dtype=torch.long)
            totals[row] += logprobs[row, torch.arange(len(rest)), rest].sum().item()
    return [
        ContinuationScore(text, total, len(ids))
        for text, total, ids in zip(continuations, totals, tokens.continuations, strict=True)
    ]
