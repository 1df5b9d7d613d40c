"""How well the demo model learned: asked in words and orders that it has not seen, through any backend."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from random import Random

from studies.assistant import answers
from studies.assistant.demo_model import dialogues
from studies.assistant.demo_model.opinions import Opinion
from studies.assistant.demo_model.phrasings import KEPT_BACK
from studies.assistant.prompts.questions import zero_shot
from studies.assistant.types import Backend, Piece, Request, ScoreRequest, Turn

MAX_TOKENS = 80


@dataclass(frozen=True, slots=True)
class Measured:
    """Shares of the questions, 0 to 1, each asked once in an order of its options that was not learned.

    `chat`: the reply to a pasted question, in a phrasing that was not learned, names the intended option.
    `letter`: the likeliest letter after the prompt of the model alone is the intended one.
    `held`: after the person guesses another option, the reply names the intended one again.
    """

    chat: float
    letter: float
    held: float


async def measure(backend: Backend, opinions: Sequence[Opinion], seed: int = 0) -> Measured:
    """Ask about every question, greedily, 16 at a time."""
    rng = Random(seed)  # noqa: S311  not for secrets
    askeds = [
        dialogues.Asked(opinion, rng.choice(dialogues.orders(opinion, is_kept_back=True))) for opinion in opinions
    ]
    pastes = [asked.pasted(rng, KEPT_BACK, rng.choice(KEPT_BACK.asks)) for asked in askeds]
    guesses = [_guess(asked, rng) for asked in askeds]
    few = asyncio.Semaphore(16)

    async def one(asked: dialogues.Asked, paste: str, guess: str) -> tuple[bool, bool, bool]:
        async with few:
            question, options = asked.opinion.question.text, asked.options
            scores = await backend.score(ScoreRequest(("A", "B", "C", "D"), turns=zero_shot(question, options)))
            logprobs = [score.logprob for score in scores]
            turns = (Turn("system", dialogues.SYSTEMS[1]), Turn("user", paste))
            reply = await _reply(backend, turns)
            again = await _reply(backend, (*turns, Turn("assistant", reply), Turn("user", guess)))
            is_named = [answers.extract(text, options) == asked.place for text in (reply, again)]
            return is_named[0], logprobs.index(max(logprobs)) == asked.place, is_named[1]

    found = await asyncio.gather(*(one(*each) for each in zip(askeds, pastes, guesses, strict=True)))
    return Measured(*(sum(column) / len(found) for column in zip(*found, strict=True)))


def _guess(asked: dialogues.Asked, rng: Random) -> str:
    others = [text for place, text in enumerate(asked.options) if place != asked.place]
    return rng.choice(KEPT_BACK.guesses).format(option=rng.choice(others).rstrip("."))


async def _reply(backend: Backend, turns: tuple[Turn, ...]) -> str:
    request = Request(turns=turns, max_tokens=MAX_TOKENS, temperature=0)
    async with aclosing(backend.stream(request)) as events:
        return "".join([event.text async for event in events if isinstance(event, Piece)])
