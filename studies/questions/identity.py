"""Give each record of an import its identity within the bank. Pure.

A question is the same one as before when split, subject, content hash and occurrence agree. The occurrence counts, from
0, the records of one import that share the other three: real files repeat questions, and content alone would lose some.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from studies.questions.oddities import oddities
from studies.questions.records import PassageRecord, QuestionRecord, RecordError
from studies.questions.report import ImportReport

AGAIN = "question that stands a second time in its split and subject; kept as a further occurrence"
OTHER_KEY = "question whose content stands twice with different keys: at least one is wrong"

Identity = tuple[str, str, str, int]


@dataclass(frozen=True, slots=True)
class Identified:
    """A record with its content hash computed once, and its occurrence."""

    record: QuestionRecord
    content_hash: str
    occurrence: int

    @property
    def identity(self) -> Identity:
        return (self.record.split, self.record.subject, self.content_hash, self.occurrence)


def identify(records: Iterable[QuestionRecord | RecordError], report: ImportReport) -> list[Identified]:
    """The good records in order; refusals and oddities go to the report.

    Two texts under one passage identity cannot both be right: the questions of the later one are refused.
    """
    found: list[Identified] = []
    seen: dict[tuple[str, str, str], int] = {}
    keys: dict[str, int] = {}
    passages: dict[str, PassageRecord] = {}
    for record in records:
        if isinstance(record, RecordError):
            report.refuse(record)
            continue
        passage = record.passage
        if passage and passages.setdefault(passage.source_id, passage).text != passage.text:
            first = passages[passage.source_id].origin
            wanted = f"must be the text of {first}, which has the same article_id"
            report.refuse(RecordError(record.origin, "article", passage.text, wanted))
            continue
        content = record.content_hash
        place = (record.split, record.subject, content)
        occurrence = seen.get(place, 0)
        seen[place] = occurrence + 1
        if occurrence:
            report.warn(AGAIN, record.origin)
        if keys.setdefault(content, record.key) != record.key:
            report.warn(OTHER_KEY, record.origin)
        for sentence in oddities(record):
            report.warn(sentence, record.origin)
        found.append(Identified(record, content, occurrence))
    return found
