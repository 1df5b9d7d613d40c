"""Real QuALITY articles, with all fields and with few."""

import json

import pytest

from studies.questions.models import Passage, Question
from studies.questions.operations import import_questions
from studies.questions.quality import read_quality
from studies.questions.records import QuestionRecord, RecordError
from studies.questions.sources import quality_sources
from tests.questions.real_data import QUALITY, needs_real_data

pytestmark = [needs_real_data, pytest.mark.django_db]

ARTICLES = QUALITY / "quality.15-articles.jsonl"
OFFICIAL = QUALITY / "QuALITY.v1.0.1.htmlstripped.dev.line1.jsonl"


def bring() -> list[QuestionRecord | RecordError]:
    return [record for source in quality_sources([ARTICLES], split="dev") for record in read_quality(source)]


def test_fifteen_articles_are_imported_once() -> None:
    report = import_questions(bank="quality", task="quality", records=bring())
    assert (report.questions.added, report.passages.added, report.refused) == (184, 15, [])
    again = import_questions(bank="quality", task="quality", records=bring())
    assert (again.questions.same, again.passages.same, again.questions.total) == (184, 15, 184)
    words = sorted(len(passage.text.split()) for passage in Passage.objects.all())
    assert (words[0], words[-1]) == (2052, 4978)


def test_articles_stay_and_outer_blanks_of_options_go() -> None:
    import_questions(bank="quality", task="quality", records=bring())
    lines = [json.loads(line) for line in ARTICLES.read_bytes().decode().split("\n") if line]
    for line in lines:
        passage = Passage.objects.get(source_id=line["article_id"])
        assert passage.text == line["article"]
        rows = list(passage.questions.order_by("pk"))
        assert [row.options for row in rows] == [[option.strip() for option in q["options"]] for q in line["questions"]]
        assert [row.key + 1 for row in rows] == [q["gold_label"] for q in line["questions"]]
    assert sum(option != option.strip() for line in lines for q in line["questions"] for option in q["options"]) == 63


def test_the_official_line_keeps_all_it_tells() -> None:
    (source,) = quality_sources([OFFICIAL])
    assert source.split == "dev"
    report = import_questions(bank="quality", task="quality", records=read_quality(source))
    assert (report.questions.added, report.refused) == (6, [])
    row = Question.objects.get(source_id="52845_75VB1ISR_1")
    assert (row.key, row.extra["writer_label"], row.extra["difficult"]) == (1, 1, 0)
    assert (len(row.extra["validation"]), len(row.extra["speed_validation"])) == (5, 5)
    assert row.passage is not None
    assert (row.passage.title, row.passage.author) == ("The Girl in His Mind", "Young, Robert F.")
    assert (row.passage.extra["year"], row.passage.extra["source"]) == ("1950", "Gutenberg")
