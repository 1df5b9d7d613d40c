"""lm-evaluation-harness's own `mmlu` tasks on given questions: what it asks, what it finds, and the files it writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lm_eval
import yaml
from datasets import Dataset
from lm_eval.api.model import LM
from lm_eval.evaluator import simple_evaluate
from lm_eval.loggers import EvaluationTracker

from tests.bench.harness.questions import Subject

TEMPLATE = Path(lm_eval.__file__).parent / "tasks" / "mmlu" / "default" / "_default_template_yaml"
Sample = dict[str, Any]


def run(model: LM, subjects: list[Subject], shots: int, folder: Path | None = None) -> dict[str, list[Sample]]:
    """Samples by subject, as lm_eval logs them; with a `folder` also written there, as `--log_samples` does."""
    tracker = EvaluationTracker(output_path=str(folder)) if folder else None
    found = simple_evaluate(
        model,
        tasks=[_task(subject) for subject in subjects],
        num_fewshot=shots,
        bootstrap_iters=0,
        evaluation_tracker=tracker,
        verbosity="ERROR",
    )
    if found is None:
        raise RuntimeError("lm_eval gave no results")
    samples: dict[str, list[Sample]] = {subject.name: found["samples"][f"mmlu_{subject.name}"] for subject in subjects}
    if tracker:
        tracker.save_results_aggregated(results=found, samples=found["samples"])
        for subject in subjects:
            # It writes texts into the samples while it saves them: what is returned stays as it was.
            tracker.save_results_samples(f"mmlu_{subject.name}", [dict(each) for each in samples[subject.name]])
    return samples


def _task(subject: Subject) -> dict[str, Any]:
    """The subject's task as lm_eval ships it, but for where its documents come from."""
    splits = {"test": subject.docs(subject.questions), "dev": subject.docs(subject.examples)}
    about = f"The following are multiple choice questions (with answers) about {subject.name.replace('_', ' ')}.\n\n"
    return yaml.safe_load(TEMPLATE.read_text()) | {
        "task": f"mmlu_{subject.name}",
        "description": about,
        "dataset_path": "local",
        "custom_dataset": lambda **_: {name: Dataset.from_list(docs) for name, docs in splits.items()},
    }
