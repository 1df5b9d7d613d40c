"""The questions that ship, as the demo model meets them: read from the files, no database."""

from __future__ import annotations

from importlib.resources import as_file, files

from studies.assistant.demo_model.opinions import Question
from studies.questions.mmlu import read_mmlu
from studies.questions.quality import read_quality
from studies.questions.records import QuestionRecord
from studies.questions.sources import mmlu_sources, quality_sources


def questions() -> list[Question]:
    """Every question of the shipped banks."""
    return [Question(record.text, tuple(record.options)) for record in _records()]


def keys() -> list[int]:
    """The key of each of them, in the same order."""
    return [record.key for record in _records()]


def _records() -> list[QuestionRecord]:
    with as_file(files("studies.questions") / "bank") as bank:
        read = [record for source in mmlu_sources([bank / "mmlu"]) for record in read_mmlu(source)]
        stories = quality_sources([bank / "quality" / "stories.dev.jsonl"])
        read += [record for source in stories for record in read_quality(source)]
    found = []
    for record in read:
        if not isinstance(record, QuestionRecord):
            raise record
        found.append(record)
    return found
