"""Many bots at once against a running server."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from studies.design.access import spec_of
from studies.design.models import Stance, Study
from studies.management.bots.bot import Bot, BotStuck, NoReply, Part
from studies.management.bots.mind import Mind
from studies.participant.entry import bot_pass


@dataclass(frozen=True)
class Crowd:
    """The bots' parts and the codes that they came back with."""

    parts: list[Part]

    async def play(self, *, at_once: int, trial_done: Callable[[], None] = lambda: None) -> list[str]:
        """Run every bot, at most `at_once` together; the completion codes in the order of the parts.

        Raises BotStuck for the first bot that could not go on, after the others have ended.
        """
        gate = asyncio.Semaphore(at_once)

        async def one(part: Part) -> str:
            async with gate, Bot(part, trial_done) as bot:
                return await bot.run()

        ended = await asyncio.gather(*(one(part) for part in self.parts), return_exceptions=True)
        for part, end in zip(self.parts, ended, strict=True):
            if isinstance(end, BaseException):
                kind = NoReply if isinstance(end, NoReply) else BotStuck
                words = str(end) if isinstance(end, BotStuck) else repr(end)
                raise kind(f"the bot in slot {part.slot}: {words}") from end
        return [str(code) for code in ended]


def known_keys(study: Study) -> dict[tuple[str, tuple[str, ...]], int]:
    """What the world knows: the key of each question of the study."""
    rows = study.manifest.select_related("question")
    return {(row.question.text, tuple(row.question.options)): row.question.key for row in rows}


def known_checks(study: Study) -> tuple[int, ...]:
    """Whoever has read the instructions knows the right option of each check question."""
    return tuple(check.options.index(check.correct) for check in spec_of(study).checks)


def assistant_accuracy(study: Study) -> float | None:
    """The share of questions whose planned stance is the key; None when no assistant has stances."""
    stances = list(Stance.objects.filter(assistant__study=study).select_related("question"))
    if not stances:
        return None
    return sum(stance.option == stance.question.key for stance in stances) / len(stances)


def make_crowd(*, study: Study, people: int, mind: Mind, url: str) -> Crowd:
    """The next `people` free slots, one bot each. ValueError when there are not so many."""
    free = list(study.slots.filter(is_taken=False).order_by("number").values_list("number", flat=True)[:people])
    if len(free) < people:
        raise ValueError(f"--people {people}: the study has {len(free)} free slots; use at most {len(free)}")
    keys, checks = known_keys(study), known_checks(study)
    path = f"/join/{study.join_code}/"
    return Crowd([Part(url, f"{path}?bot={bot_pass(study, slot)}", slot, mind, keys, checks) for slot in free])
