"""A small study for tests: two banks of made-up questions, two conditions, the scripted assistant."""

from datetime import UTC, datetime

from studies.design import operations as design
from studies.design.models import Study
from studies.questions.models import Passage, Question, QuestionBank
from tests.small_tables import CHECKS as CHECKS
from tests.small_tables import SURVEY as SURVEY

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
WORDS = ("amber", "birch", "cedar", "dune", "ember", "fjord", "grove", "heath", "islet", "jetty", "knoll", "ledge")

STUDY_FILE = """
[study]
name = "small"
title = "A small study"
seed = 5
slots = 8
contact = "the test's author"
expected_minutes = 5

[texts]
consent = "You take part in a **test**. You can stop at any time."
instructions = "Answer the questions. The assistant can be wrong."
debrief = "The assistant followed a script and was wrong on purpose on some questions."
discloses_assistant = true

[questions.short]
bank = "small-mmlu"
split = "val"
count = 4
time_limit_seconds = 0

[questions.stories]
bank = "small-quality"
split = "dev"
count = 2
time_limit_seconds = 300

[conditions.alone]
assistance = "none"
feedback = "immediate"

[conditions.chat]
assistance = "chat"
assistant = "helper"
feedback = "immediate"

[assistants.helper]
backend = "scripted"
accuracy = 0.5
words_per_second = 0
unreliability = "scripted"

[assignment]
method = "latin_square"

[analysis]
primary_baseline = "scripted-stance"
"""


def make_banks() -> None:
    """Twelve short questions and two passages with three questions each; the key of question n is n % 4."""
    mmlu = QuestionBank.objects.create(name="small-mmlu", task="mmlu")
    Question.objects.bulk_create(_question(mmlu, "val", number, None) for number in range(12))
    quality = QuestionBank.objects.create(name="small-quality", task="quality")
    for place in range(2):
        passage = Passage.objects.create(
            bank=quality,
            source_id=f"story-{place}",
            title=f"Story {place}",
            text=f"Once there was a {WORDS[place]}.\n\nIt met a {WORDS[place + 2]} and they spoke at length.",
            content_hash=f"passage{place}",
        )
        Question.objects.bulk_create(_question(quality, "dev", 20 + place * 3 + n, passage) for n in range(3))


def _question(bank: QuestionBank, split: str, number: int, passage: Passage | None) -> Question:
    first = number % len(WORDS)
    return Question(
        bank=bank,
        split=split,
        subject=f"subject_{number % 2}",
        content_hash=f"hash{number}",
        source_id=f"q{number}",
        passage=passage,
        text=f"Which word stands at place {number}?",
        options=[WORDS[(first + step) % len(WORDS)] for step in range(4)],
        key=number % 4,
    )


def make_study(*, now: datetime = NOW, more: str = "", **overrides: object) -> Study:
    """A launched small study; overrides are dotted keys with `__` for the dot, such as questions__short__count=2.

    `more`: further tables of the study file, such as CHECKS and SURVEY.
    """
    if not QuestionBank.objects.filter(name="small-mmlu").exists():
        make_banks()
    changes = {key.replace("__", "."): value for key, value in overrides.items()}
    study = design.create_study(spec_text=STUDY_FILE + more, overrides=changes, now=now)
    design.launch_study(study_id=study.pk, now=now)
    study.refresh_from_db()
    return study
