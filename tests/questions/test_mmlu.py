"""No cell is damaged, keys map right, and what cannot be a record is refused by number."""

from pathlib import Path

import pytest

from studies.questions.records import FileError, QuestionRecord, RecordError
from tests.questions.small_files import OPTIONS, read, row, write_csv

AWKWARD = (
    " outer blanks ",
    "None",
    "TRUE",
    "007",
    "1e5",
    "two\nlines",
    "two\r\nlines",
    "next\x85line and \u2028 too",
    "inner \ufeff mark",
    "<p> & x < y",
    "=1+1",
    "-3",
    "@all",
    'a "quoted" word, and a comma',
    "fiancÃ©e",
    "10-Sep",
    "'",
    "…",
)


@pytest.mark.parametrize("cell", AWKWARD)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_cell_comes_out_as_it_is_in_the_file(tmp_path: Path, cell: str, end: str) -> None:
    path = write_csv(tmp_path / "law_test.csv", row(cell), row("Other?", ("a", cell, "c", "d")), end=end)
    first, second = read(path)
    assert isinstance(first, QuestionRecord)
    assert isinstance(second, QuestionRecord)
    assert first.text == cell
    assert second.options == ("a", cell, "c", "d")


def test_line_ends_may_mix_and_the_last_may_be_missing(tmp_path: Path) -> None:
    path = tmp_path / "law_test.csv"
    path.write_bytes(b"\xef\xbb\xbfOne?,a,b,c,d,A\r\nTwo?,a,b,c,d,B\n\nThree?,a,b,c,d,D")
    assert [(found.text, found.key) for found in read(path)] == [("One?", 0), ("Two?", 1), ("Three?", 3)]  # type: ignore[union-attr]


def test_a_bad_record_is_refused_by_number_and_line_and_the_rest_is_read(tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "law_test.csv",
        row("two\nlines"),
        ["too", "few"],
        row(key="E"),
        row("", OPTIONS),
        row("Last?", key="d"),
    )
    found = read(path)
    errors = [str(error) for error in found if isinstance(error, RecordError)]
    assert errors == [
        f"{path}, record 2 (line 3): cells=2: 6 are needed: question, four options, key",
        f"{path}, record 3 (line 4): key='E': A to D, a to d, or 0 to 3",
        f"{path}, record 4 (line 5): question='': must not be blank",
    ]
    assert [record.key for record in found if isinstance(record, QuestionRecord)] == [1, 3]


def test_a_quote_that_is_never_closed_does_not_swallow_the_file(tmp_path: Path) -> None:
    path = tmp_path / "law_test.csv"
    path.write_text('One?,a,b,c,d,A\n"Two?,a,b,c,d,B\nThree?,a,b,c,d,C\n')
    with pytest.raises(FileError, match="is broken in the record that starts at line 2"):
        read(path)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "law_test.csv"
    path.write_bytes(b"\n\n")
    with pytest.raises(FileError, match="holds no records"):
        read(path)


@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize(
    "header",
    [
        ["question", "choice0", "choice1", "choice2", "choice3", "answer"],
        ["Question", "A", "B", "C", "D", "Answer"],
        ["prompt", "option_a", "option_b", "option_c", "option_d", "key"],
    ],
)
def test_headers_are_known(tmp_path: Path, header: list[str], delimiter: str) -> None:
    path = write_csv(tmp_path / "law_dev.csv", header, row(key="0"), row("Two?", key="3"), delimiter=delimiter)
    assert [(r.text, r.options, r.key) for r in read(path)] == [("Which colour?", OPTIONS, 0), ("Two?", OPTIONS, 3)]  # type: ignore[union-attr]


def test_columns_may_stand_in_another_order_and_others_are_kept(tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "all_test.csv",
        ["answer", "D", "C", "B", "A", "question", "subject", "source"],
        ["B", "grey", "blue", "green", "red", "Which colour?", "art", "a book"],
        ["C", "grey", "blue", "green", "red", "Which other?", "law", ""],
    )
    first, second = read(path)
    assert isinstance(first, QuestionRecord)
    assert isinstance(second, QuestionRecord)
    assert (first.options, first.key, first.subject, first.extra) == (OPTIONS, 1, "art", {"source": "a book"})
    assert (second.subject, second.extra) == ("law", {})


def test_a_header_that_counts_its_choices_from_zero_says_so_for_the_keys(tmp_path: Path) -> None:
    header = ["question", "choice0", "choice1", "choice2", "choice3", "answer"]
    (found,) = read(write_csv(tmp_path / "law_dev.csv", header, row(key="2")))
    assert isinstance(found, QuestionRecord)
    assert found.key == 2


def test_numbers_that_may_count_from_one_are_asked_about(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "law_dev.csv", row(key="1"), row("Two?", key="4"))
    with pytest.raises(FileError, match="say --key-base"):
        read(path)
    assert [found.key for found in read(path, key_base=1)] == [0, 3]  # type: ignore[union-attr]
    zero = read(path, key_base=0)
    assert isinstance(zero[0], QuestionRecord)
    assert zero[0].key == 1
    assert isinstance(zero[1], RecordError)


def test_a_header_that_is_not_known_is_refused_with_those_that_are(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "law_dev.csv", ["question", "w", "x", "y", "z", "answer"], row())
    with pytest.raises(FileError, match="is no header that is known: question, choices, answer"):
        read(path)


@pytest.mark.parametrize(
    "cell",
    [
        "['red', 'green', 'blue', 'grey']",
        '["red", "green", "blue", "grey"]',
        "['red', \"green\", 'blue', 'grey']",
    ],
)
def test_a_list_of_choices_is_read_as_json_or_python(tmp_path: Path, cell: str) -> None:
    path = write_csv(tmp_path / "mmlu_law.csv", ["question", "choices", "answer"], ["Which?", cell, "0"])
    (found,) = read(path, split="test")
    assert isinstance(found, QuestionRecord)
    assert (found.options, found.key, found.subject) == (OPTIONS, 0, "law")


@pytest.mark.parametrize(
    "cell",
    [
        "red, green",
        "['red' 'green' 'blue' 'grey']",
        "[1, 2, 3, 4]",
        "__import__('os').getcwd()",
        "['a', 'b'",
        "[" * 5000,
    ],
)
def test_a_list_that_is_none_is_refused_and_never_run(tmp_path: Path, cell: str) -> None:
    path = write_csv(tmp_path / "mmlu_law.csv", ["question", "choices", "answer"], ["Which?", cell, "0"])
    (found,) = read(path, split="test")
    assert isinstance(found, RecordError)
    assert found.name in {"choices", "options"}


def test_a_subject_that_is_told_must_agree_with_the_records(tmp_path: Path) -> None:
    header = ["question", "A", "B", "C", "D", "answer", "subject"]
    path = write_csv(tmp_path / "x_test.csv", header, [*row(), "art"], [*row("Two?"), "law"])
    first, second = read(path, subject="art")
    assert isinstance(first, QuestionRecord)
    assert str(second).endswith("subject='law': --subject says 'art': leave it out")
