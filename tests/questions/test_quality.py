"""Two lines an article, labels from 1, outer blanks off, and no questions without labels."""

from pathlib import Path
from typing import Any

import pytest

from studies.questions.records import FileError, QuestionRecord, RecordError
from tests.questions.small_files import article, question, read_articles, write_lines


def test_questions_hang_on_their_article_and_outer_blanks_go(tmp_path: Path) -> None:
    first, second = read_articles(write_lines(tmp_path / "q.dev", article()))
    assert isinstance(first, QuestionRecord)
    assert isinstance(second, QuestionRecord)
    assert (first.text, first.options, first.key) == ("Who came?", ("Ann", "Bob", "Cid", "Dee"), 1)
    assert (first.split, first.subject, first.source_id) == ("dev", "", "00001_A_1")
    assert second.key == 3
    assert first.passage is second.passage
    assert first.passage is not None
    assert (first.passage.source_id, first.passage.title) == ("00001", "Story 1")
    assert first.passage.text == "Story 1\n\n It was a long\n\n story.\n"  # the file's own line breaks


def test_the_gold_label_is_the_key_whatever_the_writer_said(tmp_path: Path) -> None:
    (found,) = read_articles(write_lines(tmp_path / "q.dev", article(questions=[question("x", "Who?", 3)])))
    assert isinstance(found, QuestionRecord)
    assert found.key == 2
    assert found.extra == {"set_unique_id": "00001_A", "writer_label": 1}


def test_two_lines_of_one_article_give_one_passage(tmp_path: Path) -> None:
    other = article(set_unique_id="00001_B", questions=[question("00001_B_1", "Why?", 1)])
    found = read_articles(write_lines(tmp_path / "q.train", article(), article(2), other))
    passages = {id(record.passage) for record in found if isinstance(record, QuestionRecord)}
    assert (len(found), len(passages)) == (5, 2)


def test_two_texts_for_one_article_are_refused(tmp_path: Path) -> None:
    found = read_articles(write_lines(tmp_path / "q.dev", article(), article(article="Another text.")))
    assert [type(record) for record in found] == [QuestionRecord, QuestionRecord, RecordError]
    assert "must be the text of record 1, which has the same article_id" in str(found[2])


def test_optional_fields_may_be_missing_and_years_become_text(tmp_path: Path) -> None:
    bare = {"article_id": "7", "article": "Text.", "questions": [{**question("", "Who?", 1)}], "year": 1950}
    bare["questions"][0].pop("question_unique_id")  # type: ignore[index]
    (found,) = read_articles(write_lines(tmp_path / "q.dev", bare))
    assert isinstance(found, QuestionRecord)
    assert found.passage is not None
    assert (found.source_id, found.passage.title, found.passage.extra) == ("", "", {"year": "1950"})


def test_a_file_without_labels_is_refused_with_the_reason(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "q.test", article(questions=[question("a", "Who?", None)]))
    with pytest.raises(FileError, match=r"no question has a gold_label.*the official test split comes without labels"):
        read_articles(path)


def test_one_question_without_a_label_is_refused_alone(tmp_path: Path) -> None:
    questions = [question("a", "Who?", None), question("b", "Why?", 1)]
    wrong, good = read_articles(write_lines(tmp_path / "q.dev", article(questions=questions)))
    assert (
        str(wrong)
        == f"{tmp_path / 'q.dev'}, record 1 (question 1): gold_label=None: the number of the right option, 1 to 4"
    )
    assert isinstance(good, QuestionRecord)


@pytest.mark.parametrize("label", [0, 5, "2", 2.0, True])
def test_a_label_that_counts_nothing_is_refused(tmp_path: Path, label: Any) -> None:
    (found,) = read_articles(write_lines(tmp_path / "q.dev", article(questions=[question("a", "Who?", label)])))
    assert isinstance(found, RecordError)
    assert found.name == "gold_label"


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("not json", "line"),
        ("[]", "line"),
        (article(article_id=5), "article_id"),
        (article(article="  "), "article"),
        (article(article="<html><body><p>Once</p></body></html>"), "article"),
        (article(title=["x"]), "title"),
        (article(questions=[]), "questions"),
        (article(questions=["who"]), "question"),
        (article(questions=[question("a", "Who?", 1, options="abcd")]), "options"),
        (article(questions=[question("a", "Who?", 1, options=["a", " ", "c", "d"])]), "option 2"),
        (article(questions=[question("a", "Who?", 1, question=None)]), "question"),
        (article(questions=[question("a" * 201, "Who?", 1)]), "source_id"),
    ],
)
def test_what_is_wrong_is_named_and_the_rest_is_read(tmp_path: Path, line: Any, name: str) -> None:
    path = write_lines(tmp_path / "q.dev", line, article(2))
    if isinstance(line, str):
        path.write_text(line + "\n" + path.read_text().split("\n", 1)[1])
    wrong, *good = read_articles(path)
    assert isinstance(wrong, RecordError)
    assert (wrong.name, wrong.origin.record) == (name, 1)
    assert [type(record) for record in good] == [QuestionRecord, QuestionRecord]
