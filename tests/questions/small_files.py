"""Small files in the real layouts, made by the tests."""

import csv
import io
import json
from pathlib import Path
from typing import Any

from studies.questions.mmlu import read_mmlu
from studies.questions.quality import read_quality
from studies.questions.records import Origin, PassageRecord, QuestionRecord, RecordError
from studies.questions.sources import mmlu_sources, quality_sources

OPTIONS = ("red", "green", "blue", "grey")


def row(text: str = "Which colour?", options: tuple[str, ...] = OPTIONS, key: str = "B") -> list[str]:
    return [text, *options, key]


def write_csv(path: Path, *rows: list[str], end: str = "\n", delimiter: str = ",") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator=end, delimiter=delimiter).writerows(rows)
    path.write_bytes(buffer.getvalue().encode())
    return path


def write_lines(path: Path, *objects: object) -> Path:
    path.write_bytes("".join(json.dumps(found, ensure_ascii=False) + "\n" for found in objects).encode())
    return path


def read(path: Path, *, key_base: int | None = None, **told: str) -> list[QuestionRecord | RecordError]:
    (source,) = mmlu_sources([path], **told)
    return list(read_mmlu(source, key_base=key_base))


def article(number: int = 1, **changes: Any) -> dict[str, Any]:
    """One line of a QuALITY file with two questions; the keys are options 2 and 4."""
    found = {
        "article_id": f"{number:05d}",
        "set_unique_id": f"{number:05d}_A",
        "title": f"Story {number} ",
        "article": f"Story {number}\n\n It was a long\n\n story.\n",
        "questions": [question(f"{number:05d}_A_1", " Who came? ", 2), question(f"{number:05d}_A_2", "Who went?", 4)],
    }
    return found | changes


def question(identity: str, text: str, gold_label: int | None, **changes: Any) -> dict[str, Any]:
    found = {"question": text, "question_unique_id": identity, "options": ["Ann ", " Bob", "Cid\n", "Dee"]}
    return found | ({} if gold_label is None else {"gold_label": gold_label, "writer_label": 1}) | changes


def read_articles(path: Path) -> list[QuestionRecord | RecordError]:
    (source,) = quality_sources([path])
    return list(read_quality(source))


def record(
    text: str = "Which colour?",
    key: int = 1,
    *,
    number: int = 1,
    split: str = "test",
    subject: str = "art",
    **more: Any,
) -> QuestionRecord:
    options = more.pop("options", OPTIONS)
    return QuestionRecord(Origin("small.csv", number), split, subject, text, options, key, **more)


def passage(source_id: str = "00001", text: str = "A long story.", **more: Any) -> PassageRecord:
    return PassageRecord(Origin("small.jsonl", 1), source_id, text, **more)
