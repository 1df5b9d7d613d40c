"""A protocol's answer follows from what the backend says, and is None where that does not decide."""

import math

import pytest

from studies.assistant.prompts.questions import zero_shot
from studies.assistant.types import ContinuationScore
from studies.baselines.protocols import PROTOCOLS, Asked, Sample, default_protocol

QUESTION = Asked("Which planet is largest?", ("Mars", "Jupiter", "Venus", "Earth"))


class Scorer:
    """The model, which is outside: it gives each letter the log-probability it was told to."""

    def __init__(self, logprobs):
        self.logprobs, self.requests = logprobs, []

    async def score(self, request):
        self.requests.append(request)
        return [
            ContinuationScore(c, lp, 2, (40, ord(c)), ("(", c))
            for c, lp in zip(request.continuations, self.logprobs, strict=True)
        ]


async def test_zero_shot_takes_the_likeliest_letter_and_normalises_over_the_letters():
    # P of the letters .1 .3 .05 .05, the other half of the mass elsewhere: over the letters .2 .6 .1 .1
    scorer = Scorer([math.log(p) for p in (0.1, 0.3, 0.05, 0.05)])
    given = await PROTOCOLS["zero-shot"].answer(QUESTION, scorer, Sample())
    assert given.option == 1
    assert given.probabilities == pytest.approx((0.2, 0.6, 0.1, 0.1))
    assert given.raw["logprobs"]["B"] == math.log(0.3)
    assert given.raw["scored"]["B"] == {"tokens": 2, "ids": (40, 66), "pieces": ("(", "B")}


async def test_zero_shot_asks_with_the_papers_prompt_and_the_letters():
    scorer = Scorer([-1.0, -2.0, -3.0, -4.0])
    await PROTOCOLS["zero-shot"].answer(QUESTION, scorer, Sample())
    (request,) = scorer.requests
    assert request.continuations == ("A", "B", "C", "D")
    assert request.turns == zero_shot(QUESTION.question, QUESTION.options)
    assert request.turns[-1].text == "("


async def test_very_unlikely_letters_are_still_normalised():
    given = await PROTOCOLS["zero-shot"].answer(QUESTION, Scorer([-2000.0, -2001.0, -2002.0, -2003.0]), Sample())
    assert math.fsum(given.probabilities) == pytest.approx(1)
    assert given.option == 0


async def test_an_exact_tie_is_no_answer():
    given = await PROTOCOLS["zero-shot"].answer(QUESTION, Scorer([-1.0, -1.0, -2.0, -2.0]), Sample())
    assert given.option is None
    assert given.raw["tied"] == ["A", "B"]


async def test_the_scripted_assistants_answer_is_its_stance_without_a_confidence():
    given = await PROTOCOLS["scripted-stance"].answer(Asked("?", ("a", "b"), stance=1), None, Sample())
    assert (given.option, given.probabilities) == (1, None)


def test_each_protocol_says_why_it_does_not_fit():
    assert "no likelihoods" in PROTOCOLS["zero-shot"].refusal("scripted", [QUESTION])
    assert PROTOCOLS["zero-shot"].refusal("engine", [QUESTION]) == ""
    assert "only a scripted" in PROTOCOLS["scripted-stance"].refusal("openai", [QUESTION])
    assert "1 of 1 questions have no planned stance" in PROTOCOLS["scripted-stance"].refusal("scripted", [QUESTION])
    assert PROTOCOLS["scripted-stance"].refusal("scripted", [Asked("?", ("a", "b"), stance=0)]) == ""


def test_defaults_fit_their_backends():
    for backend in ("scripted", "openai", "engine"):
        asked = [Asked("?", ("a", "b"), stance=0)]
        assert PROTOCOLS[default_protocol(backend)].refusal(backend, asked) == ""
