"""OpenAI's JSON ↔ our records: what the engine's server reads and writes.

Beyond OpenAI's fields: a request may carry `deadline_seconds`; a chunk may carry `queued` (how many requests are ahead;
0 while the prompt is being read), the last one carries `timings`, and all name the model's `dtype`. Every value is read
strictly (`fields`): nothing that a client sends is ignored without a word, and none of it makes the engine fail.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, cast

from studies.assistant.engine import fields
from studies.assistant.engine.fields import refused
from studies.assistant.types import (
    BackendError,
    ContinuationScore,
    Done,
    ErrorCode,
    Health,
    Piece,
    Queued,
    Request,
    Role,
    ScoreRequest,
    Turn,
)

_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
_STATUS = {
    ErrorCode.UNREACHABLE: 503,
    ErrorCode.TIMEOUT: 504,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.CAPACITY: 413,
    ErrorCode.BAD_RESPONSE: 502,
    ErrorCode.INTERNAL: 500,
}  # all others are the request's fault: 400


def chat_request(body: Mapping[str, Any], model: str) -> Request:
    """The request in a chat completion's body. BackendError(REFUSED) names the field, its value and what is allowed."""
    fields.check(body, fields.CHAT)
    _check_model(body, model)
    stop = _given(body, "stop", [])
    seed, deadline = body.get("seed"), body.get("deadline_seconds")
    try:
        return Request(
            turns=_turns(body.get("messages")),
            max_tokens=_max_tokens(body),
            temperature=fields.number("temperature", _given(body, "temperature", 1.0)),
            top_p=fields.number("top_p", _given(body, "top_p", 1.0)),
            seed=None if seed is None else fields.whole("seed", seed, 0, 2**63),
            stop=fields.texts("stop", [stop] if isinstance(stop, str) else stop),
            deadline_seconds=None if deadline is None else fields.number("deadline_seconds", deadline),
        )
    except ValueError as error:
        raise refused(str(error)) from error


def turns(body: Mapping[str, Any], model: str) -> tuple[Turn, ...]:
    """The turns of a request that asks for nothing else."""
    fields.check(body, fields.WARM)
    _check_model(body, model)
    return _turns(body.get("messages"))


def wants_stream(body: Mapping[str, Any]) -> bool:
    return fields.flag("stream", body.get("stream"))


def wants_usage(body: Mapping[str, Any]) -> bool:
    options = _given(body, "stream_options", {})
    if not isinstance(options, dict):
        raise refused(f"stream_options={fields.shown(options)}: use an object with include_usage")
    return fields.flag("stream_options.include_usage", options.get("include_usage"))


def score_request(body: Mapping[str, Any], model: str) -> ScoreRequest:
    """`{prompt | messages, continuations}`."""
    fields.check(body, fields.SCORE)
    _check_model(body, model)
    try:
        return ScoreRequest(
            continuations=fields.texts("continuations", body.get("continuations")),
            turns=_turns(body["messages"]) if body.get("messages") is not None else (),
            prompt=fields.text("prompt", _given(body, "prompt", "")),
        )
    except ValueError as error:
        raise refused(str(error)) from error


class Completion:
    """One reply on its way out, as stream chunks or as a whole."""

    def __init__(self, health: Health) -> None:
        self._head = {
            "id": f"chatcmpl-{uuid.uuid4().hex}",
            "created": int(time.time()),
            "model": health.model,
            "system_fingerprint": health.revision,
            "dtype": health.dtype,
        }

    def chunk(self, event: Queued | Piece | Done) -> dict[str, Any]:
        delta = {"role": "assistant", "content": event.text if isinstance(event, Piece) else ""}
        reason = event.reason.value if isinstance(event, Done) else None
        chunk: dict[str, Any] = {
            **self._head,
            "object": "chat.completion.chunk",
            "choices": [{"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}],
        }
        match event:
            case Queued(position):
                chunk["queued"] = position
            case Done():
                chunk["timings"] = _timings(event)
        return chunk

    def usage_chunk(self, done: Done) -> dict[str, Any]:
        return {**self._head, "object": "chat.completion.chunk", "choices": [], "usage": _usage(done)}

    def whole(self, text: str, done: Done) -> dict[str, Any]:
        message = {"role": "assistant", "content": text, "refusal": None}
        choice = {"index": 0, "message": message, "finish_reason": done.reason.value, "logprobs": None}
        timings = _timings(done)
        return {
            **self._head,
            "object": "chat.completion",
            "choices": [choice],
            "usage": _usage(done),
            "timings": timings,
        }


def scores_body(scores: Sequence[ContinuationScore]) -> dict[str, Any]:
    return {
        "logprobs": [score.logprob for score in scores],
        "tokens": [score.tokens for score in scores],
        "token_ids": [score.token_ids for score in scores],
        "pieces": [score.pieces for score in scores],
        "context_tokens": scores[0].context_tokens if scores else None,
    }


def models_body(health: Health) -> dict[str, Any]:
    served = {"id": health.model, "object": "model", "created": 0, "owned_by": "oversight"}
    more = {"revision": health.revision, "dtype": health.dtype, "can_score": health.can_score}
    return {"object": "list", "data": [{**served, **more}]}


def health_body(health: Health) -> dict[str, Any]:
    return {"status": "ok" if health.is_ok else "down", **asdict(health)}


def error_body(error: BackendError) -> dict[str, Any]:
    kind = "invalid_request_error" if status(error) < 500 else "server_error"
    return {"error": {"message": error.sentence, "type": kind, "param": None, "code": error.code.value}}


def status(error: BackendError) -> int:
    return _STATUS.get(error.code, 400)


def sse(data: dict[str, Any] | str) -> bytes:
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return f"data: {text}\n\n".encode()


def _given(body: Mapping[str, Any], field: str, default: Any) -> Any:
    """The field's value; null is the default."""
    value = body.get(field)
    return default if value is None else value


def _check_model(body: Mapping[str, Any], model: str) -> None:
    """No other model answers in the place of the one that was asked for."""
    if (asked := _given(body, "model", "")) not in ("", model):
        raise refused(f"model={fields.shown(asked)}: this engine serves {model!r}")


def _max_tokens(body: Mapping[str, Any]) -> int:
    named = [field for field in ("max_completion_tokens", "max_tokens") if body.get(field) is not None]
    limits = {fields.whole(field, body[field], 1, 2**31) for field in named}
    if len(limits) > 1:
        raise refused("max_tokens and max_completion_tokens differ: send one of them")
    return limits.pop() if limits else 512


def _turns(messages: Any) -> tuple[Turn, ...]:
    if not isinstance(messages, list) or not messages:
        raise refused("messages: use a list with at least one message")
    return tuple(_turn(message) for message in messages)


def _turn(message: Any) -> Turn:
    said = message.get("role") if isinstance(message, dict) else None
    role = _ROLES.get(said) if isinstance(said, str) else None
    if role is None:
        raise refused("messages: each needs a role: system, user or assistant")
    content = message.get("content")
    if isinstance(content, list) and all(isinstance(part, dict) and part.get("type") == "text" for part in content):
        content = "".join(fields.text("messages: text", part.get("text")) for part in content)
    if not isinstance(content, str):
        raise refused("messages: content must be text")
    return Turn(cast(Role, role), fields.text("messages: content", content))


def _usage(done: Done) -> dict[str, int]:
    prompt, completion = done.usage.prompt_tokens or 0, done.usage.completion_tokens or 0
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _timings(done: Done) -> dict[str, float | None]:
    return {"queue_seconds": done.queue_seconds, "first_token_seconds": done.first_token_seconds}
