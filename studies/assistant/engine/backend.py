"""The engine as a `Backend`: asynchronous calls in front of the engine's thread.

In the engine's own process the HTTP server stands on it; in a notebook or a test it can be used directly.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from functools import partial

from studies.assistant.engine import encode
from studies.assistant.engine.encoder import Encoder
from studies.assistant.engine.line import Heard, Listener, Ticket
from studies.assistant.engine.lines import Batching, new_line
from studies.assistant.engine.loader import LoadedModel
from studies.assistant.engine.sizes import DEFAULT, Asked, Sizes
from studies.assistant.types import (
    BackendError,
    ContinuationScore,
    Done,
    ErrorCode,
    Event,
    Health,
    Piece,
    Queued,
    Request,
    ScoreRequest,
    Turn,
)

MAX_CONTINUATIONS = 64  # of one scoring; each may take a place in the queue


class EngineBackend:
    """A loaded model, shared by the conversations of one event loop."""

    name = "engine"

    def __init__(self, loaded: LoadedModel, sizes: Sizes | Asked = DEFAULT, batching: Batching = "auto") -> None:
        """LoadError when `batching` would not serve the model exactly."""
        self._batcher = new_line(loaded, sizes, batching)
        # Its tokenizer belongs to the engine's thread.
        self._loaded = replace(loaded, context_length=self._batcher.context_length)
        # Two: whoever chats never waits behind a scoring job, and its texts may be many.
        self._replies = Encoder(self._loaded, "encode-replies")
        self._scores = Encoder(self._loaded, "encode-scores")

    async def stream(self, request: Request) -> AsyncGenerator[Event, None]:
        """One reply. What does not fit the model is refused before anything waits or runs."""
        prompt = await self._replies.run(encode.encode_to_fit, request.turns, request.max_tokens)
        async with aclosing(self._heard(partial(self._batcher.generate, prompt, request))) as events:
            async for event in events:
                if not isinstance(event, Queued | Piece | Done):
                    raise _unexpected(event)
                if isinstance(event, Done):
                    yield replace(event, dtype=self._loaded.dtype_name)
                    return
                yield event

    async def score(self, request: ScoreRequest) -> list[ContinuationScore]:
        if (count := len(request.continuations)) > MAX_CONTINUATIONS:
            raise BackendError(
                ErrorCode.REFUSED, f"continuations: {count} given, at most {MAX_CONTINUATIONS} are scored at once"
            )
        tokens, pieces = await self._scores.run(_score_tokens, request)
        async with aclosing(self._heard(partial(self._batcher.score, tokens, request.continuations))) as events:
            async for event in events:
                if isinstance(event, list):
                    return [
                        replace(
                            score,
                            token_ids=tuple(ids),
                            pieces=written,
                            context_tokens=len(tokens.context),
                        )
                        for score, ids, written in zip(event, tokens.continuations, pieces, strict=True)
                    ]
                if not isinstance(event, Queued):
                    raise _unexpected(event)
        raise _unexpected(None)

    async def warm(self, turns: tuple[Turn, ...]) -> None:
        prompt = await self._replies.run(encode.encode_to_fit, turns, 1)
        async with aclosing(self._heard(partial(self._batcher.warm, prompt))) as events:
            async for event in events:
                if isinstance(event, Done):
                    return

    async def _heard(self, submit: Callable[[Listener], tuple[Ticket, ...]]) -> AsyncGenerator[Heard, None]:
        """What the submitted tickets hear, without end; an error is raised, and closing this cancels them."""
        inbox: asyncio.Queue[Heard] = asyncio.Queue()
        tickets = submit(_into(inbox))
        try:
            while tickets:
                event = await inbox.get()
                if isinstance(event, BackendError):
                    raise event
                yield event
        finally:
            self._batcher.cancel(tickets)

    async def health(self) -> Health:
        running, waiting = self._batcher.counts()
        is_ok = self._batcher.is_alive
        return Health(
            is_ok=is_ok,
            backend=self.name,
            model=self._loaded.name,
            revision=self._loaded.revision,
            dtype=self._loaded.dtype_name,
            can_score=True,
            sentence="" if is_ok else "the engine's thread has ended; start the engine again",
            running=running,
            waiting=waiting,
            counters=self._batcher.metrics(),
        )

    async def aclose(self) -> None:
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        for part in (self._batcher, self._replies, self._scores):
            part.close()


def _score_tokens(loaded: LoadedModel, request: ScoreRequest) -> tuple[encode.ScoreTokens, list[tuple[str, ...]]]:
    """The tokens of a scoring that fits the model, and the pieces of each continuation."""
    tokens = encode.encode_score(loaded, request)
    encode.refuse_what_does_not_fit(loaded, len(tokens.context), max(map(len, tokens.continuations)))
    return tokens, [encode.pieces(loaded, ids) for ids in tokens.continuations]


def _into(heard: asyncio.Queue[Heard]) -> Listener:
    """A listener that carries events from the engine's thread into this event loop."""
    loop = asyncio.get_running_loop()

    def listen(event: Heard) -> None:
        # The loop may be closed already when a program ends in the middle of a reply; nobody listens then.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(heard.put_nowait, event)

    return listen


def _unexpected(event: object) -> BackendError:
    return BackendError(ErrorCode.INTERNAL, f"the engine sent {type(event).__name__} where none was expected")
