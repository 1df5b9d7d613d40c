"""What stands between a file and a row: one question, one passage, validated; and the errors that name what is wrong.

Text is data: nothing here trims, decodes, completes or corrects it. A record is right, or is refused with a reason.
"""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

OPTION_COUNT = 4
LONGEST = {"split": 20, "subject": 120, "source_id": 200, "article_id": 120, "title": 500, "author": 500}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a record stands: the file, the record's number in it from 1, and what else helps to find it."""

    file: str
    record: int
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.file}, record {self.record}" + (f" ({self.detail})" if self.detail else "")


class FileError(Exception):
    """A whole file cannot be read as questions. Nothing is imported until it is put right or left out."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(f"{file}: {reason}")
        self.file, self.reason = file, reason


class RecordError(Exception):
    """One record is refused: which, which field, its value, what is allowed. Readers yield it; they do not raise it."""

    def __init__(self, origin: Origin, name: str, value: object, allowed: str) -> None:
        shown = repr(value)
        if len(shown) > 80:
            shown = f"{shown[:76]}...{shown[-1]}"
        super().__init__(f"{origin}: {name}={shown}: {allowed}")
        self.origin, self.name, self.value, self.allowed = origin, name, value, allowed


@dataclass(frozen=True, slots=True)
class PassageRecord:
    """A text that questions are about. `source_id` is its identity within a bank; `text` keeps its line breaks."""

    origin: Origin
    source_id: str
    text: str
    title: str = ""
    author: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_text(self.origin, "article_id", self.source_id)
        require_text(self.origin, "article", self.text)
        require_text(self.origin, "title", self.title, may_be_blank=True)
        require_text(self.origin, "author", self.author, may_be_blank=True)
        require_storable(self.origin, "extra", self.extra)

    @property
    def content_hash(self) -> str:
        """SHA-256 of the text alone."""
        return digest("passage/1", self.text)


@dataclass(frozen=True, slots=True)
class QuestionRecord:
    """A question with four options; `key` is the 0-based place of the right one."""

    origin: Origin
    split: str
    subject: str
    text: str
    options: tuple[str, ...]
    key: int
    source_id: str = ""
    passage: PassageRecord | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_text(self.origin, "split", self.split)
        require_text(self.origin, "subject", self.subject, may_be_blank=True)
        require_text(self.origin, "source_id", self.source_id, may_be_blank=True)
        require_text(self.origin, "question", self.text)
        if len(self.options) != OPTION_COUNT:
            raise RecordError(self.origin, "options", list(self.options), f"{OPTION_COUNT} are needed")
        for number, option in enumerate(self.options, start=1):
            require_text(self.origin, f"option {number}", option)
        if type(self.key) is not int or not 0 <= self.key < OPTION_COUNT:
            raise RecordError(self.origin, "key", self.key, f"the place of an option, 0 to {OPTION_COUNT - 1}")
        require_storable(self.origin, "extra", self.extra)

    @property
    def content_hash(self) -> str:
        """What the question is, whatever its key: see `content_hash`."""
        return content_hash(self.text, self.options, self.passage.source_id if self.passage else None)


def content_hash(text: str, options: tuple[str, ...] | list[str], passage_id: str | None) -> str:
    """SHA-256 over the question's text, its options in their order, and its passage's `source_id` (None without one).

    The key, the subject and the file are left out: a corrected key is the same question. The passage counts by its
    identity, so a corrected passage leaves its questions what they were. Never change this: rows are found by it.
    """
    return digest("question/1", text, list(options), passage_id)


def digest(*parts: object) -> str:
    """SHA-256 of the parts as compact ASCII JSON, which keeps their borders apart."""
    return hashlib.sha256(json.dumps(parts, ensure_ascii=True, separators=(",", ":")).encode("ascii")).hexdigest()


def require_text(origin: Origin, name: str, value: object, *, may_be_blank: bool = False) -> str:
    """The value, if it is a text that every database can keep; RecordError otherwise."""
    if not isinstance(value, str):
        raise RecordError(origin, name, value, "a text is needed")
    if not may_be_blank and not value.strip():
        raise RecordError(origin, name, value, "must not be blank")
    if len(value) > LONGEST.get(name, len(value)):
        raise RecordError(origin, name, value, f"at most {LONGEST[name]} characters, not {len(value)}")
    require_storable(origin, name, value)
    return value


def require_storable(origin: Origin, name: str, value: object) -> None:
    """Refuse what PostgreSQL or UTF-8 cannot hold, anywhere in a JSON value: U+0000, half a surrogate pair, NaN."""
    if isinstance(value, str):
        if "\x00" in value:
            raise RecordError(origin, name, value, "holds U+0000, which a database cannot keep")
        if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise RecordError(origin, name, value, "holds half of a surrogate pair, which is no character")
    elif isinstance(value, dict):
        for inner_name, inner in value.items():
            require_storable(origin, name, inner_name)
            require_storable(origin, f"{name}.{inner_name}", inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            require_storable(origin, name, inner)
    elif isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        raise RecordError(origin, name, value, "must be a finite number")
