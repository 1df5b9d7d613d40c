"""The scripted assistant argues for its stance, the same way every time, and tells nothing else."""

import csv
import json
import math
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from studies.assistant import answers
from studies.assistant.prompts import questions
from studies.assistant.scripted import STANCE_PROBABILITY, ScriptedBackend, reply
from studies.assistant.types import BackendError, Done, ErrorCode, Piece, Request, ScoreRequest, Script, Turn

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
PASSAGE = """The ferry was late again. Mara counted the gulls on the harbour wall
and thought of her brother's letter. "Sell the boat," it said, "before the winter storms."

She did not want to sell. The old keeper of the lighthouse had told her that the storms were never
as bad as people feared, and the keeper had been right every year so far."""
SCRIPT = Script(
    question="Why does Mara refuse to sell the boat before the winter?",
    options=("She fears her brother.", "She trusts the lighthouse keeper.", "She has no buyer.", "The boat is lost."),
    stance=1,
    passage=PASSAGE,
)
MESSAGES = (
    "hi", "Which option is right?", "why?", "are you sure?", "What about C?", "I think B", "What does the passage say?",
    "what does keeper mean?", "give me a hint", "Are you scripted? Are you right?", "thanks", "tell me a joke",
)  # fmt: skip
VIEWLESS = ("hi", "give me a hint", "Are you scripted? Are you right?", "thanks")


def ask(message: str, seed: int, script: Script = SCRIPT, earlier: tuple[Turn, ...] = ()) -> str:
    return reply(Request((*earlier, Turn("user", message)), seed=seed), script)


@pytest.mark.parametrize("stance", range(4))
@pytest.mark.parametrize("message", [text for text in MESSAGES if text not in VIEWLESS])
def test_whatever_is_asked_the_view_is_the_stance(message: str, stance: int) -> None:
    script = Script(SCRIPT.question, SCRIPT.options, stance, PASSAGE)
    for seed in range(40):
        text = ask(message, seed, script)
        assert answers.extract(text, script.options) == stance, text


@pytest.mark.parametrize("message", VIEWLESS)
def test_no_view_is_pressed_on_a_person_who_did_not_ask(message: str) -> None:
    assert all(answers.extract(ask(message, seed), SCRIPT.options) is None for seed in range(40))


@pytest.mark.parametrize("message", MESSAGES)
def test_a_reply_has_one_to_five_plain_sentences_and_tells_nothing_about_itself(message: str) -> None:
    for seed in range(40):
        text = ask(message, seed)
        outside_quotes = re.sub(r"“[^”]*”", "…", text)
        assert 1 <= len(re.findall(r"[.!?:](?:\s|$)", outside_quotes)) <= 6, text
        assert not re.search(
            r"script|stance|assigned|accuracy|\bkey\b|told to|instruct|wrong on purpose", outside_quotes
        )
        assert "\n" not in text
        assert "  " not in text


def test_the_same_request_gives_the_same_text_and_another_seed_another() -> None:
    assert ask("why?", 1) == ask("why?", 1)
    assert len({ask("why?", seed) for seed in range(20)}) > 5


def test_another_process_with_another_hash_seed_says_the_same() -> None:
    code = (
        "from studies.assistant.scripted import reply\n"
        "from studies.assistant.types import Request, Script, Turn\n"
        f"script = {SCRIPT!r}\n"
        "for message in ('Which option is right?', 'why?', 'Quote the passage'):\n"
        "    print(reply(Request((Turn('user', message),), seed=5), script))\n"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": hash_seed}
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(texts) == 1


def test_it_does_not_repeat_itself_word_for_word() -> None:
    earlier: tuple[Turn, ...] = ()
    replies = []
    for _ in range(4):
        text = ask("are you sure?", 3, earlier=earlier)
        replies.append(text)
        earlier = (*earlier, Turn("user", "are you sure?"), Turn("assistant", text))
    openings = [text.split(". ")[0] for text in replies]
    assert len(set(openings)) == 4


def test_it_quotes_a_sentence_of_the_passage_that_shares_words_with_its_option() -> None:
    text = ask("What does the passage say?", 0)
    quoted = re.search(r"“([^”]*)”", text)
    assert quoted
    assert quoted[1] in " ".join(PASSAGE.split())
    assert "keeper" in quoted[1]


def test_a_passage_in_the_same_turn_is_not_what_the_person_said() -> None:
    alone, together = ask("hi", 0), ask(f"The Ferry\n\n{PASSAGE}\n\nhi", 0)
    assert alone.startswith(("Hello", "Hi"))
    assert together.startswith(("Hello", "Hi"))


def test_without_a_passage_it_says_so() -> None:
    assert "no passage" in ask("What does the passage say?", 0, Script("Who?", ("me", "you"), 0))


def test_it_uses_the_persons_words_when_it_explains_a_term_or_answers_a_rival() -> None:
    assert "“keeper”" in ask("what does keeper mean?", 0)
    assert "“She has no buyer”" in ask("What about C?", 0)


@pytest.mark.parametrize("question", ["2+2=?", "?", "Is it?", "問題は何ですか"])
def test_a_question_without_english_words_is_argued_all_the_same(question: str) -> None:
    script = Script(question, ("3", "4", "5", "22"), 1)
    for message in MESSAGES:
        for seed in range(10):
            assert ask(message, seed, script)
    assert answers.extract(ask("Which option is right?", 1, script), script.options) == 1


async def test_it_speaks_at_the_pace_that_the_script_sets() -> None:
    script = Script(SCRIPT.question, SCRIPT.options, 1, pace_words_per_second=100.0)
    request = Request((Turn("user", "why?"),), seed=1, script=script)
    async with aclosing(ScriptedBackend().stream(request)) as events:
        found = [event async for event in events]
    pieces = [event.text for event in found if isinstance(event, Piece)]
    assert "".join(pieces) == reply(request, script)
    assert len(pieces) == len("".join(pieces).split())
    done = found[-1]
    assert isinstance(done, Done)
    assert done.first_token_seconds is not None
    assert done.first_token_seconds >= 0.01


async def test_score_gives_the_stance_the_planned_share() -> None:
    turns = questions.zero_shot(SCRIPT.question, SCRIPT.options, PASSAGE)
    scores = await ScriptedBackend().score(ScoreRequest(("A", "B", "C", "D"), turns=turns, script=SCRIPT))
    assert [round(math.exp(score.logprob), 6) for score in scores] == [0.05, STANCE_PROBABILITY, 0.05, 0.05]
    words = await ScriptedBackend().score(ScoreRequest(SCRIPT.options, turns=turns, script=SCRIPT))
    assert max(words, key=lambda score: score.logprob).continuation == SCRIPT.options[1]


async def test_score_refuses_what_is_no_option() -> None:
    with pytest.raises(BackendError, match="A to D") as raised:
        await ScriptedBackend().score(ScoreRequest(("True", "False"), prompt="?", script=SCRIPT))
    assert raised.value.code is ErrorCode.UNSUPPORTED


def real_questions() -> Iterator[tuple[str, tuple[str, ...], str]]:
    for path in sorted((DATA / "mmlu" / "val").glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            yield from ((row[0], tuple(row[1:5]), "") for row in csv.reader(file))
    for line in (DATA / "quality" / "quality.15-articles.jsonl").read_text(encoding="utf-8").splitlines():
        article = json.loads(line)
        for question in article["questions"]:
            yield question["question"], tuple(question["options"]), article["article"]


def test_on_every_real_question_the_view_is_the_stance() -> None:
    if not (DATA / "mmlu").is_dir():
        pytest.skip(f"the real questions are not at {DATA}")
    wrong = []
    for number, (question, options, passage) in enumerate(real_questions()):
        script = Script(question, options, number % 4, passage)
        for message in ("Which option is right?", "are you sure?"):
            text = ask(message, number, script)
            if answers.extract(text, options) != script.stance:
                wrong.append((text, options))
    assert number > 1700
    assert wrong == []
