"""What an assistant is: the `Backend` protocol and the frozen records that pass through it.

A caller streams one reply like this; leaving the block early, for whatever reason, cancels the generation:

    async with aclosing(backend.stream(request)) as events:
        async for event in events:
            match event:
                case Queued(position): ...      # zero or more, before the first piece
                case Piece(text): ...           # the pieces join to the reply
                case Done(reason, usage): ...   # exactly once, last
"""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol

Role = Literal["system", "user", "assistant"]
LEAST_TEMPERATURE = 0.0001  # beside 0: what is divided by less runs out of float32, and no text can be drawn from that
LEAST_TOP_P = 0.0001


class ErrorCode(StrEnum):
    """Everything that can go wrong with an assistant; a closed set, so that callers can handle all of it."""

    UNREACHABLE = "unreachable"  # nobody answers at the address, or it went away
    TIMEOUT = "timeout"  # it is there, but silent for too long
    RATE_LIMITED = "rate_limited"  # too much asked at once: its queue or quota is full
    REFUSED = "refused"  # it understood and said no: a wrong key, an unknown model, a bad value
    CAPACITY = "capacity"  # this conversation does not fit the model or its memory
    BAD_RESPONSE = "bad_response"  # what it sent cannot be understood
    NO_LOGPROBS = "no_logprobs"  # it cannot score continuations
    UNSUPPORTED = "unsupported"  # this backend cannot do what was asked
    MISCONFIGURED = "misconfigured"  # this assistant cannot work as it is set up; an operator must change that
    INTERNAL = "internal"  # it failed while working


_RETRYABLE = frozenset(
    {
        ErrorCode.UNREACHABLE,
        ErrorCode.TIMEOUT,
        ErrorCode.RATE_LIMITED,
        ErrorCode.BAD_RESPONSE,
        ErrorCode.INTERNAL,
    }
)


class BackendError(Exception):
    """An expected failure: `code` for machines, `sentence` for the operator, without the person's text in it."""

    def __init__(self, code: ErrorCode, sentence: str) -> None:
        super().__init__(f"{code.value}: {sentence}")
        self.code = code
        self.sentence = sentence

    @property
    def is_retryable(self) -> bool:
        """Whether the same request may succeed a little later."""
        return self.code in _RETRYABLE


class FinishReason(StrEnum):
    STOP = "stop"  # the model, or a stop string, ended the reply
    LENGTH = "length"  # max_tokens was reached
    DEADLINE = "deadline"  # deadline_seconds were over; the text so far stands
    FILTERED = "filtered"  # a hosted endpoint's content filter cut it


@dataclass(frozen=True, slots=True)
class Turn:
    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Script:
    """What the scripted assistant argues about. It holds a stance and no key: the scripted assistant cannot know one.

    `pace_words_per_second`: 0 sends everything at once; 4 is about the reading speed of an adult.
    """

    question: str
    options: tuple[str, ...]
    stance: int
    passage: str = ""
    pace_words_per_second: float = 0.0

    def __post_init__(self) -> None:
        if not 2 <= len(self.options) <= 26:
            raise ValueError(f"options: {len(self.options)} given, 2 to 26 are allowed")
        if not 0 <= self.stance < len(self.options):
            raise ValueError(f"stance={self.stance}: use the index of an option, 0 to {len(self.options) - 1}")
        if self.pace_words_per_second < 0:
            raise ValueError(f"pace_words_per_second={self.pace_words_per_second}: use 0 (no waiting) or more")


@dataclass(frozen=True, slots=True)
class Request:
    """One reply, asked for. When the last turn is the assistant's, the reply goes on from its text.

    `deadline_seconds` counts from the call and includes queueing; at the deadline the reply ends as `DEADLINE`.
    `seed`: the same request with the same seed gives the same text where the backend can promise it.
    """

    turns: tuple[Turn, ...]
    max_tokens: int = 512
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    deadline_seconds: float | None = None
    script: Script | None = None

    def __post_init__(self) -> None:
        if not self.turns:
            raise ValueError("turns: empty; a request needs at least one turn")
        if self.max_tokens < 1:
            raise ValueError(f"max_tokens={self.max_tokens}: use 1 or more")
        if not (self.temperature == 0 or LEAST_TEMPERATURE <= self.temperature <= 2):
            raise ValueError(f"temperature={self.temperature}: use 0 (greedy), or {LEAST_TEMPERATURE} to 2")
        if not LEAST_TOP_P <= self.top_p <= 1:
            raise ValueError(f"top_p={self.top_p}: use {LEAST_TOP_P} to 1")
        if "" in self.stop:
            raise ValueError("stop: an empty string would stop everything; leave it out")
        if self.deadline_seconds is not None and not 0 <= self.deadline_seconds < math.inf:
            raise ValueError(f"deadline_seconds={self.deadline_seconds}: use a number of seconds, 0 or more")


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts as the backend counts them; None where it does not say."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Queued:
    """The request waits; `position` others (1 or more) are ahead of it, the running one included."""

    position: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the reply, never empty and never half a character."""

    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """The end of a reply. `model`, `revision` and `dtype` say what produced it; the times are None where unknown.

    `dtype`: what the weights are computed in ("float32", "bfloat16"); "" where the endpoint does not say.
    """

    reason: FinishReason
    usage: Usage
    model: str
    revision: str = ""
    queue_seconds: float | None = None
    first_token_seconds: float | None = None
    dtype: str = ""


Event = Queued | Piece | Done


@dataclass(frozen=True, slots=True)
class ScoreRequest:
    """How likely is each continuation? Give `turns` (through the chat template) or a plain `prompt`, not both.

    When the last turn is the assistant's, the continuations follow its text, as after `(` in the letter prompt.
    """

    continuations: tuple[str, ...]
    turns: tuple[Turn, ...] = ()
    prompt: str = ""
    script: Script | None = None

    def __post_init__(self) -> None:
        if bool(self.turns) == bool(self.prompt):
            raise ValueError("give either turns or a prompt to score after, not both and not neither")
        if not self.continuations or "" in self.continuations:
            raise ValueError("continuations: give one or more, none of them empty")


@dataclass(frozen=True, slots=True)
class ContinuationScore:
    """`logprob`: natural logarithm of P(continuation | context), summed over its `tokens`; not length-normalised.

    `token_ids` are these tokens, and `pieces` the same as the vocabulary writes them: a blank or a bracket that the
    tokenizer merges with a letter is among them. Both are empty where the endpoint does not say. `context_tokens`: how
    many tokens stood before the continuation; None where the endpoint does not say.
    """

    continuation: str
    logprob: float
    tokens: int
    token_ids: tuple[int, ...] = ()
    pieces: tuple[str, ...] = ()
    context_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """What a backend serves now. `sentence` says what is wrong when it is not ok; None: it does not say.

    `dtype`: as in `Done`. `counters`: numbers that its `/metrics` gives too, by name.
    """

    is_ok: bool
    backend: str
    model: str
    revision: str = ""
    can_score: bool = False
    sentence: str = ""
    running: int | None = None
    waiting: int | None = None
    counters: Mapping[str, float] = field(default_factory=dict)
    dtype: str = ""


class Backend(Protocol):
    """One configured assistant. Safe to share between conversations of one event loop."""

    @property
    def name(self) -> str: ...

    def stream(self, request: Request) -> AsyncGenerator[Event, None]:
        """Yield Queued*, Piece*, then one Done; raise BackendError; closing the generator cancels the work."""
        ...

    async def score(self, request: ScoreRequest) -> list[ContinuationScore]:
        """Score each continuation, in the order given; BackendError(NO_LOGPROBS) where that is impossible."""
        ...

    async def warm(self, turns: tuple[Turn, ...]) -> None:
        """Read these turns now, where there is a cache for it, so that a reply after them begins at once."""
        ...

    async def health(self) -> Health:
        """Say what is served. Does not raise for an assistant that is down: `is_ok` is False then."""
        ...

    async def aclose(self) -> None:
        """Let go of connections, threads and memory."""
        ...
