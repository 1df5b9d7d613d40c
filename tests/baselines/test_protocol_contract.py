"""What every protocol promises, with the random model and with models that misbehave on purpose."""

import math
import re
from pathlib import Path

import pytest

from studies.assistant import prompts
from studies.assistant.prompts.questions import zero_shot
from studies.assistant.types import BackendError, ContinuationScore, Done, ErrorCode, FinishReason, Piece, Usage
from studies.baselines.protocols import PROTOCOLS, Asked, Given, Sample, Shot
from studies.design import spec

README = Path(__file__).parents[2] / "README.md"
WITH_MODEL = [name for name, each in PROTOCOLS.items() if each.needs_backend]
WRITTEN = ["free-text", "frequencies"]
SHOTS = tuple(Shot(f"Worked {number}?", ("a", "b", "c", "d"), number % 4) for number in range(5))
QUESTION = Asked("Which planet is largest?", ("Mars", "Jupiter", "Venus", "Earth"), subject="the_planets")
TWINS = Asked("Which one?", ("same", "same", "same", "same"), subject="twins")


class Fake:
    """A model that always writes `text` and likes the letters in `likes`; it keeps what it was asked."""

    name = "fake"

    def __init__(self, text: str = "", likes: tuple[float, ...] = (0.1, 0.6, 0.2, 0.1), can_score: bool = True) -> None:
        self.text, self.likes, self.can_score = text, likes, can_score
        self.requests, self.scored = [], []

    async def stream(self, request):
        self.requests.append(request)
        for word in self.text.split(" ") if self.text else []:
            yield Piece(word + " ")
        yield Done(FinishReason.STOP, Usage(10, len(self.text.split())), "fake")

    async def score(self, request):
        if not self.can_score:
            raise BackendError(ErrorCode.NO_LOGPROBS, "no")
        self.scored.append(request)
        return [ContinuationScore(c, math.log(p), 1) for c, p in zip(request.continuations, self.likes, strict=False)]


def shown(name: str, asked: Asked) -> Asked:
    return Asked(asked.question, asked.options, subject=asked.subject, shots=SHOTS[: PROTOCOLS[name].shots])


async def answered(name: str, backend, asked: Asked = QUESTION, number: int = 0) -> Given:
    return await PROTOCOLS[name].answer(shown(name, asked), backend, Sample(number, 7 + number))


@pytest.mark.parametrize("name", WITH_MODEL)
@pytest.mark.parametrize("asked", [QUESTION, TWINS], ids=["a question", "options with identical text"])
async def test_an_answer_is_an_option_or_none_and_its_shares_add_up(name, asked, in_process):
    given = await answered(name, in_process, asked)
    assert given.option is None or 0 <= given.option < 4
    if given.probabilities is not None:
        assert math.fsum(given.probabilities) == pytest.approx(1)
        if given.option is not None:
            assert given.probabilities[given.option] == max(given.probabilities)


@pytest.mark.parametrize("name", [name for name in WITH_MODEL if name not in WRITTEN])
async def test_the_same_seed_gives_the_same_answer(name, in_process):
    assert await answered(name, in_process) == await answered(name, in_process)


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize(
    "text",
    ["", "I am sorry, but I cannot help with that.", "E", "(E)", "The answer is E.", "Either (A) or (B).", "   "],
    ids=["empty", "refusal", "E", "bracketed E", "declared E", "two", "blanks"],
)
async def test_what_names_no_option_is_none_and_kept(name, text):
    given = await answered(name, Fake(text))
    assert given.option is None
    assert given.raw["text"].strip() == text.strip()


@pytest.mark.parametrize("name", WRITTEN)
async def test_what_names_one_option_is_that_option(name):
    assert (await answered(name, Fake("(B)"))).option == 1
    assert (await answered(name, Fake("The answer is Jupiter."))).option == 1


@pytest.mark.parametrize("name", WRITTEN)
async def test_a_letter_decides_between_options_of_the_same_text_and_their_text_does_not(name):
    assert (await answered(name, Fake("(C)"), TWINS)).option == 2
    assert (await answered(name, Fake("same"), TWINS)).option is None


async def test_a_chain_of_thought_is_shown_to_the_model_before_it_chooses():
    fake = Fake("Jupiter is huge.")
    given = await answered("chain-of-thought", fake)
    thinking, choosing = fake.requests[0].turns, fake.scored[0].turns
    assert thinking[0].text.endswith("Answer:\n\nLet's think step by step.")
    assert (fake.requests[0].temperature, fake.requests[0].seed) == (1.0, 7)
    assert [turn.role for turn in choosing] == ["user", "assistant", "user", "assistant"]
    assert choosing[1].text.strip() == "Jupiter is huge."
    assert choosing[2].text == prompts.load("chain_of_thought_choice").text
    assert (given.option, given.raw["text"].strip()) == (1, "Jupiter is huge.")


async def test_a_chain_of_thought_without_likelihoods_is_read_from_a_written_choice():
    fake = Fake("The answer is (C).", can_score=False)
    given = await answered("chain-of-thought", fake)
    assert (given.option, given.probabilities) == (2, None)
    assert given.raw["usage"] == {"prompt": 20, "completion": 8}


async def is_refused(call) -> bool:
    """Whether an endpoint without log-probabilities ends this call."""
    try:
        await call
    except BackendError as error:
        return error.code is ErrorCode.NO_LOGPROBS
    return False


async def test_the_study_files_list_of_protocols_by_letters_is_what_they_do():
    by_letters, rated = set(), set()
    for name, protocol in PROTOCOLS.items():
        if not protocol.needs_backend:
            continue
        if await is_refused(answered(name, Fake("(B)", can_score=False))):
            by_letters |= {name, *(f"{name}-{each}" for each in protocol.combinations)}
        if protocol.scored_combinations:
            given = await answered(name, Fake("(B)"))
            assert await is_refused(protocol.scored(QUESTION, given, Fake(can_score=False)))
            rated |= {f"{name}-{each}" for each in protocol.scored_combinations}
    assert (by_letters, rated) == (spec.BY_LETTERS, spec.RATED_BY_LETTERS)
    assert by_letters | rated <= set(spec.PROTOCOLS)


def test_the_readme_names_the_protocols_by_letters():
    [line] = [each for each in README.read_text().splitlines() if each.startswith("| letter log-probabilities |")]
    listed, _, _ = line.partition(", and it cannot rate")
    assert {word for word in spec.PROTOCOLS if re.search(rf"(?<![\w-]){word}(?![\w-])", listed)} == {
        name for name in spec.BY_LETTERS if name in PROTOCOLS
    }


async def test_an_empty_chain_of_thought_is_no_answer():
    assert (await answered("chain-of-thought", Fake(""))).option is None


async def test_a_scorer_reads_question_reasoning_and_choice_and_rates_them():
    given = await answered("chain-of-thought", Fake("Jupiter is huge."))
    scorer = Fake()
    scorer.likes = (0.3, 0.7)
    rated = await PROTOCOLS["chain-of-thought"].scored(QUESTION, given, scorer)
    (request,) = scorer.scored
    assert request.continuations == ("A", "B")
    assert "Which planet is largest?" in request.turns[0].text
    assert "Jupiter is huge. \n\nProposed Answer: (B) Jupiter\n" in request.turns[0].text
    assert (rated.option, rated.raw["score"]) == (1, pytest.approx(0.3))


async def test_a_random_model_rates_a_sample_the_same_each_time(in_process):
    given = Given(1, None, {"text": "Jupiter is huge."})
    one, other = [await PROTOCOLS["chain-of-thought"].scored(QUESTION, given, in_process) for _ in range(2)]
    assert 0 < one.raw["score"] < 1
    assert one == other
    assert one.raw["scorer_usage"]["prompt"] > 20


async def test_a_scorer_is_not_asked_about_a_sample_without_an_answer():
    scorer = Fake()
    silent = Given(None, None, {"text": ""})
    assert await PROTOCOLS["chain-of-thought"].scored(QUESTION, silent, scorer) == silent
    assert scorer.scored == []


def test_the_best_of_n_is_the_sample_with_the_highest_score():
    best = PROTOCOLS["chain-of-thought"].scored_combinations["best-of-n"]
    samples = [Given(1, None, {"score": 0.2}), Given(1, None, {"score": 0.2}), Given(2, None, {"score": 0.9})]
    assert best(samples, 4).option == 2
    assert best([*samples, Given(None, None, {})], 4).raw == {"score": 0.9, "unscored": 1}
    assert best([*samples, Given(3, None, {"score": 0.9})], 4).option is None
    assert best([*samples, Given(2, None, {"score": 0.9})], 4).option == 2
    assert best([Given(None, None, {})], 4).option is None


async def test_rotations_give_every_option_every_place_and_find_a_model_that_likes_a_place():
    fake = Fake()
    samples = [await answered("rotations", fake, number=number) for number in range(4)]
    assert [given.option for given in samples] == [1, 2, 3, 0]
    assert {given.raw["place"] for given in samples} == {"B"}
    firsts = [request.turns[0].text.split("(A) ")[1].split("\n")[0] for request in fake.scored]
    assert firsts == list(QUESTION.options)
    whole = PROTOCOLS["rotations"].combinations["mean"](samples, 4)
    assert whole.probabilities == pytest.approx((0.25,) * 4)


async def test_rotations_of_a_model_that_knows_the_answer_agree():
    class Knows(Fake):
        async def score(self, request):
            lines = request.turns[0].text.split("\n")[2:6]
            self.likes = tuple(0.7 if "Jupiter" in line else 0.1 for line in lines)
            return await super().score(request)

    samples = [await answered("rotations", Knows(), number=number) for number in range(4)]
    assert {given.option for given in samples} == {1}
    whole = PROTOCOLS["rotations"].combinations["mean"](samples, 4)
    assert (whole.option, whole.probabilities) == (1, pytest.approx((0.1, 0.7, 0.1, 0.1)))


async def test_p_true_shows_each_option_as_the_proposed_answer():
    class Doubts(Fake):
        async def score(self, request):
            is_right = "Proposed Answer: (B) Jupiter" in request.turns[0].text
            self.likes = (0.8, 0.2) if is_right else (0.2, 0.8)
            return await super().score(request)

    fake = Doubts()
    given = await answered("p-true", fake)
    assert given.raw["p_true"] == pytest.approx([0.2, 0.8, 0.2, 0.2])
    assert (given.option, given.probabilities[1]) == (1, pytest.approx(0.8 / 1.4))
    assert [request.continuations for request in fake.scored] == [("A", "B")] * 4
    assert fake.scored[0].turns[0].text.endswith("The proposed answer is:")


async def test_five_examples_are_turns_of_their_own():
    fake = Fake()
    await answered("5-shot", fake)
    (request,) = fake.scored
    assert len(request.turns) == 12
    assert request.turns[0] == zero_shot("Worked 0?", ("a", "b", "c", "d"))[0]
    assert [turn.text for turn in request.turns[1:10:2]] == ["(A)", "(B)", "(C)", "(D)", "(A)"]
    assert request.turns[10:] == zero_shot(QUESTION.question, QUESTION.options)


async def test_the_harness_layout_is_plain_text_to_the_space():
    fake = Fake()
    await answered("lm-eval-5-shot", fake)
    (request,) = fake.scored
    head = "The following are multiple choice questions (with answers) about the planets.\n\n"
    assert request.prompt.startswith(head + "Worked 0?\nA. a\nB. b\nC. c\nD. d\nAnswer: A\n\nWorked 1?\n")
    assert request.prompt.endswith("Which planet is largest?\nA. Mars\nB. Jupiter\nC. Venus\nD. Earth\nAnswer:")
    assert request.continuations == (" A", " B", " C", " D")


@pytest.mark.parametrize("name", ["frequencies", "chain-of-thought"])
def test_the_majority_counts_only_what_was_said(name):
    def votes(*options):
        return PROTOCOLS[name].combinations["majority"]([Given(option, None) for option in options], 4)

    whole = votes(1, 1, 2, None)
    assert (whole.option, whole.raw["silent"]) == (1, 1)
    assert whole.probabilities == pytest.approx((0, 2 / 3, 1 / 3, 0))
    assert votes(1, 2).option is None
    assert votes(1, 2).raw["tied"] == ["B", "C"]
    assert votes(None, None) == Given(None, None, {"votes": dict.fromkeys("ABCD", 0), "silent": 2})


@pytest.mark.parametrize("name", list(PROTOCOLS))
def test_each_protocol_refuses_what_it_cannot_do_in_words(name):
    protocol = PROTOCOLS[name]
    backend = "engine" if protocol.needs_backend else "scripted"
    assert protocol.refusal(backend, [Asked("?", ("a", "b", "c", "d"), stance=1)]) == ""
    other = "scripted" if protocol.needs_backend else "engine"
    assert "use --protocol" in protocol.refusal(other, [QUESTION])


@pytest.mark.parametrize(
    ("name", "asked", "words"),
    [
        ("5-shot", Asked("?", ("a", "b"), passage="Once."), "1 of 1 questions have a passage"),
        ("lm-eval-5-shot", Asked("?", ("a", "b"), passage="Once."), "1 of 1 questions have a passage"),
        ("rotations", Asked("?", ("a", "b")), "1 of 1 questions do not have 4 options"),
    ],
)
def test_questions_that_do_not_fit_a_protocol_are_named(name, asked, words):
    assert words in PROTOCOLS[name].refusal("engine", [asked])


@pytest.mark.parametrize("name", WITH_MODEL)
def test_every_prompt_is_versioned(name):
    found = PROTOCOLS[name].prompts(QUESTION)
    assert found
    assert all(prompt.version >= 1 and len(prompt.sha256) == 64 for prompt in found)
