"""What a message wants, from a table of things that people type."""

import pytest

from studies.assistant.intents import Intent, read
from studies.assistant.types import Script

SCRIPT = Script(
    question="Which city has been the capital of France since the tenth century?",
    options=("Lyon", "Paris", "Marseille", "Berlin"),
    stance=1,
)


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("hi", Intent.GREETING),
        ("Hello there!", Intent.GREETING),
        ("Good morning", Intent.GREETING),
        ("thanks", Intent.THANKS),
        ("ok, thank you!", Intent.THANKS),
        ("Which option is right?", Intent.WHICH),
        ("which one should I choose", Intent.WHICH),
        ("What's the answer?", Intent.WHICH),
        ("Hi, what is the correct answer?", Intent.WHICH),
        ("help me please", Intent.WHICH),
        ("I'm not sure, which one is it?", Intent.WHICH),
        ("Which city has been the capital of France since the tenth century?", Intent.WHICH),
        ("capital of france since tenth century, which city", Intent.WHICH),
        ("Which city ...? (A) Lyon (B) Paris (C) Marseille (D) Berlin", Intent.WHICH),
        ("A or C?", Intent.WHICH),
        ("why?", Intent.WHY),
        ("Can you explain your reasoning?", Intent.WHY),
        ("Explain why", Intent.WHY),
        ("How do you know?", Intent.WHY),
        ("Why is it Paris?", Intent.WHY),
        ("are you sure?", Intent.DOUBT),
        ("Really?", Intent.DOUBT),
        ("How confident are you", Intent.DOUBT),
        ("I don't think so", Intent.DOUBT),
        ("Are you sure it is B?", Intent.DOUBT),
        ("no", Intent.DOUBT),
        ("Is it B?", Intent.AGREEMENT),
        ("I think Paris", Intent.AGREEMENT),
        ("What does the passage say?", Intent.PASSAGE),
        ("where does it say that in the text", Intent.PASSAGE),
        ("Any evidence for Paris?", Intent.PASSAGE),
        ("give me a hint", Intent.HINT),
        ("Don't tell me the answer, just a clue", Intent.HINT),
        ("Are you a bot?", Intent.IDENTITY),
        ("who are you", Intent.IDENTITY),
        ("Can I trust you?", Intent.IDENTITY),
        ("How often are you right?", Intent.IDENTITY),
        ("Do you know the correct answer?", Intent.IDENTITY),
        ("Are you scripted?", Intent.IDENTITY),
        ("tell me a joke", Intent.OTHER),
        ("asdf", Intent.OTHER),
        ("", Intent.OTHER),
    ],
)
def test_a_message_is_read(text: str, intent: Intent) -> None:
    assert read(text, SCRIPT).intent is intent


@pytest.mark.parametrize(
    ("text", "rival"),
    [
        ("What about C?", 2),
        ("what about c", 2),
        ("I think it's Lyon", 0),
        ("Why not (D)?", 3),
        ("isn't it marseille", 2),
        ("Are you sure it is not option A?", 0),
        ("The passage says Berlin", 3),
        ("A", 0),
    ],
)
def test_a_named_rival_is_noticed(text: str, rival: int) -> None:
    message = read(text, SCRIPT)
    assert (message.intent, message.rival) == (Intent.RIVAL, rival)


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("What does capital mean?", "capital"),
        ("what is a tenth century", "tenth century"),
        ("Define capital", "capital"),
        ("meaning of century?", "century"),
    ],
)
def test_a_term_is_noticed(text: str, term: str) -> None:
    message = read(text, SCRIPT)
    assert (message.intent, message.term) == (Intent.TERM, term)


@pytest.mark.parametrize("text", ["What is the answer?", "explain this", "What is your reason?", "explain"])
def test_not_every_what_asks_for_a_term(text: str) -> None:
    assert read(text, SCRIPT).intent is not Intent.TERM
