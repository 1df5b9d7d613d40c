"""Makes `mockllm.json` with Inspect AI itself: `pip install inspect_ai==0.3.285`, then `python make.py`.

Three of the shipped questions, two epochs, a scripted model that also says things which are no letter. Inspect counts
tokens with a file from the network; where there is none, a count of words stands in.
"""

import csv
import json
from pathlib import Path
from typing import Any

import tiktoken
from inspect_ai import Task
from inspect_ai import eval as run
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelOutput, get_model
from inspect_ai.scorer import choice
from inspect_ai.solver import multiple_choice

HERE = Path(__file__).parent
BANK = HERE.parents[2] / "studies" / "questions" / "bank" / "mmlu" / "val"
REPLIES = ("ANSWER: B", "I would say ANSWER: A", "I do not know.", "ANSWER: C", "ANSWER: B", "ANSWER: D")


class Words:
    def encode(self, text: str, **options: Any) -> list[int]:
        return list(range(len(text.split())))


def main() -> None:
    tiktoken.get_encoding = lambda name: Words()
    path = sorted(BANK.glob("*.csv"))[0]
    rows = list(csv.reader(path.open(encoding="utf-8")))[:3]
    samples = [
        Sample(input=row[0], choices=row[1:5], target=row[5], metadata={"subject": path.stem.removesuffix("_val")})
        for row in rows
    ]
    dataset = MemoryDataset(samples)
    dataset.shuffle_choices(seed=3)
    outputs = [ModelOutput.from_content("mockllm/model", reply) for reply in REPLIES]
    task = Task(dataset=dataset, solver=multiple_choice(), scorer=choice(), epochs=2)
    model = get_model("mockllm/model", custom_outputs=outputs)
    log = run(task, model=model, max_samples=1, log_format="json", log_dir=str(HERE / "logs"), display="none")[0]
    found = json.loads(Path(log.location.removeprefix("file://")).read_text(encoding="utf-8"))
    for sample in found["samples"]:
        sample["events"] = []  # long, and not read
    found["stats"] = {"started_at": "", "completed_at": ""}
    found["eval"].pop("revision", None)
    (HERE / "mockllm.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
