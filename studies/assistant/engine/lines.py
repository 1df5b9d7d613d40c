"""Which line serves a model: our own batching where it is exact, else transformers', else one request at a time."""

from __future__ import annotations

import logging
from typing import Literal, get_args

from studies.assistant.engine import supports
from studies.assistant.engine.batcher import Batcher
from studies.assistant.engine.loader import LoadedModel, LoadError
from studies.assistant.engine.one_at_a_time import OneAtATime
from studies.assistant.engine.sizes import Asked, Sizes
from studies.assistant.engine.transformers_batching import TransformersBatching
from studies.assistant.engine.transformers_trial import NotExact, exact_line

logger = logging.getLogger(__name__)

Batching = Literal["auto", "own", "transformers", "none"]
AnyLine = Batcher | TransformersBatching | OneAtATime


def new_line(loaded: LoadedModel, sizes: Sizes | Asked, batching: Batching = "auto") -> AnyLine:
    """A line that serves the model exactly. LoadError when `batching` asks for one that cannot.

    What is asked for is fitted into the memory where many are served at once; one at a time needs no such cache.
    """
    if batching not in get_args(Batching):
        raise LoadError(f"batching={batching!r}: use one of {', '.join(get_args(Batching))}")
    if batching == "none":
        return OneAtATime(loaded, max_waiting=sizes.max_waiting)
    reason = "" if batching == "transformers" else supports.why_not(loaded)
    if not reason and batching != "transformers":
        return Batcher(loaded, sizes.fitted(loaded))
    if batching == "own":
        raise LoadError(f"batching='own': our batching would not serve {loaded.name} exactly: {reason}; use auto")
    try:
        line = exact_line(loaded, sizes)
    except NotExact as error:
        if batching == "transformers":
            raise LoadError(
                f"batching='transformers': it would not serve {loaded.name} exactly: {error}; use auto or none"
            ) from error
        logger.warning(
            "%s is served one request at a time: %s; with transformers' batching, %s", loaded.name, reason, error
        )
        return OneAtATime(loaded, max_waiting=sizes.max_waiting)
    logger.warning(
        "%s is served by transformers' batching with %s attention, %d tokens at once%s%s",
        loaded.name,
        line.attention,
        line.room,
        "" if "flash" in line.attention else "; without flash attention, work grows with the square of conversations",
        f"; our own would not be exact: {reason}" if reason else "",
    )
    return line
