"""The engine as a `Backend`: asynchronous calls in front of the engine's thread.

In the engine's own process the HTTP server stands on it; in a notebook or a test it can be used directly.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
from collections.abc import AsyncGenerator
from dataclasses import replace

from studies.assistant.engine import encode
from studies.assistant.engine.batcher import Batcher, Listener, Scores
from studies.assistant.engine.loader import LoadedModel
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
)

_Heard = asyncio.Queue[Queued | Piece | Done | Scores | BackendError]


class EngineBackend:
    """A loaded model, shared by the conversations of one event loop."""

    name = "engine"

    def __init__(self, loaded: LoadedModel, *, max_waiting: int = 64) -> None:
        # A tokenizer of its own: they are not safe to use from two threads, and the engine's thread has the other one.
        self._loaded = replace(loaded, tokenizer=copy.deepcopy(loaded.tokenizer))
        self._batcher = Batcher(loaded, max_waiting=max_waiting)

    async def stream(self, request: Request) -> AsyncGenerator[Event, None]:
        """One reply. What does not fit the model is refused before anything waits or runs."""
        prompt = encode.encode_chat(self._loaded, request.turns)
        encode.refuse_what_does_not_fit(self._loaded, len(prompt), request.max_tokens)
        heard: _Heard = asyncio.Queue()
        ticket = self._batcher.generate(prompt, request, _into(heard))
        try:
            while True:
                match await heard.get():
                    case Done() as done:
                        yield done
                        return
                    case Queued() | Piece() as event:
                        yield event
                    case other:
                        raise _unexpected(other)
        finally:
            self._batcher.cancel(ticket)

    async def score(self, request: ScoreRequest) -> list[ContinuationScore]:
        tokens = encode.encode_score(self._loaded, request)
        longest = max(len(ids) for ids in tokens.continuations)
        encode.refuse_what_does_not_fit(self._loaded, len(tokens.context), longest)
        heard: _Heard = asyncio.Queue()
        ticket = self._batcher.score(tokens, request.continuations, _into(heard))
        try:
            while True:
                match await heard.get():
                    case list() as scores:
                        return scores
                    case Queued():
                        continue
                    case other:
                        raise _unexpected(other)
        finally:
            self._batcher.cancel(ticket)

    async def health(self) -> Health:
        running, waiting = self._batcher.counts()
        is_ok = self._batcher.is_alive
        return Health(
            is_ok=is_ok,
            backend=self.name,
            model=self._loaded.name,
            revision=self._loaded.revision,
            can_score=True,
            sentence="" if is_ok else "the engine's thread has ended; start the engine again",
            running=running,
            waiting=waiting,
        )

    async def aclose(self) -> None:
        await asyncio.to_thread(self._batcher.close)


def _into(heard: _Heard) -> Listener:
    """A listener that carries events from the engine's thread into this event loop."""
    loop = asyncio.get_running_loop()

    def listen(event: Queued | Piece | Done | Scores | BackendError) -> None:
        # The loop may be closed already when a program ends in the middle of a reply; nobody listens then.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(heard.put_nowait, event)

    return listen


def _unexpected(event: object) -> BackendError:
    if isinstance(event, BackendError):
        return event
    return BackendError(ErrorCode.INTERNAL, f"the engine sent {type(event).__name__} where none was expected")
