"""The seeded killer: at random moments one part that is up goes down, and comes back after a short random wait."""

import asyncio
import random
import time
from collections import Counter

from tests.bench.chaos.diary import Diary
from tests.bench.chaos.setups import Target

# People must get on between the kills, on a slow machine too, or there is nothing to lose.
MEAN_PEACE_SECONDS = 1.2  # between two kills
MEAN_LIFE_SECONDS = 2.5  # for a part that came back
MOST_DOWN = 2  # parts at once
AMBUSH = 0.5  # share of the kills that wait for a command to go out, and hit within the time that it takes to commit
AMBUSH_SECONDS = 0.04


class Killer:
    def __init__(
        self, targets: list[Target], *, seed: int, diary: Diary, mean_life_seconds: float = MEAN_LIFE_SECONDS
    ) -> None:
        self.mean_life_seconds = mean_life_seconds
        self.targets, self.diary, self.rng = targets, diary, random.Random(f"killer:{seed}")
        self.kills = Counter[str]()
        self.ended = Counter[str]()

    async def run(self, kills: int) -> None:
        """Hit until there were so many kills, then return when every part is up again."""
        async with asyncio.TaskGroup() as returning:
            while self.kills.total() < kills:
                await asyncio.sleep(min(6.0, max(0.1, self.rng.expovariate(1 / MEAN_PEACE_SECONDS))))
                if self.rng.random() < AMBUSH:
                    await self._ambush()
                up = [each for each in self.targets if each.is_up and each.spared_until <= time.monotonic()]
                if not up or sum(not each.is_up for each in self.targets) >= MOST_DOWN:
                    continue
                target = self.rng.choices(up, [each.weight for each in up])[0]
                how = self.rng.choice(target.ways)
                target.is_up = False
                self.diary.note("down", service=target.part.name, how=how)
                await asyncio.to_thread(target.part.hit, how)
                self.kills[target.part.name] += 1
                returning.create_task(self._bring_back(target, self.rng.uniform(0.05, 1.2)))

    async def supervise(self) -> None:
        """What a service manager does: start again what ended by itself."""
        while True:
            await asyncio.sleep(0.3)
            for target in self.targets:
                process = getattr(target.part, "process", None)
                if target.is_up and process is not None and process.poll() is not None:
                    target.is_up = False
                    self.ended[target.part.name] += 1
                    self.diary.note("ended", service=target.part.name, code=process.returncode)
                    await self._bring_back(target, 0.2)

    async def _ambush(self) -> None:
        self.diary.sending.clear()
        try:
            async with asyncio.timeout(1):
                await self.diary.sending.wait()
        except TimeoutError:
            return  # nobody does anything: hit all the same
        await asyncio.sleep(self.rng.uniform(0, AMBUSH_SECONDS))

    async def _bring_back(self, target: Target, wait: float) -> None:
        await asyncio.sleep(wait)
        await asyncio.to_thread(target.part.start)
        self.diary.note("up", service=target.part.name)
        target.spared_until = time.monotonic() + self.rng.expovariate(1 / self.mean_life_seconds)
        target.is_up = True
