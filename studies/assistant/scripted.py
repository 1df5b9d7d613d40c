"""The scripted assistant: argues for a planned stance at reading speed, the same way every time.

It is an instrument. A study sets how often it is right by drawing the stances before launch; the assistant itself gets
the stance and no key, so nothing in what it says can depend on being right. All that it says follows from the request:
the same turns, script and seed give the same text.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import re
from collections.abc import AsyncGenerator
from random import Random
from string import ascii_uppercase

from studies.assistant import intents
from studies.assistant.arguments import Argument
from studies.assistant.types import (
    BackendError,
    ContinuationScore,
    Done,
    ErrorCode,
    Event,
    FinishReason,
    Health,
    Piece,
    Request,
    ScoreRequest,
    Script,
    Turn,
    Usage,
)

REVISION = "1"  # raise it when the same request would give another text

# What `score` gives the stance; the other options share the rest. A convention, not a measurement: it is high enough
# that the model-alone protocol answers the stance, and it says nothing about confidence.
STANCE_PROBABILITY = 0.85


class ScriptedBackend:
    """A `Backend` without a model. It needs `Request.script`, and counts words as tokens."""

    name = "scripted"

    async def stream(self, request: Request) -> AsyncGenerator[Event, None]:
        script = _script(request)
        words = re.findall(r"\s*\S+", reply(request, script))
        reason = FinishReason.STOP if len(words) <= request.max_tokens else FinishReason.LENGTH
        words = words[: request.max_tokens]
        clock = asyncio.get_running_loop().time
        started_at = clock()
        first_token_seconds = None
        sent = 0
        if script.pace_words_per_second == 0 and words:
            first_token_seconds = 0.0
            yield Piece("".join(words))
            sent = len(words)
        while sent < len(words):
            # Absolute instants: the pace does not drift when a step comes late.
            due_at = started_at + (sent + 1) / script.pace_words_per_second
            if request.deadline_seconds is not None and due_at > started_at + request.deadline_seconds:
                await asyncio.sleep(started_at + request.deadline_seconds - clock())
                reason = FinishReason.DEADLINE
                break
            await asyncio.sleep(due_at - clock())
            first_token_seconds = first_token_seconds or clock() - started_at
            yield Piece(words[sent])
            sent += 1
        usage = Usage(sum(len(turn.text.split()) for turn in request.turns), sent)
        yield Done(reason, usage, self.name, REVISION, queue_seconds=0.0, first_token_seconds=first_token_seconds)

    async def score(self, request: ScoreRequest) -> list[ContinuationScore]:
        """Log-probabilities that put `STANCE_PROBABILITY` on the stance, for option letters or options' texts."""
        if request.script is None:
            raise BackendError(ErrorCode.UNSUPPORTED, "the scripted assistant scores only with a script")
        script = request.script
        others = (1 - STANCE_PROBABILITY) / (len(script.options) - 1)
        return [
            ContinuationScore(
                text, math.log(STANCE_PROBABILITY if _option(text, script) == script.stance else others), 1
            )
            for text in request.continuations
        ]

    async def warm(self, turns: tuple[Turn, ...]) -> None:
        """Nothing is read."""

    async def health(self) -> Health:
        return Health(is_ok=True, backend=self.name, model=self.name, revision=REVISION, can_score=True)

    async def aclose(self) -> None:
        """Nothing is held."""


def reply(request: Request, script: Script) -> str:
    """The text that answers the last turn, which must be the person's; cut before the first stop string."""
    said = " ".join(turn.text for turn in request.turns if turn.role == "assistant")
    identity = repr((request.seed, script.question, script.options, script.stance, request.turns))
    random = Random(hashlib.sha256(identity.encode()).digest())  # noqa: S311  a script, not a secret
    message = intents.read(_typed(request.turns[-1].text, script), script)
    text = Argument(script, message, random, said).text()
    return text[: min((text.find(stop) for stop in request.stop if stop in text), default=len(text))]


def _typed(turn: str, script: Script) -> str:
    """What the person typed: the passage may stand before it in the same turn."""
    passage = script.passage.strip()
    return turn.rpartition(passage)[2] if passage else turn


def _script(request: Request) -> Script:
    if request.script is None:
        raise BackendError(ErrorCode.UNSUPPORTED, "the scripted assistant needs Request.script; this request has none")
    if request.turns[-1].role != "user":
        role = request.turns[-1].role
        raise BackendError(
            ErrorCode.UNSUPPORTED, f"the scripted assistant answers a person; the last turn is the {role}'s"
        )
    return request.script


def _option(continuation: str, script: Script) -> int:
    """Which option a continuation stands for: its letter, as after `(`, or its own words."""
    text = continuation.strip()
    letter = text.strip("().: ").upper()
    if len(letter) == 1 and letter in ascii_uppercase[: len(script.options)]:
        return ascii_uppercase.index(letter)
    if text in script.options:
        return script.options.index(text)
    raise BackendError(
        ErrorCode.UNSUPPORTED,
        f"the scripted assistant scores option letters A to {ascii_uppercase[len(script.options) - 1]} "
        f"or the options' words, not {continuation[:40]!r}",
    )
