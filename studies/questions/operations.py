"""Import records into a bank: idempotent, in one transaction, never deleting, never changing what a study uses."""

from collections.abc import Callable, Iterable

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import transaction

from studies.questions.identity import Identified, Identity, identify
from studies.questions.models import Passage, Question, QuestionBank
from studies.questions.passages import bring_passages
from studies.questions.queries import used_questions
from studies.questions.records import QuestionRecord, RecordError
from studies.questions.report import Change, ImportReport

BATCH = 1000
FIELDS = ("key", "source_id", "extra")

Progress = Callable[[int], object]


class BankError(Exception):
    """The bank cannot take this import; the sentence says why."""


def import_questions(
    *,
    bank: str,
    task: str,
    records: Iterable[QuestionRecord | RecordError],
    is_dry_run: bool = False,
    on_progress: Progress = lambda rows: None,
) -> ImportReport:
    """Bring the records into the bank of that name, which is made when there is none; `task` is mmlu or quality.

    A record is found again by bank, split, subject, content hash and occurrence (`identity`). New ones are added; where
    the record brings another key, source_id or entry of extra the row is changed, unless a study uses it: then the
    record is refused and the row stays. What a record leaves out is kept. Good records are imported although others are
    refused. A dry run writes nothing and reports the same.
    `on_progress` is called with how many records were dealt with since the last call. Raises BankError.
    """
    _require_name(bank)
    report = ImportReport(bank, is_dry_run)
    found = identify(records, report)
    with transaction.atomic():
        row = _lock_bank(bank, task, is_dry_run)
        passages = bring_passages(row, [item.record for item in found], report)
        found = [item for item in found if item.record.passage is None or item.record.passage.source_id in passages]
        on_progress(report.questions.refused)
        _bring_questions(row, found, passages, report, on_progress)
    return report


def _require_name(bank: str) -> None:
    longest = QuestionBank._meta.get_field("name").max_length or 0
    try:
        validate_slug(bank)
    except ValidationError as error:
        raise BankError(f"bank {bank!r}: letters, digits, - and _ are allowed in its name") from error
    if len(bank) > longest:
        raise BankError(f"bank {bank!r}: at most {longest} characters are allowed in its name")


def _lock_bank(name: str, task: str, is_dry_run: bool) -> QuestionBank:
    """The bank, locked against a second import at the same time; not saved when it is new and the run is dry."""
    if task not in QuestionBank.Task.values:
        raise BankError(f"task {task!r}: {' or '.join(QuestionBank.Task.values)}")
    if is_dry_run:
        bank = QuestionBank.objects.filter(name=name).first() or QuestionBank(name=name, task=task)
    else:
        bank, _ = QuestionBank.objects.select_for_update().get_or_create(name=name, defaults={"task": task})
    if bank.task != task:
        raise BankError(f"bank {name!r} holds {bank.task} questions, not {task}: say another --bank")
    return bank


def _bring_questions(
    bank: QuestionBank,
    found: list[Identified],
    passages: dict[str, Passage],
    report: ImportReport,
    on_progress: Progress,
) -> None:
    known = _known(bank, {item.record.split for item in found})
    new: list[Question] = []
    different: list[tuple[Question, Identified]] = []
    for item in found:
        before = known.get(item.identity)
        if before is None:
            new.append(_row(bank, item, passages))
        elif _differences(before, item.record):
            different.append((before, item))
        else:
            report.questions.same += 1
    on_progress(len(found) - len(new) - len(different))
    report.questions.added += len(new)
    _change(different, report)
    on_progress(len(different))
    for start in range(0, len(new), BATCH):
        rows = new[start : start + BATCH]
        if not report.is_dry_run:
            Question.objects.bulk_create(rows)
        on_progress(len(rows))


def _change(different: list[tuple[Question, Identified]], report: ImportReport) -> None:
    used = used_questions(question.pk for question, _ in different)
    changed: list[Question] = []
    for question, item in different:
        record, words = item.record, _differences(question, item.record)
        if question.pk in used:
            wanted = f"a study uses this question ({used[question.pk]}), so it stays as it is: say another --bank"
            report.refuse(RecordError(record.origin, "change", ", ".join(words), wanted))
            continue
        question.key = record.key
        question.source_id = record.source_id or question.source_id
        question.extra = question.extra | record.extra
        changed.append(question)
        report.changes.append(Change(record.origin, words))
    report.questions.changed += len(changed)
    if not report.is_dry_run:
        Question.objects.bulk_update(changed, FIELDS, batch_size=200)


def _known(bank: QuestionBank, splits: set[str]) -> dict[Identity, Question]:
    """The bank's rows of these splits by identity, without the texts: the content hash stands for them."""
    if bank.pk is None:
        return {}
    rows = Question.objects.filter(bank=bank, split__in=splits).defer("text", "options")
    return {(row.split, row.subject, row.content_hash, row.occurrence): row for row in rows}


def _row(bank: QuestionBank, item: Identified, passages: dict[str, Passage]) -> Question:
    record = item.record
    return Question(
        bank=bank,
        split=record.split,
        subject=record.subject,
        content_hash=item.content_hash,
        occurrence=item.occurrence,
        source_id=record.source_id,
        passage=passages[record.passage.source_id] if record.passage else None,
        text=record.text,
        options=list(record.options),
        key=record.key,
        extra=record.extra,
    )


def _differences(row: Question, record: QuestionRecord) -> tuple[str, ...]:
    words = []
    if row.key != record.key:
        words.append(f"key {chr(ord('A') + row.key)} to {chr(ord('A') + record.key)}")
    if record.source_id and row.source_id != record.source_id:
        words.append(f"source_id {row.source_id!r} to {record.source_id!r}")
    words += [f"extra.{name}" for name, value in record.extra.items() if row.extra.get(name) != value]
    return tuple(words)
