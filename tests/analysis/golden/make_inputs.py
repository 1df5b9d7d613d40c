"""Make the small tables that golden.R and the tests read: `python tests/analysis/golden/make_inputs.py`."""

from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent


def study(
    people: int, questions: int, share: float, sds: tuple[float, float, float, float], *, seed: int
) -> pd.DataFrame:
    """Latin square with gaps: sds of participants' and questions' intercepts and slopes, a model right on 60 %."""
    rng = np.random.default_rng(seed)
    able, able_with, easy, easy_with = (
        sd * rng.normal(size=n) for sd, n in zip(sds, (people, people, questions, questions), strict=True)
    )
    right = rng.random(questions) < 0.6
    rows = []
    for p in range(people):
        for q in range(questions):
            if rng.random() < share:
                h = ((p + q) % 2) - 0.5
                logit = 0.3 + 0.5 * h + able[p] + h * able_with[p] + easy[q] + h * easy_with[q]
                logit += (1.2 if right[q] else -0.6) * (h + 0.5)
                hit = rng.random() < 1 / (1 + np.exp(-logit))
                rows.append((f"p{p:02d}", f"q{q:02d}", "human+model" if h > 0 else "human", int(hit), int(right[q])))
    return pd.DataFrame(rows, columns=["participant", "question", "condition", "correct", "model_correct"])


def main() -> None:
    """Three designs: usual, more people than questions, few people (whose effects come out as the same)."""
    made = {
        "usual": study(30, 40, 0.5, (0.6, 0.9, 0.9, 0.8), seed=1),
        "people": study(50, 16, 0.7, (0.8, 0.4, 0.7, 0.9), seed=2),
        "few": study(7, 30, 0.8, (0.7, 0.4, 0.9, 0.6), seed=4),
    }
    for name, frame in made.items():
        frame.to_csv(HERE / f"{name}.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
