"""Bring the passages of an import into the bank, before their questions."""

from studies.questions.models import Passage, Question, QuestionBank
from studies.questions.queries import used_questions
from studies.questions.records import PassageRecord, QuestionRecord, RecordError
from studies.questions.report import Change, ImportReport

FIELDS = ("title", "author", "text", "content_hash", "extra")


def bring_passages(bank: QuestionBank, records: list[QuestionRecord], report: ImportReport) -> dict[str, Passage]:
    """The passages that questions may hang on, by `source_id`; call inside the import's transaction.

    A passage that a study's question uses is not changed: it, and the records that bring the other text, are refused.
    """
    wanted: dict[str, PassageRecord] = {}
    for question in records:
        if question.passage:
            wanted.setdefault(question.passage.source_id, question.passage)
    known: dict[str, Passage] = {}
    if bank.pk is not None and wanted:
        known = {row.source_id: row for row in Passage.objects.filter(bank=bank)}
    ready: dict[str, Passage] = {}
    new: list[Passage] = []
    changed: list[Passage] = []
    for source_id, record in wanted.items():
        row = known.get(source_id)
        if row is None:
            row = Passage(bank=bank, source_id=source_id)
            _overwrite(row, record)
            new.append(row)
            report.passages.added += 1
        elif words := _differences(row, record):
            if _is_used(row):
                _refuse(record, words, records, report)
                continue
            _overwrite(row, record)
            changed.append(row)
            report.passages.changed += 1
            report.changes.append(Change(record.origin, words))
        else:
            report.passages.same += 1
        ready[source_id] = row
    if not report.is_dry_run:
        Passage.objects.bulk_create(new, batch_size=50)
        Passage.objects.bulk_update(changed, FIELDS, batch_size=50)
    return ready


def _overwrite(row: Passage, record: PassageRecord) -> None:
    """Take what the record brings; what it leaves out is kept."""
    row.title = record.title or row.title
    row.author = record.author or row.author
    row.text, row.content_hash = record.text, record.content_hash
    row.extra = row.extra | record.extra


def _differences(row: Passage, record: PassageRecord) -> tuple[str, ...]:
    words = ["text"] if row.text != record.text else []
    words += ["title"] if record.title not in ("", row.title) else []
    words += ["author"] if record.author not in ("", row.author) else []
    words += [f"extra.{name}" for name, value in record.extra.items() if row.extra.get(name) != value]
    return tuple(words)


def _is_used(row: Passage) -> bool:
    return bool(used_questions(Question.objects.filter(passage=row).values_list("pk", flat=True)))


def _refuse(record: PassageRecord, words: tuple[str, ...], records: list[QuestionRecord], report: ImportReport) -> None:
    report.passages.refused += 1
    reason = "a study uses this passage, so it stays as it is, and its questions with it: say another --bank"
    for question in records:
        if question.passage and question.passage.source_id == record.source_id:
            report.refuse(RecordError(question.origin, "passage", ", ".join(words), reason))
