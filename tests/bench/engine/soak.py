"""The engine under many clients that stream, hang up and stop at random: does it leak, and is it ever wrong?"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from tests.bench.engine import models
from tests.bench.goals import Goals

ROOT = Path(__file__).resolve().parents[3]
STORIES, QUESTIONS = 3, 16
FILLING = 60  # other stories
GROWN, UNLIKE, LEFT = 20.0, 0, 0  # MB between minute 2 and the end; replies; seats, requests and connections
SETTLED = 0.4  # of the time: minute 2 of 5


@dataclass
class Soak:
    """What the clients ask, what each request gives alone, and what has happened so far."""

    url: str
    alone: dict[str, str] = field(default_factory=dict)
    happened: Counter[str] = field(default_factory=Counter)
    unlike: list[str] = field(default_factory=list)

    def body(self, name: str) -> dict[str, object]:
        story, question, tokens = (int(part) for part in name.split("-"))
        turns = [
            {"role": "system", "content": models.words(250, 1000 + story)},
            {"role": "user", "content": models.words(12, 2000 + question)},
        ]
        return {"model": "", "messages": turns, "temperature": 0, "max_tokens": tokens, "stream": True}


def names() -> list[str]:
    """story-question-tokens of every request that is made."""
    return [f"{story}-{number}-{8 + 8 * (number % 5)}" for story in range(STORIES) for number in range(QUESTIONS)]


async def stream(http: httpx.AsyncClient, soak: Soak, name: str, pieces: int | None = None) -> str | None:
    """One reply; None when this client hung up after so many pieces, or was turned away."""
    text, seen = "", 0
    async with http.stream("POST", f"{soak.url}/v1/chat/completions", json=soak.body(name)) as response:
        if response.status_code == 429:
            return None
        response.raise_for_status()
        async for line in response.aiter_lines():
            if not line.startswith("data: ") or line == "data: [DONE]":
                continue
            chunk = json.loads(line.removeprefix("data: "))
            if "error" in chunk:
                raise RuntimeError(f"{name}: {chunk['error']}")
            text += "".join(choice["delta"].get("content") or "" for choice in chunk["choices"])
            seen += 1
            if pieces is not None and seen >= pieces:
                return None
    return text


async def client(soak: Soak, number: int, until: float) -> None:
    """Asks, waits, hangs up early or cancels in the middle, and comes back over a new connection now and then."""
    rng = random.Random(number)
    while time.monotonic() < until:
        async with httpx.AsyncClient(timeout=120, trust_env=False) as http:
            for _ in range(rng.randint(1, 6)):
                name, mood = rng.choice(names()), rng.random()
                if mood < 0.6:
                    text = await stream(http, soak, name)
                    soak.happened["finished" if text is not None else "turned away"] += 1
                    if text is not None and text != soak.alone[name]:
                        soak.unlike.append(name)
                elif mood < 0.85:
                    await stream(http, soak, name, pieces=rng.randint(1, 12))
                    soak.happened["hung up"] += 1
                else:
                    asked = asyncio.create_task(stream(http, soak, name))
                    await asyncio.sleep(rng.uniform(0, 0.4))
                    asked.cancel()
                    await asyncio.gather(asked, return_exceptions=True)
                    soak.happened["cancelled"] += 1
                await asyncio.sleep(rng.expovariate(2))


async def watch(process: psutil.Process, until: float, seen: list[tuple[float, float]]) -> None:
    while (now := time.monotonic()) < until:
        seen.append((now, process.memory_info().rss / 1e6))
        await asyncio.sleep(1)


async def measure(soak: Soak, process: psutil.Process, seconds: float, clients: int) -> list[tuple[float, float]]:
    async with httpx.AsyncClient(timeout=120, trust_env=False) as http:
        for number in range(FILLING):  # what is kept shall fill its budget first: that memory is promised, not lost
            await stream(http, soak, f"{100 + number}-0-1")
        for name in names():
            soak.alone[name] = await stream(http, soak, name) or ""
    if not all(soak.alone.values()):
        raise RuntimeError("a request gave no text at all")
    seen: list[tuple[float, float]] = []
    until = time.monotonic() + seconds
    await asyncio.gather(watch(process, until, seen), *(client(soak, number, until) for number in range(clients)))
    await asyncio.sleep(2)
    return seen


def grown(seen: list[tuple[float, float]]) -> float:
    """MB from the middle of the time around minute 2 to the last ten seconds; medians, since memory breathes."""
    first, last = seen[0][0], seen[-1][0]
    settled = first + SETTLED * (last - first)

    def median(start: float, end: float) -> float:
        values = sorted(megabytes for at, megabytes in seen if start <= at <= end)
        return values[len(values) // 2]

    return median(last - 10, last) - median(settled, settled + 10)


def breathing(seen: list[tuple[float, float]], parts: int = 10) -> list[float]:
    """The median of each part of the time: a leak climbs through all of them, memory that breathes does not."""
    size = max(1, len(seen) // parts)
    starts = range(0, len(seen) - size + 1, size)
    return [sorted(megabytes for _, megabytes in seen[start : start + size])[size // 2] for start in starts]


def left(url: str) -> dict[str, int]:
    said = httpx.get(f"{url}/metrics", headers={"Connection": "close"}, trust_env=False).text
    numbers = dict(re.findall(r"^oversight_engine_(running|waiting) (\d+)$", said, re.MULTILINE))
    return {name: int(numbers[name]) for name in ("running", "waiting")}


@contextmanager
def engine(folder: Path, threads: int) -> Iterator[tuple[str, psutil.Process]]:
    command = [sys.executable, "manage.py", "run_engine", "--model", str(folder), "--port", "0", "--exit-with-stdin"]
    command += ["--threads", str(threads), "--device", "cpu", "--seat-tokens", "256", "--cache-gib", "0.2"]
    environment = os.environ | {"HF_HUB_OFFLINE": "1"}
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line.startswith("engine ready "):
                raise RuntimeError(f"the engine did not start: {line}")
            yield line.removeprefix("engine ready ").strip(), psutil.Process(process.pid)
        finally:
            if process.stdin:
                process.stdin.close()
            process.wait(30)


def run(folder: Path, goals: Goals, *, seconds: float, clients: int, threads: int) -> None:
    """The engine with the 10M model and little memory, so that seats are reused and stories evicted all the time."""
    with engine(models.build("10M", folder / "10M"), threads) as (url, process):
        soak = Soak(url)
        print(f"\n{clients} clients for {seconds:g} s at one engine, {len(names())} different requests", flush=True)
        seen = asyncio.run(measure(soak, process, seconds, clients))
        after = left(url)
        connections = [each for each in process.net_connections("tcp") if each.status == psutil.CONN_ESTABLISHED]
        print(f"  {dict(soak.happened)}; resident {seen[0][1]:.0f} MB at first, {seen[-1][1]:.0f} MB at the end")
        print(f"  resident MB, ten times on the way: {' '.join(f'{each:.0f}' for each in breathing(seen))}")
        print(f"  left: {after}, {len(connections)} connections, {process.num_threads()} threads")
    goals.at_least("soak_finished_replies", soak.happened["finished"], 1)
    goals.at_most("soak_grown_megabytes", round(grown(seen), 1), GROWN)
    goals.at_most("soak_replies_unlike_alone", len(soak.unlike), UNLIKE)
    goals.at_most("soak_left_requests_and_connections", sum(after.values()) + len(connections), LEFT)
