"""Log-probabilities of single tokens from endpoints that are not our engine; exact, or refused with what is missing.

With token ids, as our engine scores: context and continuation are encoded together and cut where the encodings part.
Both servers encode a chat at `POST /tokenize` (vllm/entrypoints/serve/tokenize/protocol.py;
sglang/srt/entrypoints/openai/serving_tokenize.py). Then
- vLLM: `POST /v1/completions` with the ids as prompt and `logprob_token_ids` (vLLM PR 43463;
  vllm/entrypoints/openai/completion/protocol.py); older ones ignore the field, which is noticed;
- SGLang: `POST /generate` with `input_ids` and `token_ids_logprob` (its native interface).

Elsewhere by OpenAI's `top_logprobs`, at most 20, which names tokens by their text: refused when a continuation is not
among them or stands there twice. `continue_final_message` and `add_generation_prompt` are vLLM's and SGLang's names for
going on with the assistant's turn; whether an endpoint heeds them shows in its count of prompt tokens.

All ask for one token at temperature 1, where a sampler's probabilities are the model's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Protocol

from studies.assistant.openai_errors import bad_response
from studies.assistant.types import BackendError, ContinuationScore, ErrorCode, ScoreRequest, Turn

TOP = 20
_NOT_THERE = frozenset({ErrorCode.REFUSED, ErrorCode.UNSUPPORTED, ErrorCode.BAD_RESPONSE, ErrorCode.NO_LOGPROBS})
Json = dict[str, Any]


class Way(StrEnum):
    """How an endpoint gives log-probabilities of given continuations; the first is our engine's own."""

    ENGINE = "/v1/score"
    VLLM = "logprob_token_ids"
    SGLANG = "token_ids_logprob"
    TOP = "top_logprobs"


class Ask(Protocol):
    """Post a body, return the answer; `at_root`: the path does not stand under /v1. Raises BackendError."""

    async def __call__(self, path: str, body: Json, *, at_root: bool = False) -> object: ...


class TokenScores:
    """The scores of one model at one endpoint. `way` is the first that worked; the others are not tried again."""

    def __init__(self, ask: Ask, model: str, address: str) -> None:
        self.way: Way | None = None
        self._ask, self._model, self._address = ask, model, address
        self._single: set[tuple[str, str]] = set()

    async def score(self, request: ScoreRequest) -> list[ContinuationScore]:
        """One score for each continuation, in order; BackendError(NO_LOGPROBS) says why no way works here."""
        ways = {Way.VLLM: self._by_vllm, Way.SGLANG: self._by_sglang, Way.TOP: self._by_top}
        reasons: list[str] = []
        for way in [self.way] if self.way else ways:
            try:
                length, logprobs = await ways[way](request)
            except BackendError as error:
                if error.code not in _NOT_THERE:
                    raise
                reasons.append(error.sentence)
                continue
            self.way = way
            return [ContinuationScore(text, logprobs[text], 1, context_tokens=length) for text in request.continuations]
        asked = f"{self._address} gives no log-probabilities of {_listed(request.continuations)}"
        elsewhere = "run_engine, vLLM and SGLang give them"
        raise _none(f"{asked} ({'; '.join(dict.fromkeys(reasons))}); {elsewhere}")

    async def _by_vllm(self, request: ScoreRequest) -> tuple[int, dict[str, float]]:
        context, ids = await self._encoded(request)
        body = {**self._one_token(), "prompt": context, "logprobs": 1, "logprob_token_ids": list(ids.values())}
        answer = await self._ask("/completions", {**body, "return_tokens_as_token_ids": True})
        told = _dig(answer, "choices", 0, "logprobs", "top_logprobs", 0)
        found = told if isinstance(told, dict) else {}
        told_ids = {text: found.get(f"token_id:{token}") for text, token in ids.items()}
        return len(context), _numbers(told_ids, Way.VLLM)

    async def _by_sglang(self, request: ScoreRequest) -> tuple[int, dict[str, float]]:
        context, ids = await self._encoded(request)
        sampling = {"max_new_tokens": 1, "temperature": 1.0, "top_p": 1.0, "top_k": -1}
        body = {"input_ids": context, "sampling_params": sampling, "return_logprob": True}
        answer = await self._ask("/generate", {**body, "token_ids_logprob": list(ids.values())}, at_root=True)
        told = _dig(answer, "meta_info", "output_token_ids_logprobs", 0)
        rows = told if isinstance(told, list) else []
        found = {_dig(row, 1): _dig(row, 0) for row in rows if isinstance(_dig(row, 1), int)}
        return len(context), _numbers({text: found.get(token) for text, token in ids.items()}, Way.SGLANG)

    async def _by_top(self, request: ScoreRequest) -> tuple[int, dict[str, float]]:
        if not request.turns:
            raise _none(f"{Way.TOP} are told of a chat only, not of a plain prompt")
        answer, length = await self._chat(request.turns)
        top = _dig(answer, "choices", 0, "logprobs", "content", 0, "top_logprobs")
        told = [(_dig(entry, "token"), _dig(entry, "logprob")) for entry in top] if isinstance(top, list) else []
        if not told:
            raise _none(f"it sends no {Way.TOP}")
        tokens = [token for token, _ in told]
        if missing := [text for text in request.continuations if text not in tokens]:
            raise _none(f"of the {len(told)} likeliest tokens that it tells ({Way.TOP}) none is {_listed(missing)}")
        if twice := [text for text in request.continuations if tokens.count(text) > 1]:
            raise _none(f"two of its {Way.TOP} read {_listed(twice)}, and it does not say which is meant")
        for text in request.continuations:
            await self._require_single(request.turns, text, length)
        return length, _numbers({text: told[tokens.index(text)][1] for text in request.continuations}, Way.TOP)

    async def _require_single(self, turns: Sequence[Turn], text: str, length: int) -> None:
        """Refuse unless the context of `length` tokens goes on with one for `text`, by the endpoint's own counts.

        Asked once for the same text after the same beginning of the assistant's turn.
        """
        longer = _going_on(turns, text)
        if (longer[-1].text, text) in self._single:
            return
        _, joint = await self._chat(longer)
        _, closed = await self._chat(longer, is_open=False)
        if closed <= joint:
            raise _none("it does not go on with an assistant's turn (continue_final_message)")
        if joint != length + 1:
            raise _none(f"{text!r} is no token of its own after {longer[-1].text.removesuffix(text)!r}")
        self._single.add((longer[-1].text, text))

    async def _chat(self, turns: Sequence[Turn], *, is_open: bool = True) -> tuple[object, int]:
        """An answer of one token with the likeliest ones, and how many tokens its prompt had."""
        body = {**self._one_token(), "logprobs": True, "top_logprobs": TOP}
        answer = await self._ask("/chat/completions", body | (_as_chat(turns) if is_open else _as_closed(turns)))
        length = _dig(answer, "usage", "prompt_tokens")
        if not isinstance(length, int):
            raise _none("it does not count the prompt's tokens")
        return answer, length

    async def _encoded(self, request: ScoreRequest) -> tuple[list[int], dict[str, int]]:
        """The context's tokens, and for each continuation the one token after them."""
        texts = request.continuations
        if request.turns:
            bodies = [_as_chat(turns) for turns in (request.turns, *(_going_on(request.turns, text) for text in texts))]
        else:
            bodies = [{"prompt": request.prompt + text} for text in ("", *texts)]
        context, *joint = await asyncio.gather(*(self._tokens(body) for body in bodies))
        cut = min(_shared(context, ids) for ids in joint)
        for text, ids in zip(texts, joint, strict=True):
            if cut < 1 or len(ids) != cut + 1:
                raise _none(f"{text!r} is {len(ids) - cut} tokens of this model; only single ones can be asked for")
        return context[:cut], {text: ids[cut] for text, ids in zip(texts, joint, strict=True)}

    async def _tokens(self, body: Json) -> list[int]:
        answer = await self._ask("/tokenize", {"model": self._model, **body}, at_root=True)
        tokens = _dig(answer, "tokens")
        if not isinstance(tokens, list) or not all(isinstance(token, int) for token in tokens):
            raise bad_response(f"{self._address}: /tokenize sent no list of token ids")
        return tokens

    def _one_token(self) -> Json:
        return {"model": self._model, "max_tokens": 1, "temperature": 1.0, "top_p": 1.0}


def as_messages(turns: Sequence[Turn]) -> list[dict[str, str]]:
    """Turns as OpenAI's messages."""
    return [{"role": turn.role, "content": turn.text} for turn in turns]


def _as_closed(turns: Sequence[Turn]) -> Json:
    return {"messages": as_messages(turns)}


def _as_chat(turns: Sequence[Turn]) -> Json:
    """A chat whose last turn, if it is the assistant's, stays open; the fields are sent only where they say that."""
    is_open = turns[-1].role == "assistant"
    return _as_closed(turns) | ({"add_generation_prompt": False, "continue_final_message": True} if is_open else {})


def _going_on(turns: Sequence[Turn], text: str) -> tuple[Turn, ...]:
    """The chat with `text` at the end of the assistant's turn."""
    *earlier, last = turns
    if last.role == "assistant":
        return (*earlier, Turn("assistant", last.text + text))
    return (*turns, Turn("assistant", text))


def _shared(first: Sequence[int], second: Sequence[int]) -> int:
    """How many tokens both begin with."""
    pairs = zip(first, second, strict=False)
    return next((place for place, (a, b) in enumerate(pairs) if a != b), min(len(first), len(second)))


def _numbers(found: dict[str, object], way: Way) -> dict[str, float]:
    """The log-probabilities, all of them: an endpoint that ignores the field leaves some out."""
    numbers = {text: float(value) for text, value in found.items() if isinstance(value, int | float) and value <= 0}
    if missing := [text for text in found if text not in numbers]:
        raise _none(f"it sends no log-probability of {_listed(missing)} for {way}")
    return numbers


def _dig(value: object, *keys: str | int) -> Any:
    """What stands at these keys and places of a JSON value; None where there is nothing."""
    for key in keys:
        try:
            value = value[key]  # type: ignore[index]
        except (TypeError, KeyError, IndexError):
            return None
    return value


def _listed(texts: Sequence[str]) -> str:
    return ", ".join(repr(text) for text in texts)


def _none(sentence: str) -> BackendError:
    return BackendError(ErrorCode.NO_LOGPROBS, sentence)
