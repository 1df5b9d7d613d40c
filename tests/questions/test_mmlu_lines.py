"""JSON Lines: plain objects and prompts, cut where there is only one way to cut."""

from pathlib import Path

import pytest

from studies.questions.records import QuestionRecord, RecordError
from tests.questions.small_files import OPTIONS, read, write_lines

HEAD = "The following are multiple choice questions (with answers) about  law.\n\n"
PROMPT = HEAD + "Which\ncolour?\nA. red\nB. green\nC. blue\nD. grey\nAnswer:"


def test_a_prompt_is_cut_into_question_and_options(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "zero_shot_mmlu_val.json", {"subject": "law", "input": PROMPT, "output": "C"})
    (found,) = read(path)
    assert isinstance(found, QuestionRecord)
    assert (found.split, found.subject, found.text) == ("val", "law", "Which\ncolour?")
    assert (found.options, found.key, found.extra) == (OPTIONS, 2, {})


@pytest.mark.parametrize(
    "prompt",
    [
        PROMPT.replace("colour?", "colour?\nA. or B. "),
        PROMPT + " C\n\n" + PROMPT,
        PROMPT.replace("\nB. green\nC. blue", "\nC. blue\nB. green"),
        PROMPT.replace("\nD. grey", ""),
        PROMPT + " C",
    ],
)
def test_a_prompt_with_more_than_one_way_to_cut_is_refused(tmp_path: Path, prompt: str) -> None:
    (found,) = read(write_lines(tmp_path / "m_val.json", {"subject": "law", "input": prompt, "output": "C"}))
    assert isinstance(found, RecordError)
    assert found.name == "input"


def test_plain_objects_are_read_and_the_rest_of_them_is_kept(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "all_test.jsonl",
        {"question": "One \x85 two?", "choices": list(OPTIONS), "answer": 0, "subject": "law", "year": 2020},
        {"question": "Three?", "choices": list(OPTIONS), "answer": "D"},
    )
    first, second = read(path, subject="law")
    assert isinstance(first, QuestionRecord)
    assert isinstance(second, QuestionRecord)
    assert (first.text, first.key, first.subject, first.extra) == ("One \x85 two?", 0, "law", {"year": 2020})
    assert (second.key, second.subject) == (3, "law")


def test_lines_without_a_subject_ask_for_it(tmp_path: Path) -> None:
    (found,) = read(write_lines(tmp_path / "m_val.jsonl", {"question": "?", "choices": list(OPTIONS), "answer": "A"}))
    assert str(found).endswith("subject=None: neither the record nor the command tells it: say --subject")


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        "[1, 2]",
        '{"question": "?"}',
        '{"subject": 3, "question": "?", "choices": ["a", "b", "c", "d"], "answer": 0}',
        '{"subject": "s", "question": null, "choices": ["a", "b", "c", "d"], "answer": 0}',
        '{"subject": "s", "question": "?", "choices": "abcd", "answer": 0}',
        '{"subject": "s", "question": "?", "choices": ["a", "b", "c", 4], "answer": 0}',
        '{"subject": "s", "question": "?", "choices": ["a", "b", "c", "d"], "answer": 0.0}',
        '{"subject": "s", "question": "\\u0000", "choices": ["a", "b", "c", "d"], "answer": 0}',
        '{"subject": "s", "input": 3, "output": "A"}',
        "[" * 100_000,
    ],
)
def test_a_line_that_is_no_question_is_refused_by_number(tmp_path: Path, line: str) -> None:
    path = tmp_path / "m_val.jsonl"
    good = '{"subject": "s", "question": "?", "choices": ["a", "b", "c", "d"], "answer": "A"}'
    path.write_text(f"{good}\r\n\r\n{line}\n{good}")
    first, wrong, last = read(path)
    assert isinstance(first, QuestionRecord)
    assert isinstance(last, QuestionRecord)
    assert isinstance(wrong, RecordError)
    assert (wrong.origin.record, wrong.origin.detail) == (2, "line 3")
