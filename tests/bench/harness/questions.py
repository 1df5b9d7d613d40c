"""Questions with their subject's examples as both sides take them: the real ones where they are at hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from studies.baselines.protocols import Asked, Shot
from tests.bench.engine.questions import LETTERS, MMLU, REAL, SHIPPED, records

SHOTS = 5


@dataclass(frozen=True)
class Subject:
    """One subject's questions and examples; a record is question, four options, letter of the right one."""

    name: str
    questions: list[list[str]]
    examples: list[list[str]]

    def asked(self, shots: int) -> list[Asked]:
        """As our protocols see them."""
        worked = tuple(Shot(each[0], tuple(each[1:5]), LETTERS.index(each[5])) for each in self.examples[:shots])
        return [Asked(each[0], tuple(each[1:5]), subject=self.name, shots=worked) for each in self.questions]

    def docs(self, found: list[list[str]]) -> list[dict[str, object]]:
        """As lm-evaluation-harness's `mmlu` tasks have them."""
        return [
            {"question": each[0], "subject": self.name, "choices": each[1:5], "answer": LETTERS.index(each[5])}
            for each in found
        ]


def subjects(count: int) -> list[Subject]:
    """`count` questions over several subjects, the first of each."""
    if MMLU.is_dir():
        return [_subject(MMLU, name, "test", count // len(REAL)) for name in REAL]
    return shipped(count)


def shipped(count: int) -> list[Subject]:
    """The same from the project's own bank, as many as it has."""
    names = sorted(path.name.removesuffix("_val.csv") for path in (SHIPPED / "val").glob("*.csv"))
    return [_subject(SHIPPED, name, "val", -(-count // len(names))) for name in names]


def _subject(folder: Path, name: str, split: str, count: int) -> Subject:
    examples = records(folder / "dev" / f"{name}_dev.csv")
    return Subject(name, records(folder / split / f"{name}_{split}.csv")[:count], examples[:SHOTS])
