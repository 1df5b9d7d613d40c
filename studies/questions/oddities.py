"""What is odd in a record but no reason to refuse it: counted and named in the report, never repaired."""

import re

from studies.questions.records import QuestionRecord

IDENTICAL = "two identical options: nobody can tell which one is right"
ENCODING = "characters that look encoded twice (such as Â§ for §), kept as they are"
DATE = "an option that a spreadsheet turned into a date (such as 10-Sep for 9/10), kept as it is"

# C1 control characters are what is left of UTF-8 that was read as Latin-1; Ã and Â before U+0080-U+00BF are its pairs.
_TWICE = re.compile("[\x80-\x9f]|[ÃÂ][\x80-\xbf]")
_MONTH = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_DATE = re.compile(rf"\d{{1,2}}-(?:{_MONTH})|(?:{_MONTH})-\d{{1,2}}")


def oddities(record: QuestionRecord) -> list[str]:
    """The sentences that hold for this record."""
    found = []
    if len(set(record.options)) < len(record.options):
        found.append(IDENTICAL)
    if any(_TWICE.search(text) for text in (record.text, *record.options) if not text.isascii()):
        found.append(ENCODING)
    if any(_DATE.fullmatch(option) for option in record.options):
        found.append(DATE)
    return found
