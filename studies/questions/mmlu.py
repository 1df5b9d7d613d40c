"""MMLU files to records: the official CSV layout and the re-encodings met in practice. No ORM.

Each layout only says which cell is what (`mmlu_tables`, `mmlu_lines`); this file finds what numeric keys count from and
makes the records. A cell's text is passed on untouched: blanks, newlines of any kind, `None`, `TRUE`, numbers, `<p>`, a
leading `=`, U+0085 and U+FEFF inside a cell, and double-encoded characters all stay as the file has them.
"""

from collections.abc import Iterator

from studies.questions.keys import find_base, read_key
from studies.questions.mmlu_lines import read_lines
from studies.questions.mmlu_raw import Layout, RawQuestion
from studies.questions.mmlu_tables import read_table
from studies.questions.records import FileError, QuestionRecord, RecordError
from studies.questions.sources import Source, read_text


def read_mmlu(source: Source, *, key_base: int | None = None) -> Iterator[QuestionRecord | RecordError]:
    """The file's records in order; a record that cannot be is yielded as the RecordError that says why.

    `key_base` 0 or 1 says what numeric keys count from; see `keys.find_base` for what holds when it is None.
    Raises FileError, before the first record, where the file as a whole cannot be read.
    """
    text = read_text(source)
    layout = read_table(source.name, text) if source.path.suffix.lower() == ".csv" else read_lines(source.name, text)
    if not layout.rows:
        raise FileError(source.name, "holds no records")
    keys = [row.key for row in layout.rows if isinstance(row, RawQuestion)]
    base = find_base(source.name, keys, told=key_base, named_by_header=layout.key_base)
    return _records(source, layout, base)


def _records(source: Source, layout: Layout, base: int) -> Iterator[QuestionRecord | RecordError]:
    for row in layout.rows:
        if isinstance(row, RecordError):
            yield row
            continue
        try:
            yield QuestionRecord(
                origin=row.origin,
                split=source.split,
                subject=_subject(source, row),
                text=row.text,
                options=row.options,
                key=read_key(row.origin, row.key, base),
                extra=row.extra,
            )
        except RecordError as error:
            yield error


def _subject(source: Source, row: RawQuestion) -> str:
    if row.subject is None and source.subject is None:
        raise RecordError(row.origin, "subject", None, "neither the record nor the command tells it: say --subject")
    if source.subject_is_told and row.subject not in (None, source.subject):
        raise RecordError(row.origin, "subject", row.subject, f"--subject says {source.subject!r}: leave it out")
    return row.subject if row.subject is not None else source.subject or ""
