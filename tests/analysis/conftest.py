"""Simulated studies for the tests of the analysis: people, questions and a model with known abilities, by seed."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

SUBJECTS = ("astronomy", "biology", "chemistry", "economics", "history", "law", "logic", "medicine")
SCALE = np.array([0.25, 0.42, 0.60, 0.80, 1.00])
Simulate = Callable[..., pd.DataFrame]


def simulate_trials(
    *, people: int = 24, per_person: int = 20, questions: int = 40, seed: int = 7, effect: float = 1.3
) -> pd.DataFrame:
    """Latin square: half of each person's questions alone, half with the model, which is right on about 65 %.

    The last twelve questions are about passages (task quality), three questions a passage. A few trials time out, one
    person is excluded. Values are text, as in a file.
    """
    rng = np.random.default_rng(seed)
    letters = np.array(list("ABCD"))
    gold = rng.choice(letters, questions)
    hard = rng.normal(0, 0.9, questions)
    able = rng.normal(0.1, 0.6, people)
    model_right = rng.random(questions) < 0.65
    wrong_by = rng.integers(1, 4, questions)
    model = np.where(model_right, gold, letters[(np.searchsorted(letters, gold) + wrong_by) % 4])
    model_confidence = np.clip(0.35 + 0.4 * model_right + rng.normal(0, 0.12, questions), 0.26, 0.99)
    rows = []
    for person in range(people):
        order = rng.permutation(questions)[:per_person]
        for position, question in enumerate(order, start=1):
            with_model = (question + person) % 2 == 1
            lift = effect * (1.0 if model_right[question] else -0.35) if with_model else 0.0
            right = rng.random() < 0.22 + 0.78 / (1 + np.exp(-(able[person] - hard[question] + lift - 0.3)))
            timed_out = rng.random() < 0.03
            follow = with_model and not right and rng.random() < 0.75 and not model_right[question]
            other = letters[(np.searchsorted(letters, gold[question]) + rng.integers(1, 4)) % 4]
            answer = gold[question] if right else (model[question] if follow else other)
            sure = 0.35 + 0.22 * right + 0.18 * with_model + rng.normal(0, 0.15)
            confidence = SCALE[np.abs(SCALE - sure).argmin()]
            reads = question >= questions - 12
            rows.append(
                {
                    "participant": f"p{person:03d}",
                    "question": f"q{question:04d}",
                    "condition": "human+model" if with_model else "human",
                    "answer": "" if timed_out else answer,
                    "gold": gold[question],
                    "confidence": "" if timed_out else f"{confidence:g}",
                    "model_answer": model[question],
                    "model_confidence": f"{model_confidence[question]:.6f}",
                    "assistant_answer": model[question] if with_model else "",
                    "task": "quality" if reads else "mmlu",
                    "subject": "" if reads else SUBJECTS[question % len(SUBJECTS)],
                    "item_group": f"passage{(question - questions + 12) // 3}" if reads else "",
                    "option_count": "4",
                    "position": str(position),
                    "seconds": f"{rng.gamma(4, 20):.1f}",
                    "timed_out": str(int(timed_out)),
                    "n_messages": str(rng.poisson(3) + 1) if with_model else "0",
                    "n_resets": str(rng.poisson(0.4)) if with_model else "0",
                    "excluded": str(int(person == 3)),
                    "exclusion_reason": "attention check" if person == 3 else "",
                }
            )
    return pd.DataFrame(rows)


@pytest.fixture(scope="session")
def simulate() -> Simulate:
    """The generator itself, for tests that want another size or seed."""
    return simulate_trials


@pytest.fixture
def trials_csv(tmp_path: Path) -> Path:
    """A realistic trials.csv of 24 people with 20 trials each."""
    path = tmp_path / "trials.csv"
    simulate_trials().to_csv(path, index=False)
    return path


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a small trials.csv (or another table) from lines, and give its path."""

    def write_lines(*lines: str, name: str = "trials.csv") -> Path:
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write_lines
