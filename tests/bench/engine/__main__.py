"""`python -m tests.bench.engine`: replies beside transformers' own ways, scores beside lm-evaluation-harness; goals."""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import torch

from tests.bench.engine import models, questions, scoring, soak, ways
from tests.bench.engine.transformers_serve import transformers_serve
from tests.bench.engine.ways import Case, Taken
from tests.bench.goals import Goals

STORY = 2000
JUDGED = 16  # conversations
PARTS = ("serving", "scoring", "soak")
COLD, WARM, FIRST = 8.0, 16.0, 40.0  # times as good as one at a time


def limits(threads: int) -> tuple[float, float]:
    """What this machine can do: a matrix product's GFLOP/s in float32, and a copy's GB/s; the best of five."""
    torch.set_num_threads(threads)
    one, other = torch.randn(1024, 1024), torch.randn(1024, 1024)
    source = torch.randn(64 * 2**20 // 4)
    target = torch.empty_like(source)

    def best(work: object, amount: float) -> float:
        found = 0.0
        for _ in range(5):
            started = time.perf_counter()
            work()  # type: ignore[operator]
            found = max(found, amount / (time.perf_counter() - started))
        return found / 1e9

    return best(lambda: one @ other, 2 * 1024**3), best(lambda: target.copy_(source), 2 * 64 * 2**20)


def show(name: str, n: int, taken: Taken, alone: Taken) -> None:
    first = sorted(taken.first)
    print(
        f"  {name:<34} {n * ways.NEW_TOKENS / taken.wall:>9.1f} {taken.cpu:>9.2f} {taken.wall:>9.2f}"
        f" {alone.cpu / taken.cpu:>8.2f}x {statistics.median(first):>9.3f} {first[int(len(first) * 0.95)]:>9.3f}",
        flush=True,
    )


def serve(size: str, counts: list[int], folder: Path, threads: int, goals: Goals, gflops: float) -> None:
    built = models.build(size, folder / size)
    loaded = models.own(built, threads)
    plain = models.plain(built, loaded)
    parameters = sum(each.numel() for each in plain.parameters())
    tokenizer = loaded.tokenizer
    story = tokenizer.encode("<|system|>" + models.words(3000, 7))[:STORY]

    def case(n: int, seed: int) -> Case:
        asked = [f"<|user|>{models.words(18, seed + number)}<|end|><|assistant|>" for number in range(n)]
        return Case(story, [tokenizer.encode(text)[:30] for text in asked])

    print(f"\n{size}: {parameters / 1e6:.1f} M parameters, {len(story)} shared tokens, 30 own, {ways.NEW_TOKENS} new")
    print(f"  {'':<34} {'tok/s':>9} {'CPU s':>9} {'wall s':>9} {'CPU':>9} {'1st med':>9} {'1st p95':>9}")
    for n in counts:
        cold, warm = case(n, 100), case(n, 5000)
        alone = ways.one_at_a_time(plain, cold)
        show(f"{n} × generate, one at a time", n, alone, alone)
        show(f"{n} × static batch", n, ways.static_batch(plain, cold), alone)
        for name, taken in zip(("cold", "warm"), ways.transformers_batching(plain, cold, warm), strict=True):
            show(f"{n} × transformers' batching, {name}", n, taken, alone)
        told = [[tokenizer.decode(own[1:-1]) for own in each.questions] for each in (cold, warm)]
        served = transformers_serve(built, tokenizer.decode(story[1:]), *told, threads)
        for name, taken in zip(("cold", "warm"), served, strict=True):
            show(f"{n} × transformers serve, {name}", n, taken, alone)
        ours = ways.ours(loaded, cold, warm)
        for name, taken in zip(("cold", "warm"), ours, strict=True):
            show(f"{n} × ours, {name}", n, taken, alone)
        if ours[0].texts[: len(alone.texts)] != alone.texts:
            print("  ours wrote another text than generate")
        ideal = 2 * parameters * n * (ways.NEW_TOKENS + 30) / (gflops * 1e9)
        print(f"  warm: {ideal / ours[1].cpu:.0%} of the matrix rate of this machine (weights alone)", flush=True)
        if size == "10M" and n == JUDGED:
            goals.at_least("engine_cold_ratio", alone.cpu / ours[0].cpu, COLD)
            goals.at_least("engine_warm_ratio", alone.cpu / ours[1].cpu, WARM)
            first = statistics.median(alone.first) / statistics.median(ours[1].first)
            goals.at_least("engine_first_token_ratio", first, FIRST)
            goals.at_most("engine_differs_from_generate", ours[0].texts[: len(alone.texts)] != alone.texts, 0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="10M,90M", help=f"of {', '.join(models.SIZES)} (default 10M,90M)")
    parser.add_argument("--conversations", default="1,4,16,32", help="how many at once (default 1,4,16,32)")
    parser.add_argument("--questions", type=int, default=200, help="how many are scored (default 200)")
    parser.add_argument("--only", choices=PARTS, help="one part of the bench (default: all)")
    parser.add_argument("--seconds", type=float, default=300, help="how long clients come and go (default 300)")
    parser.add_argument("--clients", type=int, default=64, help="how many of them (default 64)")
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    gflops, gigabytes = limits(chosen.threads)
    print(
        f"limits of this machine, {chosen.threads} thread(s): {gflops:.0f} GFLOP/s float32, {gigabytes:.1f} GB/s copied"
    )
    goals = Goals()
    sizes = chosen.sizes.split(",")
    with tempfile.TemporaryDirectory() as folder:
        if chosen.only in (None, "serving"):
            print("one at a time is measured on at most 4 conversations and multiplied")
            counts = [int(number) for number in chosen.conversations.split(",")]
            for size in sizes:
                serve(size, counts, Path(folder), chosen.threads, goals, gflops)
        if chosen.only in (None, "scoring"):
            asked = questions.five_shot(chosen.questions)
            for size in sizes:
                scoring.run(size, asked, Path(folder), chosen.threads, goals)
        if chosen.only in (None, "soak"):
            soak.run(Path(folder), goals, seconds=chosen.seconds, clients=chosen.clients, threads=chosen.threads)
    return 1 if goals.missed else 0


if __name__ == "__main__":
    sys.exit(main())
