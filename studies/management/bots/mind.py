"""What a bot answers: a pure function of (seed, slot, question, reply), never of timing.

A bot knows the answer alone with a probability around `alone`: people and questions differ by a normal step on the
logit. With a reply it follows the assistant's option with probability `follow`, else it keeps its own. With an
assistant that is right with probability A, the planted difference is follow × (A − alone).
"""

import hashlib
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from studies.assistant import answers

SPREAD = 0.5


@dataclass(frozen=True)
class Mind:
    """The parameters of all bots of one run."""

    seed: int
    alone: float
    follow: float

    @classmethod
    def planted(cls, *, seed: int, alone: float, gain: float, assistant_accuracy: float) -> "Mind":
        """The mind whose expected gain is `gain`; ValueError where the assistant is not good enough for it."""
        room = assistant_accuracy - alone
        if room <= 0 or not 0 <= gain / room <= 1:
            raise ValueError(
                f"--gain {gain:g}: with --alone {alone:g} and an assistant that is right on {assistant_accuracy:.0%} "
                f"of the questions, a gain from 0 to {max(0.0, room):.2f} can be planted"
            )
        return cls(seed, alone, gain / room)


@dataclass(frozen=True)
class Decision:
    option: int
    confidence: float


def _normal(*name: object) -> float:
    return random.Random(hashlib.sha256(repr(name).encode()).digest()).gauss(0, SPREAD)  # noqa: S311  not for secrets


def decide(
    mind: Mind, *, slot: int, question: str, options: Sequence[str], key: int, scale: Sequence[float], reply: str | None
) -> Decision:
    """The bot's answer and confidence. `reply` is None without an assistant."""
    rng = random.Random(hashlib.sha256(repr((mind.seed, slot, question, reply)).encode()).digest())  # noqa: S311
    logit = math.log(mind.alone / (1 - mind.alone)) + _normal(mind.seed, "slot", slot) + _normal("question", question)
    knows = rng.random() < 1 / (1 + math.exp(-logit))
    own = key if knows else rng.choice([index for index in range(len(options)) if index != key])
    advice = answers.extract(reply, options) if reply else None
    is_following = advice is not None and rng.random() < mind.follow
    chosen = advice if advice is not None and is_following else own
    # A person is surer of what they know, and surer still when the assistant says the same.
    sureness = 0.25 + 0.3 * (knows and chosen == own) + 0.3 * (advice == chosen) + rng.uniform(-0.25, 0.25)
    place = min(len(scale) - 1, max(0, round(sureness * (len(scale) - 1) / 0.85)))
    return Decision(chosen, scale[place])


def fill(mind: Mind, *, slot: int, choices: Mapping[str, Sequence[str]], areas: Sequence[str]) -> dict[str, str]:
    """The bot's survey, by field: one of the values that each choice has, "no answer" among them, and a sentence."""
    picked = {name: _pick(mind, slot, name, values) for name, values in choices.items()}
    return picked | dict.fromkeys(areas, f"I am the bot in slot {slot}.")


def _pick(mind: Mind, slot: int, name: str, values: Sequence[str]) -> str:
    rng = random.Random(hashlib.sha256(repr((mind.seed, slot, "survey", name)).encode()).digest())  # noqa: S311
    return rng.choice(values)
