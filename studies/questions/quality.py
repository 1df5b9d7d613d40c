"""QuALITY files to records: the official HTML-stripped JSON Lines. No ORM.

Each line is one writer's questions on one article, so an article comes on two lines; `article_id` is the passage's
identity, and lines with the same one must carry the same text. `gold_label` counts from 1 and is the key, whatever
`writer_label` says. The outer blanks of titles, authors, questions and options are stripped: the official files have
them by accident of typing. The article and everything inside a text stay as they are, with the file's hard line breaks.
Only `article_id`, `article`, `questions` and in each question `question`, `options`, `gold_label` must be there. What
else the file tells of a question (`difficult`, `writer_label`, the annotators) goes to `extra` as it is; like the key
it must not reach participants.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from studies.questions.records import (
    OPTION_COUNT,
    FileError,
    Origin,
    PassageRecord,
    QuestionRecord,
    RecordError,
    require_text,
)
from studies.questions.sources import Source, read_text

OF_ARTICLE = ("source", "year", "topic", "url", "license")
OF_WRITER = ("set_unique_id", "writer_id", "batch_num")
OF_QUESTION = ("writer_label", "difficult", "validation", "speed_validation")
_HTML = re.compile(r"</(?:p|div|body|html|span|h\d)>|<br\s*/?>", re.IGNORECASE)

Parsed = Iterator[QuestionRecord | RecordError]


def read_quality(source: Source) -> Parsed:
    """The file's questions in order, each with its passage; a question that cannot be is yielded as a RecordError.

    Raises FileError, before the first record, for a file without any label: the official test split has none.
    """
    lines = [line for line in read_text(source).split("\n") if line.strip()]
    if not lines:
        raise FileError(source.name, "holds no records")
    articles = [_parse(Origin(source.name, number), line) for number, line in enumerate(lines, start=1)]
    questions = [question for article in articles if isinstance(article, dict) for question in _questions(article)]
    if questions and not any(isinstance(question, dict) and "gold_label" in question for question in questions):
        raise FileError(
            source.name,
            "no question has a gold_label, so no answer could be scored; "
            "the official test split comes without labels: import train or dev",
        )
    return _records(source, articles)


def _records(source: Source, articles: list[dict[str, Any] | RecordError]) -> Parsed:
    passages: dict[str, PassageRecord] = {}
    for number, article in enumerate(articles, start=1):
        if isinstance(article, RecordError):
            yield article
            continue
        try:
            passage = _passage(Origin(source.name, number), article)
            known = passages.setdefault(passage.source_id, passage)
            if known.text != passage.text:
                wanted = f"must be the text of record {known.origin.record}, which has the same article_id"
                raise RecordError(passage.origin, "article", passage.text, wanted)
            _require_questions(passage.origin, article)
        except RecordError as error:
            yield error
            continue
        for place, question in enumerate(article["questions"], start=1):
            origin = Origin(source.name, number, f"question {place}")
            try:
                yield _question(origin, source.split, article, known, question)
            except RecordError as error:
                yield error


def _parse(origin: Origin, line: str) -> dict[str, Any] | RecordError:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        return RecordError(origin, "line", line, f"is not JSON ({error})")
    if not isinstance(found, dict):
        return RecordError(origin, "line", line, "a JSON object is needed, one a line")
    return found


def _questions(article: dict[str, Any]) -> list[Any]:
    questions = article.get("questions")
    return questions if isinstance(questions, list) else []


def _require_questions(origin: Origin, article: dict[str, Any]) -> None:
    if not _questions(article):
        raise RecordError(origin, "questions", article.get("questions"), "a list of at least one question is needed")


def _passage(origin: Origin, article: dict[str, Any]) -> PassageRecord:
    text = require_text(origin, "article", article.get("article"))
    if _HTML.search(text):
        raise RecordError(origin, "article", text, "is HTML; take the file with htmlstripped in its name")
    return PassageRecord(
        origin=origin,
        source_id=require_text(origin, "article_id", article.get("article_id")),
        text=text,
        title=_stripped(origin, "title", article.get("title") or ""),
        author=_stripped(origin, "author", article.get("author") or ""),
        extra={name: _year_as_text(name, article[name]) for name in OF_ARTICLE if article.get(name) is not None},
    )


def _question(
    origin: Origin, split: str, article: dict[str, Any], passage: PassageRecord, found: object
) -> QuestionRecord:
    if not isinstance(found, dict):
        raise RecordError(origin, "question", found, "a JSON object is needed")
    options = found.get("options")
    if not isinstance(options, list):
        raise RecordError(origin, "options", options, f"a list of {OPTION_COUNT} texts is needed")
    label = found.get("gold_label")
    if type(label) is not int or not 1 <= label <= OPTION_COUNT:
        raise RecordError(origin, "gold_label", label, f"the number of the right option, 1 to {OPTION_COUNT}")
    extra = {name: article[name] for name in OF_WRITER if article.get(name) is not None}
    extra |= {name: found[name] for name in OF_QUESTION if found.get(name) is not None}
    return QuestionRecord(
        origin=origin,
        split=split,
        subject="",
        text=_stripped(origin, "question", found.get("question")),
        options=tuple(_stripped(origin, f"option {n}", option) for n, option in enumerate(options, start=1)),
        key=label - 1,
        source_id=require_text(origin, "source_id", found.get("question_unique_id") or "", may_be_blank=True),
        passage=passage,
        extra=extra,
    )


def _stripped(origin: Origin, name: str, value: object) -> str:
    return require_text(origin, name, value, may_be_blank=True).strip()


def _year_as_text(name: str, value: Any) -> Any:
    """The files write a number, their README says text."""
    return str(value) if name == "year" else value
