"""One reply as a series of steps: tokens become pieces of text, until something ends it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

from studies.assistant.engine import decode
from studies.assistant.engine.loader import LoadedModel
from studies.assistant.engine.text import TextStream
from studies.assistant.types import FinishReason, Piece, Request


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a reply ended and how many tokens it took, the end-of-text token not counted."""

    reason: FinishReason
    tokens: int


def steps(
    loaded: LoadedModel, prompt: list[int], request: Request, is_overdue: Callable[[], bool]
) -> Generator[Piece | None, None, Ending]:
    """Yield once per step, with the text that became certain in it or None; return how it ended.

    A caller that stops asking has cancelled: nothing runs between two steps.
    """
    text = TextStream(loaded.tokenizer, request.stop)
    count = 0
    reason = FinishReason.STOP
    for token in decode.tokens(loaded, prompt, request):
        if is_overdue():
            reason = FinishReason.DEADLINE
            break
        if token is None:
            yield None
            continue
        if token in loaded.end_ids:
            break
        count += 1
        piece = text.push(token)
        if text.is_stopped:
            yield _piece(piece)
            return Ending(FinishReason.STOP, count)
        if count == request.max_tokens:
            yield _piece(piece)
            reason = FinishReason.LENGTH
            break
        yield _piece(piece)
    yield _piece(text.finish())
    return Ending(reason, count)


def _piece(text: str) -> Piece | None:
    return Piece(text) if text else None
