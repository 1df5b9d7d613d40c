"""Encoding beside the event loop: a thread with a tokenizer of its own, so that streams go on while texts are read."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Concatenate, ParamSpec, TypeVar

from studies.assistant.engine.line import closing
from studies.assistant.engine.loader import LoadedModel

P = ParamSpec("P")
T = TypeVar("T")


class Encoder:
    """Runs what needs the tokenizer, one after the other: a tokenizer is not safe to use from two threads."""

    def __init__(self, loaded: LoadedModel, name: str) -> None:
        self._loaded = replace(loaded, tokenizer=copy.deepcopy(loaded.tokenizer))
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._is_closing = False

    async def run(self, work: Callable[Concatenate[LoadedModel, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of the work, which gets the model first. What waits and is cancelled is never begun."""

        def unless_closing() -> T:
            if self._is_closing:
                raise closing()
            return work(self._loaded, *args, **kwargs)

        if self._is_closing:
            raise closing()
        return await asyncio.get_running_loop().run_in_executor(self._thread, unless_closing)

    def close(self) -> None:
        """Whoever waits hears that the engine closes, as soon as the text that is being read has been."""
        self._is_closing = True
        self._thread.shutdown()
