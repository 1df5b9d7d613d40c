"""`python -m tests.bench.engine`: replies beside transformers' own ways, scores beside lm-evaluation-harness; goals."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import torch

from tests.bench.engine import models, questions, scoring, serving, soak
from tests.bench.engine.serving import Setting
from tests.bench.goals import Goals

PARTS = ("serving", "scoring", "soak")


class Usual(NamedTuple):
    sizes: str
    conversations: str
    story: int
    parts: tuple[str, ...]


ON = {"cpu": Usual("10M,90M", "1,4,16,32", 2000, PARTS), "cuda": Usual("8B", "1,16,64", 6144, ("serving",))}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=tuple(ON), help="for serving (default: cuda where there is one)")
    parser.add_argument("--sizes", help=f"of {', '.join(models.SIZES)} (default 10M,90M; on CUDA 8B)")
    parser.add_argument("--conversations", help="how many at once (default 1,4,16,32; on CUDA 1,16,64)")
    parser.add_argument("--story", type=int, help="tokens that all share (default 2000; on CUDA 6144)")
    parser.add_argument("--questions", type=int, default=200, help="how many are scored (default 200)")
    parser.add_argument("--only", choices=PARTS, help="one part of the bench (default: all; on CUDA serving alone)")
    parser.add_argument("--seconds", type=float, default=300, help="how long clients come and go (default 300)")
    parser.add_argument("--clients", type=int, default=64, help="how many of them (default 64)")
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    device = chosen.device or ("cuda" if torch.cuda.is_available() else "cpu")
    usual = ON[device]
    setting = Setting(device, chosen.threads, chosen.story or usual.story)
    torch.set_num_threads(chosen.threads)
    parts = [chosen.only] if chosen.only else usual.parts
    sizes = (chosen.sizes or usual.sizes).split(",")
    counts = [int(number) for number in (chosen.conversations or usual.conversations).split(",")]
    goals = Goals()
    with tempfile.TemporaryDirectory() as folder:
        if "serving" in parts:
            print(f"{chosen.threads} thread(s); one at a time is measured on at most 4 conversations and multiplied")
            for size in sizes:
                serving.run(size, counts, Path(folder), setting, goals)
        if "scoring" in parts:
            asked = questions.five_shot(chosen.questions)
            for size in sizes:
                scoring.run(size, asked, Path(folder), chosen.threads, goals)
        if "soak" in parts:
            soak.run(Path(folder), goals, seconds=chosen.seconds, clients=chosen.clients, threads=chosen.threads)
    return 1 if goals.missed else 0


if __name__ == "__main__":
    sys.exit(main())
