"""What the scripted assistant says: one to five sentences for its stance, made of the question's own words.

It knows no facts and no key. Its reasons point at the wording, at the other options and at sentences of the passage
that share words with its option, and they sound the same whether the option is right or wrong. Whoever edits these
sentences keeps that so, does not let them tell how the reply was made, and lets `answers.extract` find the stance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from string import ascii_uppercase

from studies.assistant.intents import Intent, Message
from studies.assistant.types import Script
from studies.assistant.wording import key_words, shortened, supporting_sentences


@dataclass(frozen=True, slots=True)
class Argument:
    """One reply in the making. `said` is what the assistant has said before, so that it does not repeat itself."""

    script: Script
    message: Message
    random: Random
    said: str

    def text(self) -> str:
        """The whole reply, as plain text."""
        return " ".join(_REPLIES[self.message.intent](self))

    @property
    def letter(self) -> str:
        return f"({ascii_uppercase[self.script.stance]})"

    @property
    def option(self) -> str:
        return _quoted(self.script.options[self.script.stance])

    @property
    def rival(self) -> str:
        """The option that the person named, or one of the others."""
        named = self.message.rival
        others = [index for index in range(len(self.script.options)) if index != self.script.stance]
        return _quoted(self.script.options[self.random.choice(others) if named is None else named])

    @property
    def topic(self) -> str:
        """What the question is about, in its own words."""
        words = key_words(self.script.question, self.script.options)[:3]
        return _quoted(self.random.choice(words)) if words else "what is asked"

    def pick(self, sentences: Iterable[str]) -> str:
        """One of the sentences by chance, rather one that was not said yet."""
        every = list(sentences)
        return self.random.choice([sentence for sentence in every if sentence not in self.said] or every)

    def reasons(self, count: int) -> list[str]:
        """That many different reasons; a quotation from the passage comes first where one supports the stance."""
        found = [self.quotation()] if self.script.passage else []
        pool = [
            f"The question turns on {self.topic}, and {self.option} speaks to that most directly.",
            f"It asks about {self.topic}, and {self.option} fits that wording better than {self.rival} does.",
            f"{self.rival} looks close at first, but it leaves {self.topic} unexplained.",
            f"When I put each option into the question in turn, {self.option} leaves the least open.",
            f"Compared with {self.rival}, {self.option} needs fewer extra assumptions.",
            f"The other options each miss a part of what is asked about {self.topic}.",
            f"If {self.rival} were meant, I would expect the question to put {self.topic} differently.",
        ]
        fresh = [reason for reason in pool if reason not in self.said] or pool
        self.random.shuffle(fresh)
        return [reason for reason in [*found, *fresh] if reason][:count]

    def quotation(self) -> str:
        """A sentence of the passage that shares words with the stance; empty where none does or all were quoted."""
        script = self.script
        support = supporting_sentences(script.passage, script.options[script.stance], script.question)
        fresh = [sentence for sentence in support if sentence not in self.said]
        if not fresh:
            return ""
        return f"{self.pick(('The passage says', 'Look at this sentence', 'There is this line'))}: “{fresh[0]}”"


def _quoted(text: str) -> str:
    return f"“{shortened(text)}”"


def _which(say: Argument) -> list[str]:
    opening = say.pick(
        (
            f"I would go with {say.letter} {say.option}.",
            f"I would choose {say.letter} {say.option}.",
            f"The best choice is {say.letter} {say.option}, as I see it.",
            f"My answer is {say.letter} {say.option}.",
            f"I think it is {say.letter} {say.option}.",
        )
    )
    return [opening, *say.reasons(say.random.choice((1, 2)))]


def _why(say: Argument) -> list[str]:
    closing = say.pick(
        (
            f"That is why I would stay with {say.letter}.",
            f"Taken together, I would choose {say.letter}.",
            f"So I would still go with {say.letter}.",
        )
    )
    return [*say.reasons(2), closing]


def _doubt(say: Argument) -> list[str]:
    opening = say.pick(
        (
            f"I went through it once more, and I would still choose {say.letter} {say.option}.",
            f"I see no reason to change my mind: I would stay with {say.letter}.",
            f"It is fair to ask. Having compared the options again, I would stick with {say.letter} {say.option}.",
            f"I could be mistaken, but I would still go with {say.letter}.",
        )
    )
    return [opening, *say.reasons(1)]


def _rival(say: Argument) -> list[str]:
    opening = say.pick(
        (
            f"I can see why {say.rival} comes to mind, but I would choose {say.letter} {say.option}.",
            f"I considered {say.rival} too. I would still go with {say.letter} {say.option}.",
            f"{say.rival} has something to it. On balance I would stay with {say.letter} {say.option}.",
        )
    )
    contrast = say.pick(
        (
            f"What {say.rival} leaves open is {say.topic}.",
            f"{say.rival} would fit a slightly different question, one that is less about {say.topic}.",
            f"With {say.rival}, I do not see how {say.topic} is accounted for.",
        )
    )
    return [opening, contrast, *say.reasons(1)]


def _agreement(say: Argument) -> list[str]:
    opening = say.pick(
        (
            f"Yes, I would choose {say.letter} as well.",
            f"That is how I see it too: I would go with {say.letter} {say.option}.",
            f"I agree, and I would say {say.letter}.",
        )
    )
    return [opening, *say.reasons(1)]


def _passage(say: Argument) -> list[str]:
    if not say.script.passage:
        opening = "I have no passage for this question, so I go by its wording."
    else:
        opening = say.quotation() or "No single sentence settles it; I go by the passage as a whole."
    reading = say.pick(
        (
            f"I read that as pointing to {say.letter} {say.option}.",
            f"For me that speaks for {say.letter} {say.option}.",
            f"To my mind that goes best with {say.letter} {say.option}.",
        )
    )
    return [opening, reading, f"So I would choose {say.letter}."]


def _term(say: Argument) -> list[str]:
    term = _quoted(say.message.term)
    reading = say.pick(
        (
            f"I take {term} here in the sense that the question gives it, next to {say.topic}.",
            f"Here {term} is best read together with {say.topic}, as the question uses it.",
            f"I would read {term} the way it is commonly used, in connection with {say.topic}.",
        )
    )
    return [reading, f"With that reading I would go with {say.letter} {say.option}."]


def _hint(say: Argument) -> list[str]:
    return [
        say.pick(
            (
                f"Look closely at {say.topic}, and ask of each option whether it really speaks to that.",
                f"Try to leave out the options that would still fit if the question did not mention {say.topic}.",
                f"Start from {say.topic}, and compare the options one by one with it.",
            )
        )
    ]


def _identity(say: Argument) -> list[str]:
    return [
        "I am the assistant for this question.",
        say.pick(
            (
                "I can make mistakes, so please weigh what I say and decide for yourself.",
                "Take what I say as one opinion: it may be right or wrong, and the decision is yours.",
            )
        ),
    ]


def _greeting(say: Argument) -> list[str]:
    return [
        say.pick(("Hello!", "Hi!", "Hello, good to meet you.")),
        say.pick(
            (
                "What would you like to know about the question?",
                "Ask me about the question, and I will tell you how I see it.",
            )
        ),
    ]


def _thanks(say: Argument) -> list[str]:
    return [say.pick(("You are welcome.", "My pleasure.", "Gladly.")), "Is there anything else about the question?"]


def _other(say: Argument) -> list[str]:
    opening = say.pick(("Let me come back to the question.", "I can help you best with the question on your page."))
    return [opening, f"There I would go with {say.letter} {say.option}.", *say.reasons(1)]


_REPLIES: dict[Intent, Callable[[Argument], list[str]]] = {
    Intent.WHICH: _which,
    Intent.WHY: _why,
    Intent.DOUBT: _doubt,
    Intent.RIVAL: _rival,
    Intent.AGREEMENT: _agreement,
    Intent.PASSAGE: _passage,
    Intent.TERM: _term,
    Intent.HINT: _hint,
    Intent.IDENTITY: _identity,
    Intent.GREETING: _greeting,
    Intent.THANKS: _thanks,
    Intent.OTHER: _other,
}
