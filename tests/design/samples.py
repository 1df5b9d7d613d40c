"""Study files and banks for the tests of the design."""

from studies.questions.models import Passage, Question, QuestionBank

STUDY_FILE = """
[study]
name = "little"
title = "A little study"
seed = 11
slots = 4
contact = "the author of this test"
expected_minutes = 5

[texts]
consent = "Do you agree?"
instructions = "Answer the questions."
debrief = "The assistant was scripted."
discloses_assistant = true

[questions.general]
bank = "facts"
split = "val"
count = 6
stratify = true

[questions.stories]
bank = "tales"
split = "dev"
count = 2
time_limit_seconds = 300

[conditions.alone]
assistance = "none"

[conditions.chat]
assistance = "chat"
assistant = "helper"
feedback = "immediate"

[assistants.helper]
backend = "scripted"
unreliability = "scripted"
accuracy = 0.5

[assignment]
method = "latin_square"
"""

# The assistant of STUDY_FILE as a model: replace its table by one of these.
SCRIPTED = '[assistants.helper]\nbackend = "scripted"\nunreliability = "scripted"\naccuracy = 0.5\n'
ENGINE = '[assistants.helper]\nbackend = "engine"\nbase_url = "http://127.0.0.1:8100/v1"\n'
REMOTE = '[assistants.helper]\nbackend = "openai"\nmodel = "m"\nbase_url = "https://api.example.com/v1"\n'


def changed(*pairs: tuple[str, str], text: str = STUDY_FILE) -> str:
    """The study file with texts replaced; each must be there."""
    for before, after in pairs:
        assert before in text, before
        text = text.replace(before, after)
    return text


def make_bank(name: str = "facts", *, split: str = "val", subjects: int = 3, each: int = 4) -> QuestionBank:
    """Questions without a passage: `each` of every subject; the key of question n is n % 4."""
    bank, _ = QuestionBank.objects.get_or_create(name=name, task="mmlu")
    Question.objects.bulk_create(
        Question(
            bank=bank,
            split=split,
            subject=f"subject_{subject}",
            content_hash=f"{name}-{split}-{subject}-{number}",
            text=f"What about {number}?",
            options=["one", "two", "three", "four"],
            key=(subject + number) % 4,
        )
        for subject in range(subjects)
        for number in range(each)
    )
    return bank


def make_stories(name: str = "tales", *, passages: int = 3, each: int = 3) -> QuestionBank:
    """`each` questions on every passage."""
    bank = QuestionBank.objects.create(name=name, task="quality")
    for place in range(passages):
        passage = Passage.objects.create(
            bank=bank,
            source_id=f"p{place}",
            title=f"Tale {place}",
            text="Once.",
            content_hash=f"{name}-passage-{place}",
        )
        Question.objects.bulk_create(
            Question(
                bank=bank,
                split="dev",
                passage=passage,
                content_hash=f"{name}-{place}-{number}",
                text=f"What about {number}?",
                options=["one", "two", "three", "four"],
                key=number % 4,
            )
            for number in range(each)
        )
    return bank


def make_banks() -> None:
    make_bank()
    make_stories()
