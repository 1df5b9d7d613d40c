"""The engine as a `Backend`: asynchronous calls in front of the engine's thread.

In the engine's own process the HTTP server stands on it; in a notebook or a test it can be used directly.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from functools import partial

from studies.assistant.engine import encode
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


class EngineBackend:
    """A loaded model, shared by the conversations of one event loop."""

    name = "engine"

    def __init__(self, loaded: LoadedModel, sizes: Sizes | Asked = DEFAULT, batching: Batching = "auto") -> None:
        """LoadError when `batching` would not serve the model exactly."""
        self._batcher = new_line(loaded, sizes, batching)
        # A tokenizer of its own: they are not safe to use from two threads, and the engine's thread has the other one.
        tokenizer = copy.deepcopy(loaded.tokenizer)
        self._loaded = replace(loaded, tokenizer=tokenizer, context_length=self._batcher.context_length)

    async def stream(self, request: Request) -> AsyncGenerator[Event, None]:
        """One reply. What does not fit the model is refused before anything waits or runs."""
        prompt = encode.encode_chat(self._loaded, request.turns)
        encode.refuse_what_does_not_fit(self._loaded, len(prompt), request.max_tokens)
        async with aclosing(self._heard(partial(self._batcher.generate, prompt, request))) as events:
            async for event in events:
                if not isinstance(event, Queued | Piece | Done):
                    raise _unexpected(event)
                if isinstance(event, Done):
                    yield replace(event, dtype=self._loaded.dtype_name)
                    return
                yield event

    async def score(self, request: ScoreRequest) -> list[ContinuationScore]:
        tokens = encode.encode_score(self._loaded, request)
        longest = max(len(ids) for ids in tokens.continuations)
        encode.refuse_what_does_not_fit(self._loaded, len(tokens.context), longest)
        async with aclosing(self._heard(partial(self._batcher.score, tokens, request.continuations))) as events:
            async for event in events:
                if isinstance(event, list):
                    return [
                        replace(
                            score,
                            token_ids=tuple(ids),
                            pieces=encode.pieces(self._loaded, ids),
                            context_tokens=len(tokens.context),
                        )
                        for score, ids in zip(event, tokens.continuations, strict=True)
                    ]
                if not isinstance(event, Queued):
                    raise _unexpected(event)
        raise _unexpected(None)

    async def warm(self, turns: tuple[Turn, ...]) -> None:
        prompt = encode.encode_chat(self._loaded, turns)
        encode.refuse_what_does_not_fit(self._loaded, len(prompt), 1)
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
        await asyncio.to_thread(self._batcher.close)


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
