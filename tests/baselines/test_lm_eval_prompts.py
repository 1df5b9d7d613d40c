"""Our lm-eval protocols ask, to the letter, what lm-evaluation-harness 0.4.13 asks on the same questions.

`lm_eval_files/prompts.json` is what it asked: `python -m tests.bench.harness.golden` writes it anew.
"""

import csv
import json
from pathlib import Path

import pytest

from studies.assistant.types import ContinuationScore
from studies.baselines.protocols import PROTOCOLS, Asked, Sample, Shot

BANK = Path(__file__).resolve().parents[2] / "studies" / "questions" / "bank" / "mmlu"
ASKED = json.loads((Path(__file__).parent / "lm_eval_files" / "prompts.json").read_text(encoding="utf-8"))
PROTOCOL = {0: "lm-eval-zero-shot", 5: "lm-eval-5-shot"}


class Scorer:
    def __init__(self):
        self.requests = []

    async def score(self, request):
        self.requests.append(request)
        return [ContinuationScore(each, -1.0 - place, 1, (place,)) for place, each in enumerate(request.continuations)]


def records(split: str, subject: str) -> list[list[str]]:
    with (BANK / split / f"{subject}_{split}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_both_protocols_have_golden_prompts():
    assert {each["shots"] for each in ASKED} == {0, 5}
    assert len(ASKED) == 12


@pytest.mark.parametrize("golden", ASKED, ids=lambda golden: f"{golden['subject']}-{golden['shots']}")
async def test_the_prompt_and_the_continuations_are_lm_evals_own(golden):
    (found,) = [each for each in records("val", golden["subject"]) if each[0] == golden["question"]]
    examples = records("dev", golden["subject"])[: golden["shots"]]
    shots = tuple(Shot(each[0], tuple(each[1:5]), "ABCD".index(each[5])) for each in examples)
    scorer = Scorer()
    asked = Asked(found[0], tuple(found[1:5]), subject=golden["subject"], shots=shots)
    await PROTOCOLS[PROTOCOL[golden["shots"]]].answer(asked, scorer, Sample())
    (request,) = scorer.requests
    assert request.prompt == golden["prompt"]
    assert list(request.continuations) == golden["continuations"]
