"""One profile from start to verdict: bots, killer, supervisor, calm, and the check of the rows."""

import asyncio
import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.chaos import parts, setups
from tests.bench.chaos.diary import Diary
from tests.bench.chaos.killer import MEAN_LIFE_SECONDS, Killer
from tests.bench.chaos.parts import Process
from tests.bench.chaos.person import Person
from tests.bench.chaos.setups import Setup
from tests.running import ROOT

PROFILES = {"sqlite": setups.embedded, "postgres": setups.scaled}
STALE_SECONDS = float(setups.SETTINGS["REPLY_STALE_SECONDS"])
SHORT_LIFE_SECONDS = 1.0
CALM_SECONDS = 150.0  # six questions take a minute without chaos; a lost baseline's job is taken back after 30 s


@dataclass(frozen=True)
class Plan:
    """What to play. `engine_url` is where the model answers, if `start_engine` is given; `stub_url` the model alone.

    `is_short`: half the questions with half the time, parts that are hit soon again, and no model alone.
    """

    profile: str
    folder: Path
    kills: int
    seed: int
    bots: int
    start_engine: Callable[[], Process] | None
    engine_url: str
    stub_url: str
    is_short: bool = False


@dataclass(frozen=True)
class Verdict:
    """Complaints and figures by name (check.py), what was hit how often, and how long it all took."""

    complaints: dict[str, list[str]]
    figures: dict[str, int]
    kills: Counter[str]
    seconds: float


def engine_maker(folder: Path, port: int) -> Callable[[], Process]:
    """A tiny random model, made once, and the engine that serves it at a fixed port."""
    from tests.assistant import tiny_model

    model = tiny_model.build(folder / "model")

    def start() -> Process:
        engine = parts.engine(folder, model, port)
        engine.start()
        return engine

    return start


async def play(plan: Plan) -> Verdict:
    began = time.monotonic()
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(16))  # several parts start at once
    plan.folder.mkdir()
    setup = await asyncio.to_thread(PROFILES[plan.profile], plan.folder, plan.start_engine)
    diary = Diary(plan.folder / "diary.jsonl")
    life = SHORT_LIFE_SECONDS if plan.is_short else MEAN_LIFE_SECONDS
    killer = Killer(setup.targets, seed=plan.seed, diary=diary, mean_life_seconds=life)
    try:
        await storm(plan, setup, killer, diary)
        diary.close()
        await asyncio.to_thread(setup.stop, but=("postgres",))
        verdict = check(setup, plan.folder)
        if plan.is_short:
            del verdict["complaints"]["baseline_unfinished"]
    finally:
        await asyncio.to_thread(setup.stop)
    figures = verdict["figures"] | {f"{part} ended by itself": count for part, count in killer.ended.items()}
    return Verdict(verdict["complaints"], figures, killer.kills, time.monotonic() - began)


async def storm(plan: Plan, setup: Setup, killer: Killer, diary: Diary) -> None:
    """People and killer at once; afterwards everybody finishes and the sweeps end what was left behind."""
    study = json.loads(
        setup.server.python(
            "-m", "tests.bench.chaos.study", "make", plan.engine_url, plan.stub_url, *["short"] * plan.is_short
        )
    )
    proxy = random.Random(f"proxy:{plan.seed}")
    is_calm = asyncio.Event()
    watching = [
        asyncio.create_task(talk(plan, killer, diary, is_calm)),
        asyncio.create_task(killer.supervise()),
    ]
    doing = [] if plan.is_short else [asyncio.create_task(model_alone(plan, setup, killer))]
    for seat in range(1, plan.bots + 1):
        person = Person(seat=seat, seed=plan.seed, join=study["join"], url=lambda: setup.url(proxy), diary=diary)
        doing.append(asyncio.create_task(person.play(is_calm.is_set)))
    await killer.run(plan.kills)
    is_calm.set()
    _, unfinished = await asyncio.wait(doing, timeout=CALM_SECONDS)
    for task in unfinished:
        task.cancel()  # whoever is still in a session notes that it is stuck
    await asyncio.gather(*doing, return_exceptions=True)
    await asyncio.sleep(STALE_SECONDS + 3)
    for task in watching:
        task.cancel()


def check(setup: Setup, folder: Path) -> dict[str, dict[str, Any]]:
    command = [sys.executable, "-m", "tests.bench.chaos.check", str(folder / "diary.jsonl")]
    command += [str(log) for log in setup.logs()]
    done = subprocess.run(command, cwd=ROOT, env=setup.server.env, stdout=subprocess.PIPE, text=True, check=True)
    (folder / "verdict.json").write_text(done.stdout)
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


async def talk(plan: Plan, killer: Killer, diary: Diary, is_calm: asyncio.Event) -> None:
    """A line every few seconds."""
    began = time.monotonic()
    while True:
        await asyncio.sleep(5)
        seconds, counts = round(time.monotonic() - began), diary.counts
        parts_hit = ", ".join(f"{part} {count}" for part, count in sorted(killer.kills.items()))
        clock = f"{seconds // 60}:{seconds % 60:02}"
        print(
            f"[{plan.profile} {clock}] kills {killer.kills.total()}/{plan.kills} ({parts_hit}) · "
            f"acknowledged {counts['ack']} of {counts['make']} · sessions {counts['code']} done, {counts['stuck']} "
            f"stuck{' · calming down' if is_calm.is_set() else ''}",
            flush=True,
        )


async def model_alone(plan: Plan, setup: Setup, killer: Killer) -> None:
    """A baseline run in the worker, begun in the middle of the kills; given up by the queue, it is asked for again."""
    while killer.kills.total() < plan.kills / 3:
        await asyncio.sleep(0.5)
    while True:
        try:
            out = await asyncio.to_thread(setup.server.python, "-m", "tests.bench.chaos.study", "baseline")
            if json.loads(out)["is_finished"]:
                return
        except RuntimeError:
            pass  # its own connection was cut: a person would ask again, too
        await asyncio.sleep(5)
