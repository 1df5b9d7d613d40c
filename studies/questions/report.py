"""What an import did: counts, the records that were refused and why, what changed, and what is odd."""

from collections import Counter
from dataclasses import dataclass, field

from studies.questions.records import Origin, RecordError


@dataclass(slots=True)
class Tally:
    """How many were added, changed, the same as before, or refused."""

    added: int = 0
    changed: int = 0
    same: int = 0
    refused: int = 0

    @property
    def total(self) -> int:
        return self.added + self.changed + self.same + self.refused


@dataclass(frozen=True, slots=True)
class Change:
    """A row that the import changed; `fields` says from what to what where that is short."""

    origin: Origin
    fields: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.origin}: {', '.join(self.fields)}"


@dataclass(slots=True)
class ImportReport:
    """The whole import. `is_dry_run` means that nothing was written and everything else is what would have been."""

    bank: str
    is_dry_run: bool
    questions: Tally = field(default_factory=Tally)
    passages: Tally = field(default_factory=Tally)
    refused: list[RecordError] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    warnings: Counter[str] = field(default_factory=Counter)
    first_with: dict[str, Origin] = field(default_factory=dict)

    def refuse(self, error: RecordError) -> None:
        self.refused.append(error)
        self.questions.refused += 1

    def warn(self, sentence: str, origin: Origin) -> None:
        self.warnings[sentence] += 1
        self.first_with.setdefault(sentence, origin)

    def table(self) -> str:
        """The counts as a small text table; passages only where there are any."""
        rows = [("questions", self.questions)] + ([("passages", self.passages)] if self.passages.total else [])
        heads = ("added", "changed", "same", "refused")
        lines = [f"{'':<10}" + "".join(f"{head:>10}" for head in heads)]
        lines += [f"{name:<10}" + "".join(f"{getattr(tally, head):>10,}" for head in heads) for name, tally in rows]
        return "\n".join(lines)

    def warning_lines(self) -> list[str]:
        return [
            f"{count:,} × {sentence}; first in {self.first_with[sentence]}" for sentence, count in self.warnings.items()
        ]
