"""Any OpenAI-compatible endpoint as a `Backend`: our engine, vLLM, SGLang, llama.cpp, a hosted API.

Nothing is retried here: a retry is a new reply, and the caller decides about it. Every wait has a limit of its own.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncGenerator, Awaitable
from typing import Any
from urllib.parse import urlsplit

import httpx2
import openai

from studies.assistant.openai_chunks import StreamedReply
from studies.assistant.openai_errors import bad_response, typed
from studies.assistant.token_scores import TokenScores, Way, as_messages
from studies.assistant.types import (
    BackendError,
    ContinuationScore,
    Done,
    ErrorCode,
    Event,
    FinishReason,
    Health,
    Request,
    ScoreRequest,
    Turn,
    Usage,
)
from studies.assistant.waiting import Clock, DeadlineOver, Timeouts

# Servers drop an idle connection after 5 seconds (uvicorn, and so vLLM and SGLang) or later. We do so well before: a
# request that crosses the end of its connection is lost.
_CONNECTIONS = httpx2.Limits(max_connections=1000, max_keepalive_connections=100, keepalive_expiry=2.0)
# How long our engine's own deadline may come late before this side gives up: its answer has the token counts.
_ENGINE_SLACK_SECONDS = 2.0


class OpenAICompatibleBackend:
    """One model at one address. Use it within one event loop.

    `is_engine`: the endpoint is this project's engine, which understands a deadline and can go on with a turn.
    """

    def __init__(
        self, *, base_url: str, model: str, api_key: str = "", timeouts: Timeouts | None = None, is_engine: bool = False
    ) -> None:
        self.name = "engine" if is_engine else "openai"
        self._is_engine = is_engine
        self._address = base_url
        self._model = model
        self._api_key = api_key
        self._limits = timeouts or Timeouts()
        self._is_scored_by_engine = True if is_engine else None
        self._token_scores = TokenScores(self._ask, model, base_url)
        self._client = openai.AsyncOpenAI(
            base_url=with_path(base_url),
            api_key=api_key or "none",
            max_retries=0,
            timeout=openai.Timeout(None, connect=self._limits.connect),
            # A proxy from the environment must not stand between us and this machine itself.
            http_client=openai.DefaultAsyncHttpx2Client(trust_env=not _is_loopback(base_url), limits=_CONNECTIONS),
        )

    async def stream(self, request: Request) -> AsyncGenerator[Event, None]:
        clock = Clock(request.deadline_seconds, self._limits, slack=_ENGINE_SLACK_SECONDS if self._is_engine else 0.0)
        reply = StreamedReply(self._model)
        source: openai.AsyncStream[Any] | None = None
        try:
            asked: Awaitable[openai.AsyncStream[Any]] = self._client.chat.completions.create(**self._arguments(request))
            source = await clock.within(self._limits.first_token, asked)
            while True:
                limit = self._limits.between_tokens if reply.has_begun else self._limits.first_token
                chunk = await clock.within(limit, anext(source, None))
                if chunk is None:
                    break
                for event in reply.read(chunk):
                    clock.note(event)
                    yield event
            yield reply.done(clock.first_seconds)
        except DeadlineOver:
            yield Done(
                FinishReason.DEADLINE,
                Usage(),
                reply.model,
                reply.revision,
                first_token_seconds=clock.first_seconds,
                dtype=reply.dtype,
            )
        except openai.APIError as error:
            raise typed(error, self._address, self._api_key) from error
        except (ValueError, TypeError, AttributeError) as error:
            # The client takes JSON of any shape for a chunk, and lets JSON errors through.
            raise bad_response(f"{self._address} sent what is no part of a chat completion") from error
        finally:
            # Closing the response is what cancels: the endpoint sees the connection end.
            if source is not None:
                await source.close()

    async def score(self, request: ScoreRequest) -> list[ContinuationScore]:
        """Through `/v1/score` where our engine answers, elsewhere as `token_scores` can: exactly, or NO_LOGPROBS.

        Others have a `/v1/score` of another kind: whose it is, the list of models says.
        """
        if self._is_scored_by_engine is None:
            health = await self.health()
            self._is_scored_by_engine = health.can_score if health.is_ok else None
        if not self._is_scored_by_engine:
            return await self._token_scores.score(request)
        body: dict[str, Any] = {"model": self._model, "continuations": list(request.continuations)}
        body |= {"messages": as_messages(request.turns)} if request.turns else {"prompt": request.prompt}
        return _scores(await self._ask("/score", body), request.continuations, self._address)

    @property
    def scored_by(self) -> Way | None:
        """How the last scores were got; None before there were any."""
        return Way.ENGINE if self._is_scored_by_engine else self._token_scores.way

    async def warm(self, turns: tuple[Turn, ...]) -> None:
        """Our engine reads ahead; another endpoint is not asked, since it might charge for it."""
        if self._is_engine:
            await self._ask("/warm", {"model": self._model, "messages": as_messages(turns)})

    async def health(self) -> Health:
        try:
            served = _listed(await asyncio.wait_for(self._client.models.list(), self._limits.first_token))
        except openai.NotFoundError:
            sentence = f"{self._address} answers, but does not list its models"
            return Health(is_ok=True, backend=self.name, model=self._model, sentence=sentence)
        except openai.APIError as error:
            sentence = typed(error, self._address, self._api_key).sentence
            return Health(is_ok=False, backend=self.name, model=self._model, sentence=sentence)
        except TimeoutError:
            sentence = f"{self._address} did not answer for {self._limits.first_token:g} seconds"
            return Health(is_ok=False, backend=self.name, model=self._model, sentence=sentence)
        except (ValueError, TypeError, AttributeError):
            # As in `stream`: the client lets JSON errors through, and fails in many ways at what is no list of models.
            sentence = (
                f"{self._address} answers, but not like an OpenAI-compatible endpoint; "
                "is the address right, with its path?"
            )
            return Health(is_ok=False, backend=self.name, model=self._model, sentence=sentence)
        model = self._model or next(iter(served), "")
        if model not in served:
            sentence = f"{self._address} does not serve {model!r}; it serves {', '.join(list(served)[:10])}"
            return Health(is_ok=False, backend=self.name, model=model, sentence=sentence)
        extra = served[model]
        return Health(
            is_ok=True,
            backend=self.name,
            model=model,
            revision=str(extra.get("revision") or ""),
            dtype=str(extra.get("dtype") or ""),
            can_score=bool(extra.get("can_score")),
        )

    async def aclose(self) -> None:
        await self._client.close()

    async def _ask(self, path: str, body: dict[str, Any], *, at_root: bool = False) -> object:
        base = str(self._client.base_url).rstrip("/")
        url = (base.removesuffix("/v1") if at_root else base) + path
        try:
            asked = self._client.post(url, cast_to=object, body=body)
            return await Clock(None, self._limits).within(self._limits.total, asked)
        except openai.APIError as error:
            raise typed(error, url, self._api_key) from error
        except ValueError as error:
            raise bad_response(f"{url} sent no JSON") from error

    def _arguments(self, request: Request) -> dict[str, Any]:
        if request.turns[-1].role == "assistant" and not self._is_engine:
            raise BackendError(
                ErrorCode.UNSUPPORTED, "only the engine goes on with an assistant's turn; end with a user's"
            )
        arguments: dict[str, Any] = {
            "model": self._model,
            "messages": as_messages(request.turns),
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        # Only what is set: hosted endpoints refuse fields that they do not know.
        if request.seed is not None:
            arguments["seed"] = request.seed
        if request.stop:
            arguments["stop"] = list(request.stop)
        if self._is_engine and request.deadline_seconds is not None:
            arguments["extra_body"] = {"deadline_seconds": request.deadline_seconds}
        return arguments


def with_path(base_url: str) -> str:
    """The address as the client wants it: with /v1 where it names no path."""
    return base_url.rstrip("/") + "/v1" if urlsplit(base_url).path in ("", "/") else base_url


def _is_loopback(base_url: str) -> bool:
    host = urlsplit(base_url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listed(models: Any) -> dict[str, dict[str, Any]]:
    """The models of a list, with what is said of each beyond OpenAI's fields. TypeError where it is no such list."""
    served = {model.id: model.model_extra or {} for model in models.data}
    if not isinstance(models.data, list) or not all(isinstance(name, str) for name in served):
        raise TypeError("models without names")
    return served


def _scores(answer: object, continuations: tuple[str, ...], address: str) -> list[ContinuationScore]:
    found = answer if isinstance(answer, dict) else {}
    logprobs, tokens = found.get("logprobs"), found.get("tokens")
    if (
        not isinstance(logprobs, list)
        or not isinstance(tokens, list)
        or not len(logprobs) == len(tokens) == len(continuations)
        or not all(isinstance(value, int | float) and value <= 0 for value in logprobs)
        or not all(isinstance(value, int) and value > 0 for value in tokens)
    ):
        raise bad_response(f"{address}/score did not send one log-probability and token count per continuation")
    token_ids, pieces = (
        _of_each(found.get(field), kind, tokens) for field, kind in (("token_ids", int), ("pieces", str))
    )
    if token_ids is None or pieces is None:
        raise bad_response(f"{address}/score did not send one token id and one piece for each token that it counts")
    context = found.get("context_tokens")
    return [
        ContinuationScore(*score, context_tokens=context if isinstance(context, int) else None)
        for score in zip(continuations, map(float, logprobs), tokens, token_ids, pieces, strict=True)
    ]


def _of_each(said: Any, kind: type, counts: list[int]) -> list[tuple[Any, ...]] | None:
    """One tuple for each continuation, empty where nothing is said; None when it does not fit the token counts."""
    if said is None:
        return [()] * len(counts)
    if not isinstance(said, list) or [len(each) if isinstance(each, list) else -1 for each in said] != counts:
        return None
    return [tuple(each) for each in said] if all(isinstance(item, kind) for each in said for item in each) else None
