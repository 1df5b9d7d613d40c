"""Importing twice changes nothing; what a study uses stays; refused records do not stop the others."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError

from studies.design.models import Study, StudyQuestion
from studies.questions.models import Passage, Question, QuestionBank
from studies.questions.operations import BankError, import_questions
from studies.questions.records import Origin, QuestionRecord, RecordError
from studies.questions.report import ImportReport
from tests.questions.small_files import OPTIONS, passage, record

pytestmark = pytest.mark.django_db


def bring(*records: QuestionRecord | RecordError, **more: Any) -> ImportReport:
    return import_questions(**{"bank": "small", "task": "mmlu", "records": records} | more)


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    tally = report.questions
    return tally.added, tally.changed, tally.same, tally.refused


def use(question: Question) -> None:
    """Put the question into a study's manifest."""
    study = Study.objects.create(
        name="s", title="s", join_code="s", spec={}, spec_text="", spec_hash="", seed=1, created_at="2026-03-01T12:00Z"
    )
    StudyQuestion.objects.create(study=study, question=question, position=0, source="general")


def test_a_record_becomes_a_row() -> None:
    text = " Which\r\ncolour? \x85 \ufeff"
    report = bring(record(text, 2, extra={"year": 1950}, source_id="q1"))
    row = Question.objects.select_related("bank").get()
    assert counts(report) == (1, 0, 0, 0)
    assert (row.bank.name, row.bank.task, row.split, row.subject) == ("small", "mmlu", "test", "art")
    assert (row.text, row.options, row.key, row.passage) == (text, list(OPTIONS), 2, None)
    assert (row.source_id, row.extra, row.occurrence) == ("q1", {"year": 1950}, 0)
    assert row.content_hash == record(text).content_hash


def test_a_second_import_changes_nothing() -> None:
    records = [record(), record("Other?"), record(subject="law"), record(split="dev"), record("Other?", number=5)]
    assert counts(bring(*records)) == (5, 0, 0, 0)
    before = list(Question.objects.order_by("pk").values())
    assert counts(bring(*records)) == (0, 0, 5, 0)
    assert list(Question.objects.order_by("pk").values()) == before


def test_repeated_questions_are_kept_as_occurrences() -> None:
    report = bring(record(), record(number=2), record(number=3), record(subject="law", number=4))
    assert list(Question.objects.order_by("pk").values_list("subject", "occurrence")) == [
        ("art", 0),
        ("art", 1),
        ("art", 2),
        ("law", 0),
    ]
    assert report.warnings.total() == 2
    assert report.warning_lines() == [
        "2 × question that stands a second time in its split and subject; kept as a further occurrence; "
        "first in small.csv, record 2"
    ]


def test_a_corrected_key_changes_the_row_and_is_reported() -> None:
    bring(record(key=1))
    report = bring(record(key=3, number=9))
    assert counts(report) == (0, 1, 0, 0)
    assert [str(change) for change in report.changes] == ["small.csv, record 9: key B to D"]
    assert Question.objects.get().key == 3


def test_what_a_record_leaves_out_is_kept() -> None:
    bring(record(source_id="q1", extra={"note": "unclear", "source": "a book"}))
    assert counts(bring(record())) == (0, 0, 1, 0)
    report = bring(record(extra={"note": "clear"}))
    assert [str(change) for change in report.changes] == ["small.csv, record 1: extra.note"]
    row = Question.objects.get()
    assert (row.source_id, row.extra) == ("q1", {"note": "clear", "source": "a book"})


def test_a_question_that_a_study_uses_is_not_changed() -> None:
    bring(record(key=1), record("Free?", 0))
    use(Question.objects.get(text="Which colour?"))
    report = bring(record(key=3, number=9), record("Free?", 2))
    assert counts(report) == (0, 1, 0, 1)
    assert str(report.refused[0]) == (
        "small.csv, record 9: change='key B to D': a study uses this question (study question), so it stays as it is: "
        "say another --bank"
    )
    assert dict(Question.objects.values_list("text", "key")) == {"Which colour?": 1, "Free?": 2}


def test_a_used_question_may_be_imported_again_unchanged() -> None:
    bring(record())
    use(Question.objects.get())
    assert counts(bring(record(), record("New?"))) == (1, 0, 1, 0)


def test_refused_records_do_not_stop_the_others() -> None:
    wrong = RecordError(Origin("small.csv", 2), "key", "E", "A to D")
    report = bring(record(), wrong, record("Other?", number=3))
    assert counts(report) == (2, 0, 0, 1)
    assert report.refused == [wrong]
    assert report.questions.total == 3


def test_a_dry_run_reports_the_same_and_writes_nothing() -> None:
    bring(record(key=1))
    records = [record(key=2), record("New?"), RecordError(Origin("small.csv", 3), "key", "E", "A to D")]
    dry = bring(*records, is_dry_run=True)
    assert list(Question.objects.values_list("text", "key")) == [("Which colour?", 1)]
    real = bring(*records)
    assert counts(dry) == counts(real) == (1, 1, 0, 1)
    assert [str(change) for change in dry.changes] == [str(change) for change in real.changes]


def test_a_dry_run_makes_no_bank() -> None:
    story = record(passage=passage())
    assert counts(bring(story, task="quality", is_dry_run=True)) == (1, 0, 0, 0)
    assert not QuestionBank.objects.exists()


def test_one_content_with_two_keys_is_named() -> None:
    report = bring(record(key=0), record(key=1, subject="law", number=2))
    assert counts(report) == (2, 0, 0, 0)
    assert "content stands twice with different keys" in report.warning_lines()[0]


def test_odd_records_are_counted_and_kept() -> None:
    odd = record("18 U.S.C. Â§ 371?", options=("10-Sep", "same", "same", "x"))
    report = bring(odd)
    assert Question.objects.get().options == ["10-Sep", "same", "same", "x"]
    assert Question.objects.get().text == "18 U.S.C. Â§ 371?"
    assert [line.split(":")[0].split(";")[0] for line in report.warning_lines()] == [
        "1 × two identical options",
        "1 × characters that look encoded twice (such as Â§ for §), kept as they are",
        "1 × an option that a spreadsheet turned into a date (such as 10-Sep for 9/10), kept as it is",
    ]


def test_plain_records_are_not_odd() -> None:
    assert not bring(record("Âge, é, § 3, naïve…", options=("Sep", "10-11", "a", "A"))).warnings


def test_progress_counts_every_record() -> None:
    seen: list[int] = []
    bring(record(key=0), record("Same?"))
    wrong = RecordError(Origin("small.csv", 2), "key", "E", "A to D")
    bring(record(key=1), record("Same?"), wrong, *(record(f"New {n}?") for n in range(1500)), on_progress=seen.append)
    assert sum(seen) == 1503
    assert max(seen) == 1000


def test_a_bank_holds_one_task() -> None:
    bring(record())
    for is_dry_run in (False, True):
        with pytest.raises(BankError, match="bank 'small' holds mmlu questions, not quality: say another --bank"):
            bring(record(), task="quality", is_dry_run=is_dry_run)


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"bank": "x y"}, "letters, digits"), ({"bank": "b" * 81}, "80"), ({"task": "x"}, "mmlu or quality")],
)
def test_a_bank_needs_a_name_and_a_task(changes: dict[str, str], words: str) -> None:
    with pytest.raises(BankError, match=words):
        bring(record(), **changes)
    assert not QuestionBank.objects.exists()


def test_an_import_that_breaks_leaves_nothing_behind() -> None:
    def broken() -> Iterator[QuestionRecord]:
        yield record()
        raise OSError("the disk went away")

    with pytest.raises(OSError, match="went away"):
        bring(records=broken())
    assert not QuestionBank.objects.exists()

    def refuse(rows: int) -> None:
        if rows:
            raise RuntimeError("stopped in the middle")

    with pytest.raises(RuntimeError):
        bring(record(), on_progress=refuse)
    assert not Question.objects.exists()


def story(text: str = "A long story.", *, question: str = "Who came?", key: int = 1, **more: Any) -> QuestionRecord:
    return record(question, key, split="dev", subject="", passage=passage("00001", text, **more))


def test_questions_share_one_passage_row() -> None:
    report = bring(story(), story(question="Who went?"), task="quality")
    assert (report.passages.added, counts(report)) == (1, (2, 0, 0, 0))
    assert Passage.objects.get().questions.count() == 2
    again = bring(story(), story(question="Who went?"), task="quality")
    assert (again.passages.same, counts(again)) == (1, (0, 0, 2, 0))


def test_a_corrected_passage_changes_in_place_and_keeps_its_questions() -> None:
    bring(story(title="Old", extra={"year": "1950"}), task="quality")
    report = bring(story("A corrected story.", author="Ann"), task="quality")
    assert (report.passages.changed, counts(report)) == (1, (0, 0, 1, 0))
    assert [str(change) for change in report.changes] == ["small.jsonl, record 1: text, author"]
    row = Passage.objects.get()
    assert (row.text, row.title, row.author, row.extra) == ("A corrected story.", "Old", "Ann", {"year": "1950"})
    assert row.content_hash == passage(text="A corrected story.").content_hash


def test_a_passage_that_a_study_uses_is_not_changed_and_takes_no_new_questions() -> None:
    bring(story(), task="quality")
    use(Question.objects.get())
    report = bring(story("Another story."), story("Another story.", question="New?"), task="quality")
    assert (report.passages.refused, counts(report)) == (1, (0, 0, 0, 2))
    assert "passage='text': a study uses this passage" in str(report.refused[0])
    assert Passage.objects.get().text == "A long story."
    assert Question.objects.count() == 1


def test_two_texts_of_one_passage_in_one_import_are_refused() -> None:
    report = bring(story(), story("Another story.", question="New?"), task="quality")
    assert counts(report) == (1, 0, 0, 1)
    assert "which has the same article_id" in str(report.refused[0])


def test_the_database_keeps_identities_single() -> None:
    bring(story(), task="quality")
    row = Question.objects.get()
    for again in (
        Question(bank=row.bank, split="dev", subject="", content_hash=row.content_hash, text="x", options=[], key=0),
        Passage(bank=row.bank, source_id="00001", text="x"),
        QuestionBank(name="small", task="mmlu"),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            again.save()


def test_the_database_does_not_let_go_of_what_questions_hang_on() -> None:
    bring(story(), task="quality")
    for row in (QuestionBank.objects.get(), Passage.objects.get()):
        with pytest.raises(ProtectedError):
            row.delete()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_new", [True, False])
def test_two_imports_at_once_bring_each_question_once(is_new: bool) -> None:
    """The second waits for the first, also where the bank is new."""
    if not is_new:
        QuestionBank.objects.create(name="small", task="mmlu")
    start = threading.Barrier(2)

    def import_in_a_thread() -> tuple[int, int, int, int]:
        try:
            start.wait(timeout=10)
            return counts(bring(*(record(f"New {n}?") for n in range(300))))
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        results = [future.result(timeout=30) for future in [threads.submit(import_in_a_thread) for _ in range(2)]]
    assert sorted(results) == [(0, 0, 300, 0), (300, 0, 0, 0)]
    assert Question.objects.count() == 300
