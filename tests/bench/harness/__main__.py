"""`python -m tests.bench.harness`: letters, accuracy and prompts of both sides on the same questions; goals."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from lm_eval.models.huggingface import HFLM

from studies.assistant.engine.backend import EngineBackend
from studies.assistant.engine.loader import LoadedModel
from studies.baselines.imports.lm_eval import read
from studies.baselines.protocols import PROTOCOLS, Given
from studies.baselines.protocols import Sample as SampleNumber
from studies.baselines.protocols.lm_eval import prompt_of
from tests.bench.engine import models
from tests.bench.engine.questions import LETTERS, MMLU
from tests.bench.goals import Goals
from tests.bench.harness import peer, questions
from tests.bench.harness.questions import Subject

SHOTS = {"lm-eval-zero-shot": 0, "lm-eval-5-shot": 5}
DIFFERENCE = 1e-5
BATCH = 8


def ours(loaded: LoadedModel, protocol: str, subjects: list[Subject]) -> list[Given]:
    """Every question by the protocol, as a baseline run asks it."""

    async def ask(backend: EngineBackend) -> list[Given]:
        asked = [each for subject in subjects for each in subject.asked(SHOTS[protocol])]
        return await asyncio.gather(*(PROTOCOLS[protocol].answer(each, backend, SampleNumber()) for each in asked))

    backend = EngineBackend(loaded)
    with asyncio.Runner() as runner:
        try:
            return runner.run(ask(backend))
        finally:
            runner.run(backend.aclose())


def compare(protocol: str, given: list[Given], samples: list[peer.Sample], subjects: list[Subject]) -> list[float]:
    """Accuracy here, accuracy there, letters that differ, prompts that differ, largest difference of logprobs."""
    asked = [each for subject in subjects for each in subject.asked(SHOTS[protocol])]
    theirs = [[logprob for logprob, _ in sample["filtered_resps"]] for sample in samples]
    mine = [list(each.raw["logprobs"].values()) for each in given]
    right = sum(each.option == sample["doc"]["answer"] for each, sample in zip(given, samples, strict=True))
    return [
        right / len(given),
        sum(sample["acc"] for sample in samples) / len(samples),
        sum(each.option != their.index(max(their)) for each, their in zip(given, theirs, strict=True)),
        sum(prompt_of(each) != sample["arguments"][0][0] for each, sample in zip(asked, samples, strict=True)),
        max(abs(a - b) for one, other in zip(mine, theirs, strict=True) for a, b in zip(one, other, strict=True)),
    ]


def unread(folder: Path, samples: list[peer.Sample]) -> int:
    """How many samples are another answer when the importer reads lm_eval's own files."""
    found = {
        (each.text, each.options): each.option
        for path in sorted(folder.rglob("samples_*.jsonl"))
        for each in read(path)
    }
    wrong = 0
    for sample in samples:
        logprobs = [logprob for logprob, _ in sample["filtered_resps"]]
        doc = sample["doc"]
        wrong += found.get((doc["question"], tuple(doc["choices"]))) != logprobs.index(max(logprobs))
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=200, help="how many are asked (default 200)")
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    subjects = questions.subjects(chosen.questions)
    source = "MMLU test questions" if MMLU.is_dir() else "questions of the project's own bank"
    goals = Goals()
    with tempfile.TemporaryDirectory() as folder:
        corpus = [" ".join(each) for subject in subjects for each in subject.examples]
        built = models.build("10M", Path(folder) / "model", corpus)
        loaded = models.own(built, chosen.threads)
        model = HFLM(
            pretrained=models.plain(built, loaded),
            tokenizer=loaded.tokenizer,
            batch_size=BATCH,
            max_length=loaded.context_length,
        )
        for protocol, shots in SHOTS.items():
            written = Path(folder) / protocol
            by_subject = peer.run(model, subjects, shots, written)
            samples = [sample for subject in subjects for sample in by_subject[subject.name]]
            given = ours(loaded, protocol, subjects)
            here, there, letters, prompts, logprobs = compare(protocol, given, samples, subjects)
            chosen_letters = "".join(LETTERS[each.option] if each.option is not None else "?" for each in given)
            counts = ", ".join(f"{letter} {chosen_letters.count(letter)}" for letter in LETTERS)
            print(f"\n{protocol}: {len(given)} {source}; ours {here:.4f} right, lm_eval {there:.4f}; chosen {counts}")
            goals.at_most(f"harness_{protocol}_accuracy_differs", abs(here - there), 0)
            goals.at_most(f"harness_{protocol}_letters_differ", letters, 0)
            goals.at_most(f"harness_{protocol}_prompts_differ", prompts, 0)
            goals.at_most(f"harness_{protocol}_logprob_difference", logprobs, DIFFERENCE)
            goals.at_most(f"harness_{protocol}_files_read_otherwise", unread(written, samples), 0)
    return 1 if goals.missed else 0


if __name__ == "__main__":
    sys.exit(main())
