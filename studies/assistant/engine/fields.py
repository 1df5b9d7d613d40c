"""The fields of a request: which are known, and their values read strictly; all else is refused with a sentence.

A field that would change the reply and that the engine does not know is refused, and so is a name that nobody knows: a
study must not believe that it had an effect. One that is null counts as left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from studies.assistant.types import BackendError, ErrorCode

CHAT = (
    "model", "messages", "max_tokens", "max_completion_tokens", "temperature", "top_p", "seed", "stop", "stream",
    "stream_options", "deadline_seconds",
)  # fmt: skip
SCORE = ("model", "messages", "prompt", "continuations")
WARM = ("model", "messages")
# What OpenAI's client may send along for its own house: no reply depends on it.
_HARMLESS = (
    "user", "store", "metadata", "service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_retention",
    "parallel_tool_calls", "prediction",
)  # fmt: skip
# Fields with an effect that the engine does not have, and the values of each that have none.
_WITHOUT_EFFECT: dict[str, tuple[Any, ...]] = {
    "n": (1,),
    "best_of": (1,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "repetition_penalty": (1,),
    "logit_bias": ({},),
    "top_k": (0, -1),
    "min_p": (0,),
    "min_tokens": (0,),
    "ignore_eos": (False,),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "functions": ([],),
    "function_call": ("none", "auto"),
    "response_format": ({"type": "text"},),
    "modalities": (["text"],),
}
_SHOWN = 60  # characters of a wrong value in a sentence


def refused(sentence: str) -> BackendError:
    return BackendError(ErrorCode.REFUSED, sentence)


def check(body: Mapping[str, Any], known: tuple[str, ...]) -> None:
    """BackendError(UNSUPPORTED) for a field that would be ignored."""
    for field, value in body.items():
        if value is None or field in known or (known is CHAT and field in _HARMLESS):
            continue
        if known is not CHAT or field not in _WITHOUT_EFFECT:
            raise BackendError(
                ErrorCode.UNSUPPORTED,
                f"{shown(field)}: this engine does not know this field; leave it out. It knows {', '.join(known)}",
            )
        if value not in _WITHOUT_EFFECT[field]:
            raise BackendError(ErrorCode.UNSUPPORTED, f"{field}: this engine does not support it; leave it out")


def number(field: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refused(f"{field}={shown(value)}: use a number")
    try:
        read = float(value)
    except OverflowError:
        read = math.inf
    if not math.isfinite(read):
        raise refused(f"{field}={shown(value)}: use a number that is finite")
    return read


def whole(field: str, value: Any, least: int, below: int) -> int:
    """A whole number, which may be written as 20.0."""
    if not number(field, value).is_integer():
        raise refused(f"{field}={shown(value)}: use a whole number")
    if not least <= (read := int(value)) < below:
        raise refused(f"{field}={shown(value)}: use {least} or more, at most {below - 1}")
    return read


def flag(field: str, value: Any) -> bool:
    if value is None or isinstance(value, bool):
        return bool(value)
    raise refused(f"{field}={shown(value)}: use true or false")


def text(field: str, value: Any) -> str:
    if not isinstance(value, str):
        raise refused(f"{field}: use a text")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        # JSON can write "\ud83c", the first half of an emoji; no tokenizer takes it.
        raise refused(f"{field}: there is half a character in it (a lone surrogate); send whole characters") from error
    return value


def texts(field: str, values: Any) -> tuple[str, ...]:
    if not isinstance(values, list | tuple) or not all(isinstance(value, str) for value in values):
        raise refused(f"{field}: use a list of texts")
    return tuple(text(field, value) for value in values)


def shown(value: Any) -> str:
    """A value for a sentence; large ones by their beginning, lists and objects by their kind."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    written = repr(value)
    return written if len(written) <= _SHOWN else f"{written[:_SHOWN]}…"
