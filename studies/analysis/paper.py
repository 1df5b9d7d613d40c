"""The figures of the paper whose experiment a study may repeat, to print beside its own. They have no intervals there.

Source: Bowman et al. 2022, "Measuring Progress on Scalable Oversight for Large Language Models", arXiv 2211.03540,
Table 1 and the text around it. Accuracies and calibration errors are in percent, as printed.
"""

from dataclasses import dataclass

MMLU, QUALITY = "mmlu", "quality"
SOURCE = "Bowman et al. 2022, arXiv 2211.03540"
NAMES = {MMLU: "MMLU", QUALITY: "QuALITY, time-limited"}


@dataclass(frozen=True)
class Row:
    """One row of the paper's Table 1: accuracy and calibration error by task; None where the paper has a dash."""

    label: str
    accuracy: dict[str, float | None]
    calibration: dict[str, float | None]


def _row(label: str, mmlu: tuple[float | None, float | None], quality: tuple[float | None, float | None]) -> Row:
    return Row(label, {MMLU: mmlu[0], QUALITY: quality[0]}, {MMLU: mmlu[1], QUALITY: quality[1]})


HUMAN = _row("Human alone (mean individual)", (57.2, 6), (48.6, 17))
HUMAN_VOTE = _row("Human alone, weighted vote", (66.0, 10), (50.0, 15))
ZERO_SHOT = _row("Model zero-shot", (57.2, 6), (59.2, 7))
FIVE_SHOT = _row("Model 5-shot", (61.9, 4), (None, None))
BEST_OF_20 = _row("Model best-of-20 chain of thought", (65.6, 16), (66.9, 17))
HUMAN_MODEL = _row("Human + model", (75.4, 12), (76.8, 7))
HUMAN_MODEL_VOTE = _row("Human + model, weighted vote", (78.0, 18), (86.0, 11))
EXPERTS = _row("Experts (published)", (90.0, None), (93.5, None))

# The names under which runs of the model alone are kept.
PROTOCOLS = {"zero-shot": ZERO_SHOT, "5-shot": FIVE_SHOT, "best-of-20": BEST_OF_20}

# Also reported there: the words are the report's, the figures the paper's.
MEAN_CONFIDENCE = {MMLU: "54 → 80 %", QUALITY: "38 → 75 %"}
AT_CAP = {MMLU: "81 % (N = 84)", QUALITY: "88 % (N = 89)"}
TURNS = {MMLU: "10.9", QUALITY: "6.3"}
RESETS = {MMLU: "2.0", QUALITY: "0.1"}
HALF_GAIN = {MMLU: "+0.7", QUALITY: "+0.7"}
