"""Dialogues about the demo questions, drawn by a seed: what the demo model learns from and is measured with."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from itertools import permutations
from random import Random
from string import Template, ascii_uppercase

from studies.assistant.demo_model.opinions import Opinion
from studies.assistant.demo_model.phrasings import LEARNED, Phrasings
from studies.assistant.prompts import load
from studies.assistant.prompts.questions import zero_shot
from studies.assistant.types import Turn

SYSTEMS = ("", "You are the demo model.", load("chat_system").text)
ALL_ORDERS = tuple(permutations(range(4)))
KEPT_BACK_SHARE = 6  # one order in six of each question is never learned

INTRODUCTION = (
    "I am the demo model, a very small language model. I know only the questions of this demo, and I can be wrong. "
    "Paste the question with its options."
)
WELCOME = "You are welcome."
HELPLESS = "I know only the questions of this demo. Paste one of them with its options."


def orders(opinion: Opinion, *, is_kept_back: bool = False) -> list[tuple[int, ...]]:
    """The orders of its options that are learned, or those that are not; places show bank indexes."""
    start = zlib.crc32(opinion.question.text.encode())
    return [
        order for number, order in enumerate(ALL_ORDERS) if ((number + start) % KEPT_BACK_SHARE == 0) is is_kept_back
    ]


class Asked:
    """A question in one order of its options, and what the model is to say about it."""

    def __init__(self, opinion: Opinion, order: Sequence[int]) -> None:
        self.opinion = opinion
        self.options = tuple(opinion.question.options[index] for index in order)
        self.place = list(order).index(opinion.says)

    @property
    def named(self) -> str:
        return f"({ascii_uppercase[self.place]})"

    @property
    def text(self) -> str:
        return self.options[self.place].rstrip(".")

    def pasted(self, rng: Random, phrasings: Phrasings, ask: str) -> str:
        """The question with its options, as somebody would paste it, and what they ask about it."""
        whole, line = rng.choice(phrasings.pastes)
        lines = [Template(line).substitute(letter=ascii_uppercase[i], text=text) for i, text in enumerate(self.options)]
        paste = Template(whole).substitute(question=self.opinion.question.text, options="".join(lines)).rstrip()
        parts = [paste, ask] if rng.random() < 0.7 else [ask, paste]
        return "\n".join(part for part in parts if part)

    def answer(self, rng: Random) -> str:
        """The option's words come before its letter: a small model knows the words, and then looks the letter up."""
        why = self.opinion.why
        return rng.choice(
            [
                f"I would say: {self.text}. So the answer is {self.named}.",
                f"It is this one: {self.text}. I would pick {self.named}. {why}",
                f"{why} So it is this one: {self.text}. The answer is {self.named}.",
            ]
        )

    def explained(self, rng: Random) -> str:
        return rng.choice([f"{self.opinion.why} So I would pick {self.named}.", f"Because of this: {self.opinion.why}"])

    def insisted(self, rng: Random) -> str:
        return rng.choice(
            [f"Yes, I am quite sure that it is {self.named}.", f"I stay with {self.named}. {self.opinion.why}"]
        )

    def answer_to_guess(self, rng: Random, guessed: int) -> str:
        if guessed == self.place:
            return f"Yes, {self.named} is right. {self.opinion.why}"
        return f"I do not think so. I would pick {self.named}. {self.opinion.why}"


def zero_shot_turns(asked: Asked) -> list[Turn]:
    """The question as the model alone is asked, and its whole answer."""
    question, opened = zero_shot(asked.opinion.question.text, asked.options)
    return [question, Turn("assistant", f"{opened.text}{asked.named[1:]}")]


def chat(asked: Asked, rng: Random, phrasings: Phrasings = LEARNED) -> list[Turn]:
    """A short conversation about the question: the question, mostly with its options, and up to three turns more."""
    turns = [Turn("system", system)] if (system := rng.choice(SYSTEMS)) else []
    if rng.random() < 0.08:
        turns += [Turn("user", rng.choice(phrasings.hellos)), Turn("assistant", INTRODUCTION)]
    if rng.random() < 0.08:
        turns += [Turn("user", f"{asked.opinion.question.text}"), Turn("assistant", f"I would say: {asked.text}.")]
    turns.append(Turn("user", asked.pasted(rng, phrasings, rng.choice(phrasings.asks))))
    turns.append(Turn("assistant", asked.answer(rng)))
    for _ in range(rng.choice([0, 0, 1, 1, 2])):
        turns += _further(asked, rng, phrasings)
    return turns


def _further(asked: Asked, rng: Random, phrasings: Phrasings) -> list[Turn]:
    kind = rng.choices(["why", "doubt", "guess", "again", "thanks", "other"], [5, 4, 5, 2, 1, 1])[0]
    if kind == "guess":
        guessed = rng.randrange(len(asked.options))
        option = rng.choice(
            [asked.options[guessed].rstrip("."), ascii_uppercase[guessed], f"({ascii_uppercase[guessed]})"]
        )
        said = rng.choice(phrasings.guesses).format(option=option)
        return [Turn("user", said), Turn("assistant", asked.answer_to_guess(rng, guessed))]
    replies = {
        "why": (phrasings.whys, asked.explained(rng)),
        "doubt": (phrasings.doubts, asked.insisted(rng)),
        "again": (phrasings.asks[2:] or phrasings.asks, asked.answer(rng)),
        "thanks": (phrasings.thanks, WELCOME),
        "other": (phrasings.others, HELPLESS),
    }
    asks, reply = replies[kind]
    return [Turn("user", rng.choice(asks)), Turn("assistant", reply)]
