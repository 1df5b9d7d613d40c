"""What every MMLU layout is cut into before its keys are understood."""

from dataclasses import dataclass, field
from typing import Any

from studies.questions.records import Origin, RecordError


@dataclass(frozen=True, slots=True)
class RawQuestion:
    """One record's cells. `key` is still what the file writes; `subject` is None where the record names none."""

    origin: Origin
    text: str
    options: tuple[str, ...]
    key: object
    subject: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Layout:
    """A file cut up; `key_base` is what the header says that numeric keys count from, None where it does not."""

    rows: list[RawQuestion | RecordError]
    key_base: int | None = None
