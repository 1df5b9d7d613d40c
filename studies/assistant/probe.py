"""What an endpoint honours, found out by asking it a few short questions before people depend on it.

Nothing is believed because of a server's name: vLLM, SGLang, llama.cpp and hosted APIs differ between versions, and a
field that one of them does not know is mostly ignored without a word.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from enum import StrEnum

from studies.assistant.openai_compatible import OpenAICompatibleBackend
from studies.assistant.prompts.questions import zero_shot
from studies.assistant.token_scores import TOP, Way
from studies.assistant.types import BackendError, Done, Health, Piece, Request, ScoreRequest, Turn

SECONDS = 25.0  # for all questions together; a job that is silent for longer is taken from its worker
SEEDS = (1, 2, 3)
_SAMPLED = Request((Turn("user", "Write some random words."),), max_tokens=16, temperature=1.0, seed=SEEDS[0])
_GREEDY = replace(_SAMPLED, temperature=0.0)
_LETTERS = ScoreRequest(("A", "B", "C", "D"), turns=zero_shot("Which is a colour?", ("red", "seven", "loud", "north")))
_WAYS = {
    Way.ENGINE: "exact, by the engine",
    Way.VLLM: "exact, by vLLM's logprob_token_ids",
    Way.SGLANG: "exact, by SGLang's token_ids_logprob",
    Way.TOP: f"only if all its letters are among the {TOP} likeliest tokens; a question where one is not stops the run",
}


class Answer(StrEnum):
    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether a feature is honoured, and a sentence for people."""

    answer: Answer
    sentence: str


@dataclass(frozen=True, slots=True)
class Probe:
    """What one endpoint honours, by feature. Where `health` is not ok nothing was asked and `findings` is empty."""

    health: Health
    findings: dict[str, Finding]


async def probe(backend: OpenAICompatibleBackend, seconds: float = SECONDS) -> Probe:
    """Ask about twenty short questions, one after the other; what the time was too short for is unknown.

    Does not raise for an endpoint that is down or refuses.
    """
    health = Health(False, backend.name, "", sentence=f"no answer within {seconds:g} seconds")
    findings: dict[str, Finding] = {}
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            health = await backend.health()
            if health.is_ok:
                findings = dict.fromkeys(FEATURES, Finding(Answer.UNKNOWN, f"not found out within {seconds:g} seconds"))
                for feature, find in FEATURES.items():
                    findings[feature] = await _unless_refused(find(backend))
    return Probe(health, findings)


async def _streaming(backend: OpenAICompatibleBackend) -> Finding:
    pieces, _ = await _reply(backend, _SAMPLED)
    if len(pieces) > 1:
        return Finding(Answer.YES, f"a reply comes in pieces ({len(pieces)} for {_SAMPLED.max_tokens} tokens)")
    return Finding(Answer.NO, "a reply comes as a whole at its end") if pieces else _unknown("the reply was empty")


async def _usage(backend: OpenAICompatibleBackend) -> Finding:
    _, done = await _reply(backend, _SAMPLED)
    if done.usage.prompt_tokens is None or done.usage.completion_tokens is None:
        return Finding(Answer.NO, "a streamed reply has no token counts (stream_options.include_usage)")
    return Finding(Answer.YES, "a streamed reply ends with its token counts")


async def _seeds(backend: OpenAICompatibleBackend) -> Finding:
    pairs = [[await _text(backend, replace(_SAMPLED, seed=seed)) for _ in range(2)] for seed in SEEDS]
    if any(first != second for first, second in pairs):
        return Finding(Answer.NO, "the same seed gave different texts")
    if len({first for first, _ in pairs}) == 1:
        return _unknown("all seeds gave one text, which cannot tell")
    return Finding(Answer.YES, "the same seed gave the same text, asked one after the other; other seeds gave others")


async def _stops(backend: OpenAICompatibleBackend) -> Finding:
    whole = await _text(backend, _GREEDY)
    stop = whole[len(whole) // 2 :][:2]
    if not stop.strip():
        return _unknown("the reply was too short to stop within it")
    cut = await _text(backend, replace(_GREEDY, stop=(stop,)))
    if stop in cut:
        return Finding(Answer.NO, "a reply goes on after a stop string")
    if cut != whole[: whole.index(stop)]:
        return _unknown("the greedy reply was another one the second time, which cannot tell")
    return Finding(Answer.YES, "a reply ends before a stop string")


async def _letters(backend: OpenAICompatibleBackend) -> Finding:
    await backend.score(_LETTERS)
    way = backend.scored_by
    return Finding(Answer.YES, _WAYS[way]) if way else _unknown("it does not say how")


FEATURES: dict[str, Callable[[OpenAICompatibleBackend], Awaitable[Finding]]] = {
    "streaming": _streaming,
    "usage": _usage,
    "seeds": _seeds,
    "stop strings": _stops,
    "letter log-probabilities": _letters,
}


async def _unless_refused(finding: Awaitable[Finding]) -> Finding:
    """A refusal is a no; an endpoint that was busy or away for a moment is no answer."""
    try:
        return await finding
    except BackendError as error:
        return Finding(Answer.UNKNOWN if error.is_retryable else Answer.NO, error.sentence)


async def _reply(backend: OpenAICompatibleBackend, request: Request) -> tuple[list[str], Done]:
    pieces: list[str] = []
    async with aclosing(backend.stream(request)) as events:
        async for event in events:
            match event:
                case Piece(text):
                    pieces.append(text)
                case Done():
                    return pieces, event
    raise AssertionError("a backend's stream ends with Done")


async def _text(backend: OpenAICompatibleBackend, request: Request) -> str:
    pieces, _ = await _reply(backend, request)
    return "".join(pieces)


def _unknown(sentence: str) -> Finding:
    return Finding(Answer.UNKNOWN, sentence)
