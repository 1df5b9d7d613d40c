"""`python -m tests.bench.harness.golden`: write anew what lm_eval itself asks and logs, for the ordinary tests."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

from lm_eval.models.huggingface import HFLM

from tests.bench.engine import models
from tests.bench.harness import peer, questions

GOLDEN = Path(__file__).resolve().parents[2] / "baselines" / "lm_eval_files"
SUBJECTS = ("economics_basics", "world_geography")
EACH = 3


def main() -> None:
    every = questions.shipped(10**6)
    subjects = [
        questions.Subject(each.name, each.questions[:EACH], each.examples) for each in every if each.name in SUBJECTS
    ]
    GOLDEN.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        built = models.build("10M", Path(folder) / "model", [" ".join(each) for one in every for each in one.questions])
        loaded = models.own(built, 1)
        model = HFLM(pretrained=models.plain(built, loaded), tokenizer=loaded.tokenizer, batch_size=EACH)
        found = []
        for shots in (0, 5):
            written = Path(folder) / str(shots)
            for subject, samples in peer.run(model, subjects, shots, written).items():
                found += [
                    {
                        "shots": shots,
                        "subject": subject,
                        "question": sample["doc"]["question"],
                        "prompt": sample["arguments"][0][0],
                        "continuations": [request[1] for request in sample["arguments"]],
                    }
                    for sample in samples
                ]
        for path in sorted((Path(folder) / "0").rglob("samples_*.jsonl")):
            shutil.copyfile(path, GOLDEN / f"{path.name.rpartition('_')[0]}.jsonl")
    text = json.dumps(found, indent=1, ensure_ascii=False)
    (GOLDEN / "prompts.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
