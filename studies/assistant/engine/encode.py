"""Conversations → tokens, through the model's own chat template.

What people type is data: a control token in it ("<|end|>") is encoded as the characters it consists of, so that nobody
can end their turn and speak as the system.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import TemplateError

from studies.assistant.engine.loader import LoadedModel
from studies.assistant.types import BackendError, ErrorCode, ScoreRequest, Turn

LAST_LINE = re.compile(r"(?<=\n)[A-Za-z][^\n]*\Z")
CROSSING = re.compile(r"[\nĊ][A-Za-z]")  # a token over two lines; vocabularies of bytes write Ċ for the newline

_SOON_ENCODED = 1_000_000  # characters


@dataclass(frozen=True, slots=True)
class ScoreTokens:
    """`context`: what all continuations share; `continuations`: the tokens of each after it."""

    context: list[int]
    continuations: list[list[int]]

    def up_to(self, place: int | None) -> list[int]:
        """The context with one continuation but for its last token, or with none."""
        return self.context if place is None else self.context + self.continuations[place][:-1]


def encode_chat(loaded: LoadedModel, turns: Sequence[Turn]) -> list[int]:
    """The prompt of the assistant's next turn; or, when the last turn is the assistant's, of the rest of that turn."""
    messages = [{"role": turn.role, "content": turn.text} for turn in turns]
    continues = turns[-1].role == "assistant"
    return _apply_template(loaded.tokenizer, messages, continues)


def encode_to_fit(loaded: LoadedModel, turns: Sequence[Turn], new_tokens: int) -> list[int]:
    """As `encode_chat`; BackendError(CAPACITY) when the model cannot take so many tokens more."""
    refuse_what_cannot_fit(loaded, sum(len(turn.text) for turn in turns))
    prompt = encode_chat(loaded, turns)
    refuse_what_does_not_fit(loaded, len(prompt), new_tokens)
    return prompt


def encode_score(loaded: LoadedModel, request: ScoreRequest) -> ScoreTokens:
    """Encode context and continuation together, as a model reads them, and cut where all encodings part.

    Where every joint encoding starts with the context's tokens, which is nearly always so, the cut is at the end of the
    context, as in lm-evaluation-harness. Where one merges characters over that border, the cut is before the merged
    token, for all continuations alike, so that they stay comparable.
    """
    characters = len(request.prompt) + sum(len(turn.text) for turn in request.turns)
    refuse_what_cannot_fit(loaded, characters + max(map(len, request.continuations)))
    if request.turns:
        context = encode_to_fit(loaded, request.turns, 1)
        joint = [_chat_with(loaded, request.turns, continuation) for continuation in request.continuations]
    else:
        context = loaded.tokenizer.encode(request.prompt)
        refuse_what_does_not_fit(loaded, len(context), 1)
        joint = encode_with_each(loaded.tokenizer, request.prompt, context, request.continuations)
    # One token of context at least: the first token of a text has no probability.
    cut = min(_shared(context, ids) for ids in joint)
    if cut < 1:
        raise BackendError(ErrorCode.REFUSED, "the context to score after is empty")
    if any(len(ids) <= cut for ids in joint):
        raise BackendError(ErrorCode.REFUSED, "a continuation adds no token to its context, so it has no probability")
    return ScoreTokens(context[:cut], [ids[cut:] for ids in joint])


def encode_with_each(tokenizer: Any, text: str, whole: list[int], continuations: Sequence[str]) -> list[list[int]]:
    """The tokens of the text with each continuation, as if each were encoded as a whole; `whole` are the text's own.

    Only the last line is encoded again, where that is the same: it begins with a letter, no token of the vocabulary
    reaches from a newline into a letter, and the line alone has the tokens that it has in the text.
    """
    line = LAST_LINE.search(text)
    if line is not None and _keeps_lines_apart(tokenizer):
        lines = [line[0], *(line[0] + continuation for continuation in continuations)]
        alone, *ends = tokenizer(lines, add_special_tokens=False)["input_ids"]
        before = len(whole) - len(alone)
        if whole[before:] == alone:
            return [whole[:before] + end for end in ends]
    return [tokenizer.encode(text + continuation) for continuation in continuations]


def pieces(loaded: LoadedModel, ids: list[int]) -> tuple[str, ...]:
    """The tokens as the vocabulary writes them, so that "A", " A" and "(A" can be told apart."""
    return tuple(loaded.tokenizer.convert_ids_to_tokens(ids))


def refuse_what_does_not_fit(loaded: LoadedModel, prompt_tokens: int, new_tokens: int) -> None:
    if prompt_tokens + new_tokens > loaded.context_length:
        raise BackendError(
            ErrorCode.CAPACITY,
            f"the conversation has {prompt_tokens} tokens and the reply may take {new_tokens}, but {loaded.name} takes "
            f"{loaded.context_length} together: reset the conversation or lower max_tokens",
        )


def refuse_what_cannot_fit(loaded: LoadedModel, characters: int) -> None:
    """Before it is encoded, which takes a second for a million characters.

    Less is never refused here: a token may stand for many blanks, or for a long word that is not in the vocabulary.
    """
    longest = _longest_token(loaded.tokenizer)
    if characters > max(_SOON_ENCODED, loaded.context_length * longest):
        raise BackendError(
            ErrorCode.CAPACITY,
            f"the text has {characters} characters, but {loaded.name} takes {loaded.context_length} tokens, and its "
            f"longest has {longest}: send a shorter text",
        )


def _chat_with(loaded: LoadedModel, turns: Sequence[Turn], continuation: str) -> list[int]:
    *earlier, last = turns
    if last.role == "assistant":
        extended = [*earlier, Turn("assistant", last.text + continuation)]
    else:
        extended = [*turns, Turn("assistant", continuation)]
    ids = encode_chat(loaded, extended)
    if not loaded.tokenizer.decode(ids, clean_up_tokenization_spaces=False).endswith(continuation):
        raise BackendError(
            ErrorCode.UNSUPPORTED,
            f"the chat template of {loaded.name} changes the continuation {continuation!r}: leave out outer blanks",
        )
    return ids


def _apply_template(tokenizer: Any, messages: list[dict[str, str]], continues: bool) -> list[int]:
    try:
        ids: list[int] = tokenizer.apply_chat_template(
            messages,
            add_generation_prompt=not continues,
            continue_final_message=continues,
            sanitize_control_tokens=True,
            return_dict=False,
        )
    except (TemplateError, ValueError) as error:
        roles = " ".join(message["role"] for message in messages)
        raise BackendError(
            ErrorCode.UNSUPPORTED,
            f"the model's chat template refuses turns in this order ({roles}): {str(error)[:200]}",
        ) from error
    return ids


@lru_cache(maxsize=4)
def _longest_token(tokenizer: Any) -> int:
    return max(map(len, tokenizer.get_vocab()))


@lru_cache(maxsize=4)
def _keeps_lines_apart(tokenizer: Any) -> bool:
    return not any(CROSSING.search(token) for token in tokenizer.get_vocab())


def _shared(first: list[int], second: list[int]) -> int:
    """How many tokens both begin with."""
    if second[: len(first)] == first:
        return len(first)
    return next(
        (place for place, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), min(len(first), len(second))
    )
