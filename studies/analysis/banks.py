"""The model alone over whole banks: every question that a study could have drawn, apart from all comparisons."""

import pandas as pd

COLUMNS = ("name", "question", "item_group", "correct", "weight")


def prepare(answers: pd.DataFrame | None) -> pd.DataFrame:
    """bank_answers.csv as rows for `accuracy`: name (protocol, bank and split), question, item_group, correct, weight.

    Every question weighs the same: `weight` is 1/k where a protocol has k samples of it. No answer is wrong. Empty
    where there is no such table.
    """
    if answers is None or answers.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    name = answers["protocol"] + ": " + answers["bank"] + " " + answers["split"]
    group = answers["item_group"] if "item_group" in answers else answers["question"]
    samples = answers.groupby([name.rename("name"), "question"])["correct"].transform("size")
    return pd.DataFrame(
        {
            "name": name,
            "question": answers["question"],
            "item_group": group.mask(group == "", answers["question"]),
            "correct": answers["correct"],
            "weight": 1.0 / samples,
        }
    ).reset_index(drop=True)
