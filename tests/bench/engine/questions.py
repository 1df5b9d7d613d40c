"""Four-option questions with five examples before each, in MMLU's layout: the real ones where they are at hand."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
MMLU = ROOT / ".." / "shared" / "data" / "mmlu"
SHIPPED = ROOT / "studies" / "questions" / "bank" / "mmlu"
# One subject from each of MMLU's four fields, and one more to warm up with.
REAL = ("college_computer_science", "high_school_psychology", "international_law", "clinical_knowledge")
WARM_UP = "world_religions"
LETTERS = "ABCD"


@dataclass(frozen=True)
class Asked:
    """The prompts of each subject, after which the letters are scored; `source` says what they are."""

    source: str
    subjects: list[list[str]]
    warm_up: list[str]
    corpus: list[str]  # other questions of the same kind, to train a tokenizer on


def five_shot(count: int) -> Asked:
    """`count` real questions, the first of each subject; else as many of them as the project's own bank has."""
    if MMLU.is_dir():
        each = count // len(REAL)
        corpus = [" ".join(record) for path in sorted((MMLU / "val").glob("*.csv")) for record in records(path)]
        prompts = [_prompts(MMLU, subject, "test")[:each] for subject in REAL]
        return Asked("MMLU test questions", prompts, _prompts(MMLU, WARM_UP, "test")[:8], corpus)
    subjects = sorted(path.name.removesuffix("_val.csv") for path in (SHIPPED / "val").glob("*.csv"))
    first, *others = [_prompts(SHIPPED, subject, "val") for subject in subjects]
    each = -(-count // len(others))
    corpus = [prompt for prompts in others for prompt in prompts]
    source = "questions of the project's own bank (there is no ../shared/data/mmlu)"
    return Asked(source, [prompts[:each] for prompts in others], first, corpus)


def _prompts(folder: Path, subject: str, split: str) -> list[str]:
    """MMLU's own layout: a line about the subject, five answered questions, the question."""
    examples = records(folder / "dev" / f"{subject}_dev.csv")[:5]
    before = f"The following are multiple choice questions (with answers) about {subject.replace('_', ' ')}.\n\n"
    before += "".join(f"{_text(example)} {example[-1]}\n\n" for example in examples)
    return [before + _text(record) for record in records(folder / split / f"{subject}_{split}.csv")]


def _text(record: list[str]) -> str:
    question, *options, _ = record
    lines = "".join(f"{letter}. {option}\n" for letter, option in zip(LETTERS, options, strict=True))
    return f"{question}\n{lines}Answer:"


def records(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))
