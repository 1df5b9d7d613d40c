"""Words and sentences of a question, for an assistant that argues with nothing but what stands there."""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import lru_cache

_WORD = re.compile(r"[^\W\d_][\w'’-]*")
_SENTENCE_END = re.compile(r"(?:(?<=[.!?])|(?<=[.!?][\"'”’)]))\s+(?=[\"'“‘(]?[A-Z])")
_COMMON = frozenset(
    re.findall(
        r"\w+",
        """
        a about above after again against all almost also although always am among an and another any are
        around as asked at be because become been before being below best between both but by can cannot
        choose come correct could did do does done down during each either else ever every false few find
        first following for from get give given goes going had has have having he her here hers him his how i
        if in indicate into is it its itself just know least less let like likely made make many may me mean
        might more most much must my never no none nor not now of off often on once one only option or order
        other others our out over own part perhaps question rather really right same say says see seem seems
        shall she should since so some something statement still such take than that the their them then there
        therefore these they thing this those though through to too true two under until up upon us use used
        using very was way we well were what when where whether which while who whom whose why will with
        within without would yet you your
        """,
    )
)


def content_words(text: str) -> list[str]:
    """The words that carry meaning, in lower case, in order, each once."""
    return list(_as_written(text))


def key_words(question: str, options: tuple[str, ...]) -> list[str]:
    """What the question is about: its longest content words first, as written, without those that an option repeats."""
    repeated = {word for option in options for word in content_words(option)}
    words = _as_written(question)
    own = [written for word, written in words.items() if word not in repeated]
    return sorted(own or words.values(), key=len, reverse=True)


def _as_written(text: str) -> dict[str, str]:
    """Content words in lower case → as they first stand in the text."""
    found: dict[str, str] = {}
    for word in _WORD.findall(text):
        lower = word.lower().replace("’", "'").removesuffix("'s")
        if len(lower) > 2 and lower not in _COMMON:
            found.setdefault(lower, word)
    return found


def shortened(text: str, words: int = 18) -> str:
    """One line of at most that many words, without a full stop at the end."""
    parts = text.split()
    return " ".join(parts).rstrip(".") if len(parts) <= words else " ".join(parts[:words]).rstrip(".,;:") + " …"


@lru_cache(maxsize=64)
def sentences(passage: str) -> tuple[str, ...]:
    """The passage's sentences of 5 to 40 words, its hard line breaks removed."""
    paragraphs = re.split(r"\n\s*\n", passage)
    found = [" ".join(part.split()) for paragraph in paragraphs for part in _SENTENCE_END.split(paragraph)]
    return tuple(part for part in found if 5 <= len(part.split()) <= 40)


def supporting_sentences(passage: str, option: str, question: str) -> list[str]:
    """Sentences that share words with the option, best first; rare words count more, the question's words count half.

    A sentence that shares nothing with the option supports nothing, so the list may be empty.
    """
    candidates = [(sentence, set(content_words(sentence))) for sentence in sentences(passage)]
    frequency = Counter(word for _, words in candidates for word in words)
    of_option, of_question = set(content_words(option)), set(content_words(question))

    def weight(words: set[str]) -> float:
        # fsum: a set has no order, and the same request must find the same sentence in every process.
        own = math.fsum(1 / frequency[word] for word in words & of_option)
        asked = math.fsum(0.5 / frequency[word] for word in words & (of_question - of_option))
        return own + asked if own else 0.0

    weighted = [(weight(words), sentence) for sentence, words in candidates]
    return [sentence for value, sentence in sorted(weighted, key=lambda pair: -pair[0]) if value > 0][:5]
