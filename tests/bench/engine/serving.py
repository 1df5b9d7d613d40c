"""Conversations about one story, served by us and by transformers' own ways: how much it took, and who waited."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.engine import limits, models, ways
from tests.bench.engine.transformers_serve import transformers_serve
from tests.bench.engine.ways import NEW_TOKENS, Case, Taken
from tests.bench.goals import Goals

OWN = 30  # tokens of one's own question
JUDGED = ("10M", 16)  # size, conversations
ROUNDS = 3  # of what is judged, by turns with one at a time: a machine's speed changes from one minute to the next
COLD, WARM, FIRST = 8.0, 16.0, 40.0  # times as good as one at a time
JUDGED_ON_CUDA = ("8B", 64)
SPEED, FIRST_KNOWN, FIRST_NEW = 2500.0, 0.5, 1.0  # tokens a second of all together; seconds, the 95th of 100


@dataclass(frozen=True)
class Setting:
    """Where the bench runs: `device` cpu or cuda, `threads` of a CPU, `story` tokens shared by all."""

    device: str
    threads: int
    story: int


def _seconds(taken: Taken, device: str) -> float:
    """What a way takes away from others: of the CPU, or of the time of a GPU that it has alone."""
    return taken.wall if device == "cuda" else taken.cpu


def _median(rounds: Sequence[Taken], device: str) -> Taken:
    return sorted(rounds, key=lambda taken: _seconds(taken, device))[len(rounds) // 2]


def _p95(firsts: list[float]) -> float:
    return sorted(firsts)[int(len(firsts) * 0.95)]


def _show(name: str, n: int, taken: Taken, alone: Taken, device: str) -> None:
    print(
        f"  {name:<34} {n * NEW_TOKENS / taken.wall:>9.1f} {taken.cpu:>9.2f} {taken.wall:>9.2f}"
        f" {_seconds(alone, device) / _seconds(taken, device):>8.2f}x"
        f" {statistics.median(taken.first):>9.3f} {_p95(taken.first):>9.3f}",
        flush=True,
    )


def run(size: str, counts: list[int], folder: Path, setting: Setting, goals: Goals) -> None:
    built = models.build(size, folder / size, device=setting.device)
    loaded = models.own(built, setting.threads, setting.device)
    plain = models.plain(built, loaded)
    tokenizer, device = loaded.tokenizer, setting.device
    machine = limits.measure(loaded.device, loaded.dtype)
    story = tokenizer.encode("<|system|>" + models.words(setting.story * 3 // 2, 7))[: setting.story]
    if len(story) < setting.story:
        raise ValueError(f"a story of {len(story)} tokens, and {setting.story} were asked for")

    def case(n: int, seed: int) -> Case:
        asked = [f"<|user|>{models.words(18, seed + number)}<|end|><|assistant|>" for number in range(n)]
        return Case(story, [tokenizer.encode(text)[:OWN] for text in asked])

    parameters = sum(each.numel() for each in plain.parameters())
    print(f"\n{size}: {parameters / 1e6:.1f} M parameters, {len(story)} shared tokens, {OWN} own, {NEW_TOKENS} new")
    print(f"{machine.flops / 1e9:.0f} GFLOP/s in {loaded.dtype}, {machine.copied / 1e9:.1f} GB/s copied")
    per = "wall" if device == "cuda" else "CPU"
    print(f"  {'':<34} {'tok/s':>9} {'CPU s':>9} {'wall s':>9} {per:>9} {'1st med':>9} {'1st p95':>9}")
    for n in counts:
        cold, warm = case(n, 100), case(n, 5000)
        rounds = []
        for _ in range(ROUNDS if (size, n) == JUDGED else 1):
            rounds.append((ways.one_at_a_time(plain, cold), *ways.ours(loaded, cold, warm)))
        alone, *ours = (_median(each, device) for each in zip(*rounds, strict=True))
        _show(f"{n} × generate, one at a time", n, alone, alone, device)
        _show(f"{n} × static batch", n, ways.static_batch(plain, cold), alone, device)
        told = [[tokenizer.decode(own[1:-1]) for own in each.questions] for each in (cold, warm)]
        tokens = setting.story + OWN + NEW_TOKENS
        served = transformers_serve(
            built, tokenizer.decode(story[1:]), *told, tokens=tokens, device=device, threads=setting.threads
        )
        for name, pair in (
            ("transformers' batching", ways.transformers_batching(plain, cold, warm)),
            ("transformers serve", served),
            ("ours", ours),
        ):
            for state, taken in zip(("cold", "warm"), pair, strict=True):
                _show(f"{n} × {name}, {state}", n, taken, alone, device)
        work = limits.Work(n, setting.story, OWN, NEW_TOKENS, loaded)
        print(f"  ours, warm, {limits.shares(work, machine, _seconds(ours[1], device))}", flush=True)
        _judge(size, n, rounds, device, goals)


def _judge(size: str, n: int, rounds: list[tuple[Taken, Taken, Taken]], device: str, goals: Goals) -> None:
    """The median of the rounds' ratios; each round is one at a time, ours cold, ours warm."""
    if device == "cuda" and (size, n) == JUDGED_ON_CUDA:
        _, cold, warm = rounds[0]
        goals.at_least("engine_cuda_tokens_per_second", n * NEW_TOKENS / warm.wall, SPEED)
        goals.at_most("engine_cuda_first_token_p95_known_story", _p95(warm.first), FIRST_KNOWN)
        goals.at_most("engine_cuda_first_token_p95_new_story", _p95(cold.first), FIRST_NEW)
    if device == "cpu":  # in float32 the text is the same to the letter
        differing = sum(
            one != other for alone, cold, _ in rounds for one, other in zip(alone.texts, cold.texts, strict=False)
        )
        goals.at_most(f"engine_differs_from_generate_{size}_{n}", differing, 0)
    if device == "cpu" and (size, n) == JUDGED:
        median = statistics.median
        goals.at_least("engine_cold_ratio", median(alone.cpu / cold.cpu for alone, cold, _ in rounds), COLD)
        goals.at_least("engine_warm_ratio", median(alone.cpu / warm.cpu for alone, _, warm in rounds), WARM)
        firsts = [median(alone.first) / median(warm.first) for alone, _, warm in rounds]
        goals.at_least("engine_first_token_ratio", median(firsts), FIRST)
