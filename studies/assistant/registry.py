"""A configuration → the assistant that it describes.

Importing this module loads no model library; each backend brings its own when one is made.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from studies.assistant.types import Backend, BackendError, ErrorCode, Request, Script, Turn


@dataclass(frozen=True, slots=True)
class AssistantConfig:
    """One assistant, as it can be stored and published: it names the variable with the key and never holds the key.

    `backend`: `scripted`; `engine`, a running `manage.py run_engine`; `openai`, any OpenAI-compatible endpoint; or
    `in_process`, the engine inside this Python process, for notebooks: it loads torch, so no web process uses it.
    `model`: its name at the endpoint, or the folder or Hub id for `in_process`. Empty with `engine`: what it serves.
    `timeouts`: seconds by name (connect, first_token, between_tokens, total); those left out have their defaults.
    """

    backend: str
    model: str = ""
    revision: str = ""
    base_url: str = ""
    api_key_env: str = ""
    max_tokens: int = 512
    temperature: float = 1.0
    top_p: float = 1.0
    words_per_second: float = 7.0
    timeouts: dict[str, float] = field(default_factory=dict)

    def request(
        self,
        turns: tuple[Turn, ...],
        *,
        seed: int | None = None,
        deadline_seconds: float | None = None,
        script: Script | None = None,
    ) -> Request:
        """A request with this assistant's sampling, and its pace where there is a script."""
        return Request(
            turns=turns,
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
            seed=seed,
            deadline_seconds=deadline_seconds,
            script=script and replace(script, pace_words_per_second=self.words_per_second),
        )


def make_backend(config: AssistantConfig) -> Backend:
    """The backend that a configuration describes. BackendError(MISCONFIGURED) names the value and what is allowed."""
    if config.backend not in _MAKERS:
        raise _misconfigured(f"backend={config.backend!r}: use one of {', '.join(BACKENDS)}")
    return _MAKERS[config.backend](config)


def _scripted(config: AssistantConfig) -> Backend:
    from studies.assistant.scripted import ScriptedBackend

    return ScriptedBackend()


def _openai(config: AssistantConfig) -> Backend:
    if not config.model:
        raise _misconfigured("model='': give the model's name at the endpoint")
    return _remote(config, is_engine=False)


def _engine(config: AssistantConfig) -> Backend:
    return _remote(config, is_engine=True)


def _remote(config: AssistantConfig, *, is_engine: bool) -> Backend:
    if not config.base_url.startswith(("http://", "https://")):
        example = "http://127.0.0.1:8100/v1"
        raise _misconfigured(f"base_url={config.base_url!r}: give the endpoint's address, such as {example}")
    api_key = os.environ.get(config.api_key_env, "") if config.api_key_env else ""
    if config.api_key_env and not api_key:
        raise _misconfigured(f"api_key_env={config.api_key_env!r}: set this environment variable to the endpoint's key")
    # The openai client takes half a second to import; scripted studies do without it.
    from studies.assistant.openai_compatible import OpenAICompatibleBackend
    from studies.assistant.waiting import Timeouts

    try:
        timeouts = Timeouts(**config.timeouts)
    except (TypeError, ValueError) as error:
        raise _misconfigured(
            f"timeouts={config.timeouts}: use connect, first_token, between_tokens and total, in seconds above 0"
        ) from error
    return OpenAICompatibleBackend(
        base_url=config.base_url, model=config.model, api_key=api_key, timeouts=timeouts, is_engine=is_engine
    )


def _in_process(config: AssistantConfig) -> Backend:
    from studies.assistant.engine.backend import EngineBackend
    from studies.assistant.engine.loader import LoadError, load

    try:
        return EngineBackend(load(config.model, revision=config.revision or None))
    except LoadError as error:
        raise _misconfigured(f"model={config.model!r}: {error}") from error


def _misconfigured(sentence: str) -> BackendError:
    return BackendError(ErrorCode.MISCONFIGURED, sentence)


_MAKERS: dict[str, Callable[[AssistantConfig], Backend]] = {
    "scripted": _scripted,
    "engine": _engine,
    "openai": _openai,
    "in_process": _in_process,
}
BACKENDS = tuple(_MAKERS)
