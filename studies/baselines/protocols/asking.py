"""What several protocols do: score letters, let the model write, put samples together."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing
from string import ascii_uppercase
from typing import Any

from studies.assistant.types import Backend, ContinuationScore, Done, Piece, Request, ScoreRequest, Turn
from studies.baselines.protocols.base import Given


def letters(count: int) -> tuple[str, ...]:
    return tuple(ascii_uppercase[:count])


def required(backend: Backend | None) -> Backend:
    if backend is None:
        raise ValueError("this protocol needs a backend")
    return backend


async def likeliest(backend: Backend, request: ScoreRequest, names: Sequence[str]) -> Given:
    """The likeliest continuation; P normalised over them. An exact tie of the best is no answer."""
    scores = await backend.score(request)
    logprobs = [score.logprob for score in scores]
    raw: dict[str, Any] = {
        "logprobs": dict(zip(names, logprobs, strict=True)),
        "scored": {
            score.continuation: {"tokens": score.tokens, "ids": score.token_ids, "pieces": score.pieces}
            for score in scores
        },
        "usage": read(scores),
    }
    return of_shares(normalised(logprobs), raw, names)


def of_shares(shares: Sequence[float], raw: dict[str, Any], names: Sequence[str]) -> Given:
    """The option with the largest share; None when several have it, and `raw` says which."""
    winners = [index for index, share in enumerate(shares) if share == max(shares)]
    if len(winners) > 1:
        return Given(None, tuple(shares), raw | {"tied": [names[index] for index in winners]})
    return Given(winners[0], tuple(shares), raw)


async def written(
    backend: Backend, turns: tuple[Turn, ...], *, temperature: float, max_tokens: int, seed: int | None
) -> tuple[str, dict[str, Any]]:
    """A whole reply, and what to keep of it: text, why it ended, tokens."""
    request = Request(turns=turns, temperature=temperature, max_tokens=max_tokens, seed=seed)
    pieces: list[str] = []
    kept: dict[str, Any] = {}
    async with aclosing(backend.stream(request)) as events:
        async for event in events:
            if isinstance(event, Piece):
                pieces.append(event.text)
            elif isinstance(event, Done):
                usage = {"prompt": event.usage.prompt_tokens, "completion": event.usage.completion_tokens}
                kept = {"reason": event.reason.value, "usage": usage}
    text = "".join(pieces)
    return text, {"text": text, **kept}


def majority(samples: Sequence[Given], options: int) -> Given:
    """The option named most often: self-consistency. Samples without an answer do not vote; a tie is no answer."""
    votes = Counter(given.option for given in samples if given.option is not None)
    total = votes.total()
    raw = {"votes": {ascii_uppercase[index]: votes[index] for index in range(options)}, "silent": len(samples) - total}
    if not total:
        return Given(None, None, raw)
    return of_shares([votes[index] / total for index in range(options)], raw, letters(options))


def normalised(logprobs: Sequence[float]) -> tuple[float, ...]:
    best = max(logprobs)
    weights = [math.exp(logprob - best) for logprob in logprobs]
    return tuple(weight / math.fsum(weights) for weight in weights)


def read(scores: Sequence[ContinuationScore]) -> dict[str, int | None]:
    """Tokens that were read to score these continuations after one context; None where the endpoint does not count."""
    context = scores[0].context_tokens
    if context is None:
        return {"prompt": None, "completion": None}
    return {"prompt": context + sum(score.tokens for score in scores), "completion": 0}


def usage_of(*kept: dict[str, Any]) -> dict[str, int | None]:
    """Tokens of several calls together; a call whose endpoint did not say counts nothing, and None if none said."""
    counts = {name: [(each.get("usage") or {}).get(name) for each in kept] for name in ("prompt", "completion")}
    known = {name: [count for count in found if count is not None] for name, found in counts.items()}
    return {name: sum(found) if found else None for name, found in known.items()}
