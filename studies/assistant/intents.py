"""What a person's message to the scripted assistant wants: short rules, in order, each a line to be read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from studies.assistant.option_marks import mark, marks_in, plain
from studies.assistant.types import Script
from studies.assistant.wording import content_words


class Intent(StrEnum):
    IDENTITY = "identity"  # who or what the assistant is, and how far to trust it
    WHICH = "which"  # which option it would take; also the pasted question itself
    WHY = "why"
    DOUBT = "doubt"
    RIVAL = "rival"  # the person names another option
    AGREEMENT = "agreement"  # the person names the option argued for
    PASSAGE = "passage"
    TERM = "term"  # what a word means
    HINT = "hint"
    GREETING = "greeting"
    THANKS = "thanks"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Message:
    """`rival` is the option named in a RIVAL message; `term` the words asked about in a TERM message."""

    intent: Intent
    rival: int | None = None
    term: str = ""


def _phrases(*phrases: str) -> re.Pattern[str]:
    """Any of the phrases as whole words, in any case."""
    return re.compile(rf"\b(?:{'|'.join(phrases)})\b", re.IGNORECASE)


_IDENTITY = _phrases(
    "wh(?:o|at) are you",
    "are (?:you|u) (?:an? )?(?:real|human|person|robot|bot|ai|chat ?gpt|gpt|model|machine|computer|program)",
    "are (?:you|u) (?:script(?:ed)?|biased|lying|trained|paid|supposed|told|programmed|reliable|accurate|trustworthy)",
    "(?:can|should|could) i (?:trust|believe|rely on) you",
    "how (?:often|accurate|reliable|good|trustworthy) .*you",
    "do you (?:lie|make mistakes|know the (?:key|correct|right))",
    "which model",
    "your (?:accuracy|instructions|prompt)",
)
_HINT = _phrases("hint", "clue", "nudge", "(?:don't|do not|without) (?:tell|telling|give|giving|say|saying|reveal)")
_TERM = re.compile(
    r"\bwhat (?:does|do) (?:the (?:word|term|phrase) )?(?P<a>.{2,60}?) (?:mean|stand for)\b"
    r"|\b(?:meaning|definition) of (?P<b>.{2,60})"
    r"|^(?:please )?(?:can you |could you )?(?:define|explain) (?:the (?:word|term|phrase) )?(?P<c>.{2,60})"
    r"|^what(?:'s| is| are) (?:an? |the )?(?P<d>[\w' -]{2,40})\?*$",
    re.IGNORECASE,
)
_NOT_A_TERM = _phrases(
    "answers?", "options?", "choices?", "this", "that", "it", "why", "how", "your", "you", "me", "reason(?:ing|s)?",
    "question", "right", "correct", "more", "best", "letter",
)  # fmt: skip
_WHY = _phrases(
    "why", "explain", "explanation", "reason(?:s|ing)?", "how (?:come|so)", "elaborate", "justif(?:y|ication)",
    "how (?:do|did|can) you (?:know|get|tell|come|arrive|decide)", "more details?", "tell me more", "go on",
    "arguments?", "convince me", "what makes you", "(?:you|do you) think so",
)  # fmt: skip
_PASSAGE = _phrases("(?:passage|text|story|article|paragraph|quote|line|sentence)s?", "evidence", "cite", "does it say")
_DOUBT = _phrases(
    "sure", "unsure", "certain", "really", "confident", "confidence", "positive", "doubt", "disagree", "wrong",
    "incorrect", "mistaken?", "mistakes?", "convinced", "double.?check", "check again", "think again", "reconsider",
    "no way", "nonsense", "not (?:right|true|correct)", "don't (?:think|believe|agree)",
    "(?:is|are) (?:that|you|it) (?:right|correct|true)", "no", "nope", "hm+",
)  # fmt: skip
_THANKS = _phrases("thanks?", "thank you", "thx", "ty", "cheers", "much appreciated", "ok", "okay", "got it")
_GREETING = _phrases("hi", "hello", "hey", "good (?:morning|afternoon|evening|day)", "greetings", "howdy", "yo")
_ASKS_WHICH = _phrases(
    "which (?:one|option|answer|choice|letter|is|would|should|do)",
    "what(?:'s| is| would be|) (?:the|your) (?:right |correct |best )?(?:answer|choice|option)",
    "what (?:should|would|do) (?:i|you|we) (?:choose|pick|answer|select|say|think|suggest|recommend)",
)
_WHICH = _phrases(
    "which", "answers?", "option", "choice", "choose", "pick", "select", "correct", "right", "solution", "solve",
    "help", "suggest", "recommend", "advice", "opinion", "view", "idea", "think", "say", "letter", "best", "take",
)  # fmt: skip
_IN_ORDER = (
    (Intent.PASSAGE, _PASSAGE),
    (Intent.WHICH, _ASKS_WHICH),
    (Intent.WHY, _WHY),
    (Intent.DOUBT, _DOUBT),
)
# "what about c", "I think b": a small letter that can only be an option.
_SMALL_LETTER = re.compile(
    r"\b(?:about|it|think|choose|pick|not|be|or|say|with|answer|choice|option|is) \(?([a-h])\)?(?=\s*(?:$|[?.!,]))"
)


def read(text: str, script: Script) -> Message:
    """The one thing that the message wants. What cannot be told apart is OTHER, which gets a view as well."""
    words = plain(text)
    if _IDENTITY.search(words):
        return Message(Intent.IDENTITY)
    if _is_the_question(words, script):
        return Message(Intent.WHICH)
    named = _named_options(words, script)
    if len(named) == 1 and named != {script.stance}:
        return Message(Intent.RIVAL, rival=min(named))
    if len(named) > 1:
        return Message(Intent.WHICH)
    if _HINT.search(words):
        return Message(Intent.HINT)
    if not named and (term := _term(words)):
        return Message(Intent.TERM, term=term)
    for intent, rule in _IN_ORDER:
        if rule.search(words):
            return Message(intent)
    if named:
        return Message(Intent.AGREEMENT)
    if _THANKS.search(words) and len(words.split()) <= 6:
        return Message(Intent.THANKS)
    if _GREETING.search(words) and len(words.split()) <= 6 and not _WHICH.search(words):
        return Message(Intent.GREETING)
    return Message(Intent.WHICH if _WHICH.search(words) else Intent.OTHER)


def _is_the_question(words: str, script: Script) -> bool:
    """Whether most of the question stands in the message: the person has pasted or retyped it."""
    asked = set(content_words(script.question))
    return len(asked) >= 2 and len(asked & set(content_words(words))) >= 0.7 * len(asked)


def _named_options(words: str, script: Script) -> set[int]:
    named = {found.index for found in marks_in(mark(words, script.options)) if found.index is not None}
    named |= {ord(letter) - ord("a") for letter in _SMALL_LETTER.findall(words)}
    return {index for index in named if index < len(script.options)}


def _term(words: str) -> str:
    if not (match := _TERM.search(words)):
        return ""
    term = next(group for group in match.groups() if group).strip(" ?.!\"'")
    return "" if _NOT_A_TERM.search(term) or len(term.split()) > 4 else term
