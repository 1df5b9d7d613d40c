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


def latin(frame: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """The same as the server writes it: answers, timeouts, passages of two, a person excluded, lone questions."""
    rng = np.random.default_rng(seed)
    number = frame["question"].str[1:].astype(int)
    wrong = rng.choice(list("BCD"), len(frame))
    timed_out = rng.random(len(frame)) < 0.06
    answer = np.where(timed_out, "", np.where(frame["correct"] == 1, "A", wrong))
    out = frame.assign(
        answer=answer, gold="A", confidence="", timed_out=timed_out.astype(int),
        excluded=(frame["participant"] == "p03").astype(int),
        item_group=np.where(number >= 26, "passage" + (number // 2).astype(str), ""),
    )  # fmt: skip
    is_lone = (number < 2) & (frame["condition"] == "human")
    return out.loc[~is_lone].drop(columns=["correct", "model_correct"])


def advisor(frame: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """First alone, then with advice, in one row; a few first answers are absent or timed out."""
    rng = np.random.default_rng(seed)
    first = rng.choice(["A", "A", "B", "C", ""], len(frame))
    answer = np.where(frame["correct"] == 1, "A", "B")
    late = ((first == "") & (rng.random(len(frame)) < 0.5)).astype(int)
    made = frame.assign(condition="human+model", answer=answer, gold="A", initial_answer=first, initial_timed_out=late)
    made["confidence"] = ""
    return made.drop(columns=["correct", "model_correct"])


def main() -> None:
    """Three designs of the models: usual, more people than questions, few people. Two tables as the server writes them.

    The people of `few` come out as the same, so that fits are singular.
    """
    made = {
        "usual": study(30, 40, 0.5, (0.6, 0.9, 0.9, 0.8), seed=1),
        "people": study(50, 16, 0.7, (0.8, 0.4, 0.7, 0.9), seed=2),
        "few": study(7, 30, 0.8, (0.7, 0.4, 0.9, 0.6), seed=4),
    }
    made["latin"] = latin(made["few"], seed=6)
    made["advisor"] = advisor(made["few"].query("participant < 'p05' and question < 'q16'"), seed=7)
    for name, frame in made.items():
        frame.to_csv(HERE / f"{name}.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
