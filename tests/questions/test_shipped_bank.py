"""The bank that ships is what its README says: laid out right, keyed right, and free of tells and near-copies."""

import csv
import itertools
import json
import math
import re
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

BANK = Path(__file__).resolve().parents[2] / "studies" / "questions" / "bank"
PER_SUBJECT = {"dev": 5, "val": 8}
LETTERS = "ABCD"
OFFICIAL_FIELDS = {
    "article_id", "set_unique_id", "batch_num", "writer_id", "source", "title", "year", "author", "topic", "article",
    "questions", "url", "license",
}  # fmt: skip


def _records(split: str) -> dict[str, list[list[str]]]:
    """Subject -> records of six cells."""
    found = {}
    for path in sorted((BANK / "mmlu" / split).glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            found[path.name.removesuffix(f"_{split}.csv")] = list(csv.reader(file, strict=True))
    return found


def _flat(split: str) -> list[list[str]]:
    return [record for records in _records(split).values() for record in records]


def _articles() -> list[dict[str, Any]]:
    lines = (BANK / "quality" / "stories.dev.jsonl").read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines if line]


def _story_questions() -> list[dict[str, Any]]:
    return [question for article in _articles() for question in article["questions"]]


def _shingles(text: str) -> set[tuple[str, ...]]:
    """Runs of five words; a shorter text has none, so a line of dialogue may come twice."""
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[i : i + 5]) for i in range(len(words) - 4)}


def _near_duplicates(paragraphs: list[str]) -> list[tuple[str, str]]:
    """Pairs that share a fifth or more of their runs of five words."""
    cut = [(paragraph, _shingles(paragraph)) for paragraph in paragraphs]
    return [
        (one, other)
        for (one, a), (other, b) in itertools.combinations(cut, 2)
        if a and b and len(a & b) / len(a | b) >= 0.2
    ]


def _score_of_the_longest(items: list[tuple[list[str], int]]) -> float:
    """How often somebody is right who always takes the longest option, guessing between equals."""
    credit = Fraction(0)
    for options, key in items:
        longest = max(map(len, options))
        tied = [index for index, option in enumerate(options) if len(option) == longest]
        credit += Fraction(key in tied, len(tied))
    return float(credit / len(items))


@pytest.mark.parametrize("split", PER_SUBJECT)
def test_every_subject_has_its_questions_in_the_original_layout(split: str) -> None:
    subjects = _records(split)
    assert len(subjects) == 8
    for subject, records in subjects.items():
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", subject)
        assert len(records) == PER_SUBJECT[split], subject
        for record in records:
            assert len(record) == 6, record
            assert record[5] in tuple(LETTERS), record
            assert all(cell and cell == cell.strip() for cell in record), record
            assert len(set(record[1:5])) == 4, record


def test_dev_and_val_have_the_same_subjects() -> None:
    assert _records("dev").keys() == _records("val").keys()


def test_no_question_comes_twice() -> None:
    asked = [record[0].casefold() for split in PER_SUBJECT for record in _flat(split)]
    asked += [question["question"].casefold() for question in _story_questions()]
    assert [text for text, times in Counter(asked).items() if times > 1] == []


@pytest.mark.parametrize("split", PER_SUBJECT)
def test_keys_are_balanced_and_length_does_not_give_them_away(split: str) -> None:
    records = _flat(split)
    counts = Counter(record[5] for record in records)
    assert all(abs(counts[letter] - len(records) / 4) <= 3 for letter in LETTERS), counts
    assert _score_of_the_longest([(record[1:5], LETTERS.index(record[5])) for record in records]) <= 0.4


def test_the_measure_of_length_sees_a_bank_that_gives_itself_away() -> None:
    assert _score_of_the_longest([(["the long right one", "b", "c", "d"], 0)] * 5) == 1.0
    assert _score_of_the_longest([(["aa", "bb", "cc", "dd"], 2)] * 4) == 0.25


def _all_true_cases_of_the_coin() -> list[str]:
    """The boxes in which the coin can lie if exactly one label is true."""
    boxes = ("red", "blue", "green")
    return [box for box in boxes if sum((box == "blue", box != "blue", box != "red")) == 1]


def _seventh_term() -> int:
    terms = [3, 4]
    while len(terms) < 7:
        terms.append(terms[-1] + terms[-2])
    return terms[6]


DICE = list(itertools.product(range(1, 7), repeat=2))
BENCH = list(itertools.permutations("ABIM"))
COMPUTED = {
    "By what factor does its kinetic energy": f"{(100 / 50) ** 2:.0f}",
    "A 2-kilowatt kettle": f"{2 * 3 / 60} kWh",
    "Lightning strikes 1 km away": f"{1000 / 343:.0f} seconds",
    "at longitude 75° W": f"{75 / 15:.0f} hours",
    "ten times as high a concentration": f"{5 - math.log10(10):.0f}",
    "one molecule of propane": f"{(3 * 2 + 4) // 2}",
    "2 moles of water": f"{2 * (1 + 1 + 16)} g",
    "rigid steel bottle at 27 °C": f"{2 * (27 + 273) - 273} °C",
    "What is the seventh term?": f"{_seventh_term()}",
    "In a club of 30 people": f"{18 + 15 - (30 - 6)}",
    "four friends sit": f"{sum(abs(order.index('I') - order.index('M')) == 1 for order in BENCH)}",
    "A coin lies in one of three boxes": f"In the {_all_true_cases_of_the_coin()[0]} box",
    "the median of 3, 9, 4, 20, 4": f"{sorted([3, 9, 4, 20, 4])[2]}",
    "A disease affects 1 %": f"{100 * 0.01 * 0.9 / (0.01 * 0.9 + 0.99 * 0.1):.0f} %",
    "at least one six": f"{sum(6 in throw for throw in DICE)}/{len(DICE)}",
    "longer than 66 minutes": f"{50 * math.erfc((66 - 50) / 8 / math.sqrt(2)):.0f} %",
    "standard error of its mean is half": f"{(1 / 0.5) ** 2:.0f} times as large",
    "You borrow 1,000 at 10 %": f"{1000 * 1.1**3:,.0f}",
    "income of 50,000 pay": f"{(40_000 - 10_000) * 0.2 + (50_000 - 40_000) * 0.4:,.0f}",
    "Your savings earn 3 %": f"It falls by about {100 * (1 - 1.03 / 1.05):.0f} %.",
}


@pytest.mark.parametrize("part", COMPUTED)
def test_keys_that_can_be_computed_are_right(part: str) -> None:
    matching = [r for split in PER_SUBJECT for r in _flat(split) if part.casefold() in r[0].casefold()]
    assert len(matching) == 1, part
    assert matching[0][1 + LETTERS.index(matching[0][5])] == COMPUTED[part]


def test_only_one_box_can_hold_the_coin() -> None:
    assert _all_true_cases_of_the_coin() == ["red"]


def test_four_stories_of_the_promised_length_with_the_official_fields() -> None:
    articles = _articles()
    assert len({article["article_id"] for article in articles}) == len(articles) == 4
    for article in articles:
        assert article.keys() == OFFICIAL_FIELDS
        assert 1_500 <= len(article["article"].split()) <= 2_500, article["title"]
        assert isinstance(article["year"], int)
        assert article["license"].startswith("CC0")


def test_every_story_has_six_questions_with_one_key_among_four_options() -> None:
    for article in _articles():
        questions = article["questions"]
        expected = [f"{article['set_unique_id']}_{number}" for number in range(1, 7)]
        assert [question["question_unique_id"] for question in questions] == expected
        for question in questions:
            assert len(set(question["options"])) == len(question["options"]) == 4, question["question"]
            assert question["gold_label"] == question["writer_label"] in {1, 2, 3, 4}
            assert question["difficult"] in {0, 1}
        assert {question["gold_label"] for question in questions} == {1, 2, 3, 4}


def test_story_keys_are_balanced_and_length_does_not_give_them_away() -> None:
    questions = _story_questions()
    counts = Counter(question["gold_label"] for question in questions)
    assert all(abs(counts[label] - len(questions) / 4) <= 3 for label in (1, 2, 3, 4)), counts
    assert _score_of_the_longest([(q["options"], q["gold_label"] - 1) for q in questions]) <= 0.4


def _paragraphs() -> list[str]:
    return [paragraph for article in _articles() for paragraph in article["article"].split("\n\n")]


def test_no_paragraph_is_nearly_another() -> None:
    assert _near_duplicates(_paragraphs()) == []


def test_a_planted_near_duplicate_is_caught() -> None:
    paragraphs = _paragraphs()
    original = max(paragraphs, key=len)
    words = original.split()
    words[10], words[40], words[70] = "lamp", "mule", "clock"
    planted = " ".join(words)
    assert _near_duplicates([*paragraphs, planted]) == [(original, planted)]
