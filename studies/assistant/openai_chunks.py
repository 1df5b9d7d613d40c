"""The chunks of one streamed reply → our events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from studies.assistant.openai_errors import bad_response
from studies.assistant.types import Done, Event, FinishReason, Piece, Queued, Usage

_REASONS = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "deadline": FinishReason.DEADLINE,
    "content_filter": FinishReason.FILTERED,
}


class StreamedReply:
    """What the chunks of one reply have said so far."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.revision = ""
        self.dtype = ""
        self.has_begun = False
        self._reason = ""
        self._usage = Usage()
        self._queue_seconds: float | None = None
        self._position = 0
        self._half = ""

    def read(self, chunk: Any) -> Iterator[Event]:
        """The news in a chunk."""
        self.model = chunk.model or self.model
        self.revision = chunk.system_fingerprint or self.revision
        if chunk.usage is not None:
            self._usage = Usage(chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
        extra = chunk.model_extra or {}
        if isinstance(dtype := extra.get("dtype"), str):
            self.dtype = dtype
        timings, position = extra.get("timings"), extra.get("queued")
        if isinstance(timings, dict):
            self._queue_seconds = timings.get("queue_seconds")
        if isinstance(position, int) and position > 0 and position != self._position:
            self._position = position
            yield Queued(position)
        for choice in chunk.choices[:1]:
            self._reason = choice.finish_reason or self._reason
            if text := self._whole(choice.delta.content or ""):
                self.has_begun = True
                yield Piece(text)

    def done(self, first_token_seconds: float | None) -> Done:
        if not self._reason:
            raise bad_response("the stream ended in the middle of the reply")
        if self._reason not in _REASONS:
            raise bad_response(f"the reply ended for an unknown reason, {self._reason!r}")
        reason = _REASONS[self._reason]
        return Done(
            reason, self._usage, self.model, self.revision, self._queue_seconds, first_token_seconds, self.dtype
        )

    def _whole(self, text: str) -> str:
        """Some servers cut a character into two escapes (a surrogate pair); the first half waits for the second."""
        text = self._half + text
        self._half = text[-1] if text and "\ud800" <= text[-1] <= "\udbff" else ""
        text = text[: len(text) - len(self._half)]
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
