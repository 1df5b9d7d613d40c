"""All of MMLU, as it really is: every record, every trap that was counted in it, cell for cell.

The counts are those of the real files; each was also made by a script that shares nothing with the importer.
"""

import re
from collections import Counter

import pandas as pd
import pytest

from studies.questions.identity import AGAIN
from studies.questions.mmlu import read_mmlu
from studies.questions.models import Question
from studies.questions.oddities import DATE, ENCODING, IDENTICAL
from studies.questions.operations import import_questions
from studies.questions.queries import banks, few_shot_questions, questions_of
from studies.questions.records import QuestionRecord
from studies.questions.sources import mmlu_sources
from tests.questions.real_data import MMLU, VARIANTS, needs_real_data
from tests.questions.small_files import read

pytestmark = needs_real_data


@pytest.fixture(scope="module")
def records() -> list[QuestionRecord]:
    found = [record for source in mmlu_sources([MMLU]) for record in read_mmlu(source)]
    good = [record for record in found if isinstance(record, QuestionRecord)]
    assert len(good) == len(found)
    return good


def cells(record: QuestionRecord) -> tuple[str, ...]:
    return (record.text, *record.options)


def test_every_record_is_read(records: list[QuestionRecord]) -> None:
    assert Counter(record.split for record in records) == {"dev": 285, "val": 1531, "test": 14042}
    assert len({record.subject for record in records}) == 57
    assert Counter("ABCD"[record.key] for record in records) == {"A": 3670, "B": 3910, "C": 4040, "D": 4238}


def test_every_cell_is_what_another_reader_reads(records: list[QuestionRecord]) -> None:
    """pandas' own CSV parser, told to guess nothing, agrees on all 15,858 × 6 cells."""
    other: list[tuple[str, ...]] = []
    for source in mmlu_sources([MMLU]):
        table = pd.read_csv(source.path, header=None, dtype=str, keep_default_na=False, encoding="utf-8")
        other += [tuple(map(str, row)) for row in table.itertuples(index=False)]
    assert [(*cells(record), "ABCD"[record.key]) for record in records] == other


def test_the_counted_traps_come_through(records: list[QuestionRecord]) -> None:
    options = [option for record in records for option in record.options]
    assert sum(any("\n" in cell or "\r" in cell for cell in cells(record)) for record in records) == 1285
    assert sum(any("\n" in option for option in record.options) for record in records) == 2
    assert sum("\r" in cell for record in records for cell in cells(record)) == 4
    assert options.count("None") == 12
    assert sum(not {"TRUE", "FALSE"}.isdisjoint(record.options) for record in records) == 3
    assert (options.count("TRUE"), options.count("FALSE")) == (2, 3)
    number = re.compile(r"[-+]?\d+(\.\d+)?")
    assert sum(all(number.fullmatch(option) for option in record.options) for record in records) == 553
    assert sum("\x85" in "".join(cells(record)) for record in records) == 3
    assert sum("\ufeff" in cell for record in records for cell in cells(record)) == 2
    assert sum(any(option.startswith(("=", "+", "-", "@")) for option in record.options) for record in records) == 60
    assert sum(option.startswith(("=", "+", "-", "@")) for option in options) == 112
    assert sum(any("\x80" <= letter <= "\x9f" for letter in "".join(cells(record))) for record in records) == 90
    assert max(len(record.text) for record in records) == 4671
    assert sum("<p>" in cell for record in records for cell in cells(record)) == 1
    assert sum(cell != cell.strip() for record in records for cell in cells(record)) == 1531


def test_repeated_contents_are_counted(records: list[QuestionRecord]) -> None:
    groups: dict[str, list[QuestionRecord]] = {}
    for record in records:
        groups.setdefault(record.content_hash, []).append(record)
    repeated = [group for group in groups.values() if len(group) > 1]
    assert (len(groups), len(repeated)) == (15717, 141)
    assert sum({record.split for record in group} == {"test"} for group in repeated) == 105
    assert sum({"test"} < {record.split for record in group} for group in repeated) == 32
    assert sum(len({record.subject for record in group}) > 1 for group in repeated) == 99
    assert not any(len({record.key for record in group}) > 1 for group in repeated)


@pytest.mark.django_db
def test_all_of_it_is_imported_once(records: list[QuestionRecord]) -> None:
    report = import_questions(bank="mmlu", task="mmlu", records=records)
    assert (report.questions.added, report.questions.total, report.refused) == (15858, 15858, [])
    assert dict(report.warnings) == {AGAIN: 28, IDENTICAL: 13, DATE: 6, ENCODING: 99}

    again = import_questions(bank="mmlu", task="mmlu", records=records)
    assert (again.questions.same, again.questions.total) == (15858, 15858)

    (summary,) = banks()
    assert summary.splits == {"dev": 285, "val": 1531, "test": 14042}
    assert len(summary.subjects) == 57
    assert set(summary.counts["dev"].values()) == {5}

    rows = Question.objects.order_by("pk")
    assert [(row.text, *row.options, row.key) for row in rows] == [(*cells(record), record.key) for record in records]

    bank = rows[0].bank
    assert questions_of(bank, split="test").count() == len({r.content_hash for r in records if r.split == "test"})
    shown = {record.content_hash for record in records if record.split == "dev"}
    leaked = rows.filter(split="test", content_hash__in=shown)
    assert leaked
    assert all(row.content_hash != shot.content_hash for row in leaked for shot in few_shot_questions(row))


def test_header_with_integer_keys_is_the_official_file(records: list[QuestionRecord]) -> None:
    official = {record.content_hash: record.key for record in records if record.split == "dev"}
    for subject in ("formal_logic", "medical_genetics"):
        found = read(VARIANTS / "header-integer-key" / f"{subject}_dev.csv")
        assert len(found) == 5
        for record in found:
            assert isinstance(record, QuestionRecord)
            assert (record.subject, record.split) == (subject, "dev")
            assert official[record.content_hash] == record.key


def test_redux_lists_are_the_official_questions(records: list[QuestionRecord]) -> None:
    official = {record.content_hash: record.key for record in records if record.split == "test"}
    for subject, fine in (("philosophy", 89), ("virology", 43)):  # error_type OK
        found = read(VARIANTS / "redux" / f"mmlu_{subject}.csv", split="test")
        good = [record for record in found if isinstance(record, QuestionRecord)]
        assert len(found) == len(good) == 100
        assert all(record.subject == subject and official[record.content_hash] == record.key for record in good)
        assert sum(record.extra["error_type"] == "OK" for record in good) == fine


def test_prompts_are_the_official_val_split(records: list[QuestionRecord]) -> None:
    found = read(VARIANTS / "prompt-jsonl" / "zero_shot_mmlu_val.json")
    assert all(isinstance(record, QuestionRecord) for record in found)
    val = [record for record in records if record.split == "val"]
    assert [(r.subject, r.content_hash, r.key) for r in found if isinstance(r, QuestionRecord)] == [
        (r.subject, r.content_hash, r.key) for r in val
    ]
