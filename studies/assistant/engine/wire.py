"""OpenAI's JSON ↔ our records: what the engine's server reads and writes.

Beyond OpenAI's fields: a request may carry `deadline_seconds`; a chunk may carry `queued` (how many requests are ahead;
0 while the prompt is being read), the last one carries `timings`, and all name the model's `dtype`. A field that would
change the reply and that the engine does not know is refused: a study must not believe that it had an effect.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, cast

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
# Fields with an effect, and the values of each that have none.
_WITHOUT_EFFECT: dict[str, tuple[Any, ...]] = {
    "n": (1,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "logit_bias": ({},),
    "tools": ([],),
    "functions": ([],),
    "response_format": ({"type": "text"},),
}
_STATUS = {
    ErrorCode.UNREACHABLE: 503,
    ErrorCode.TIMEOUT: 504,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.CAPACITY: 413,
    ErrorCode.BAD_RESPONSE: 502,
    ErrorCode.INTERNAL: 500,
}  # all others are the request's fault: 400


def refused(sentence: str) -> BackendError:
    return BackendError(ErrorCode.REFUSED, sentence)


def chat_request(body: Mapping[str, Any], model: str) -> Request:
    """The request in a chat completion's body. BackendError(REFUSED) names the field, its value and what is allowed."""
    _check_model(body, model)
    for field, harmless in _WITHOUT_EFFECT.items():
        if body.get(field) is not None and body[field] not in harmless:
            raise BackendError(ErrorCode.UNSUPPORTED, f"{field}: this engine does not support it; leave it out")
    stop = body.get("stop") or ()
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    try:
        return Request(
            turns=_turns(body.get("messages")),
            max_tokens=512 if limit is None else int(_number("max_tokens", limit)),
            temperature=_number("temperature", body.get("temperature"), 1.0),
            top_p=_number("top_p", body.get("top_p"), 1.0),
            seed=None if body.get("seed") is None else int(_number("seed", body["seed"])),
            stop=_strings("stop", [stop] if isinstance(stop, str) else stop),
            deadline_seconds=_number("deadline_seconds", body["deadline_seconds"])
            if body.get("deadline_seconds") is not None
            else None,
        )
    except ValueError as error:
        raise refused(str(error)) from error


def turns(body: Mapping[str, Any], model: str) -> tuple[Turn, ...]:
    """The turns of a request that asks for nothing else."""
    _check_model(body, model)
    return _turns(body.get("messages"))


def wants_usage(body: Mapping[str, Any]) -> bool:
    options = body.get("stream_options")
    return isinstance(options, dict) and bool(options.get("include_usage"))


def score_request(body: Mapping[str, Any], model: str) -> ScoreRequest:
    """`{prompt | messages, continuations}`."""
    _check_model(body, model)
    prompt = body.get("prompt") or ""
    if not isinstance(prompt, str):
        raise refused("prompt: use a text")
    try:
        return ScoreRequest(
            continuations=_strings("continuations", body.get("continuations")),
            turns=_turns(body["messages"]) if body.get("messages") else (),
            prompt=prompt,
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


def _check_model(body: Mapping[str, Any], model: str) -> None:
    """No other model answers in the place of the one that was asked for."""
    if (asked := body.get("model") or model) != model:
        raise refused(f"model={asked!r}: this engine serves {model!r}")


def _turns(messages: Any) -> tuple[Turn, ...]:
    if not isinstance(messages, list) or not messages:
        raise refused("messages: use a list with at least one message")
    return tuple(_turn(message) for message in messages)


def _turn(message: Any) -> Turn:
    role = _ROLES.get(str(message.get("role"))) if isinstance(message, dict) else None
    if role is None:
        raise refused("messages: each needs a role: system, user or assistant")
    content = message.get("content")
    if isinstance(content, list) and all(isinstance(part, dict) and part.get("type") == "text" for part in content):
        content = "".join(str(part.get("text", "")) for part in content)
    if not isinstance(content, str):
        raise refused("messages: content must be text")
    return Turn(cast(Role, role), content)


def _number(field: str, value: Any, default: float | None = None) -> float:
    if value is None and default is not None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refused(f"{field}={value!r}: use a number")
    return value


def _strings(field: str, values: Any) -> tuple[str, ...]:
    if not isinstance(values, list | tuple) or not all(isinstance(value, str) for value in values):
        raise refused(f"{field}: use a list of texts")
    return tuple(values)


def _usage(done: Done) -> dict[str, int]:
    prompt, completion = done.usage.prompt_tokens or 0, done.usage.completion_tokens or 0
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _timings(done: Done) -> dict[str, float | None]:
    return {"queue_seconds": done.queue_seconds, "first_token_seconds": done.first_token_seconds}
