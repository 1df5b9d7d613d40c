"""The figures of the paper whose experiment a study may repeat, to print beside its own. They have no intervals there.

Source: Bowman et al. 2022, "Measuring Progress on Scalable Oversight for Large Language Models", arXiv 2211.03540,
Table 1 and the text around it. Accuracies and calibration errors are in percent, as printed.
"""

import re
from dataclasses import dataclass, replace

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


@dataclass(frozen=True)
class Otherwise:
    """How a protocol of the model alone differs from the paper's.

    In `here` and `mark` N is the number of samples of a question, counted in the protocol `samples`. `mark`: what
    stands after the label of the row that it fills; none is needed with `unmarked` samples.
    """

    samples: str
    paper: str
    here: str
    mark: str
    unmarked: int | None = None

    def told(self, samples: int | None) -> str:
        """What was done here."""
        return _counted(self.here, samples)

    def marked(self, row: Row, samples: int | None) -> Row:
        """The paper's row with a label that says what fills it."""
        if samples is not None and samples == self.unmarked:
            return row
        return replace(row, label=f"{row.label} ({_counted(self.mark, samples)})")


def _counted(words: str, samples: int | None) -> str:
    return words if samples is None else re.sub(r"\bN\b", str(samples), words)


# Which runs fill a row, by the names under which they are kept; the first that a study has.
FILLED_BY = (
    (ZERO_SHOT, ("zero-shot", "frequencies-majority")),
    (FIVE_SHOT, ("5-shot",)),
    (BEST_OF_20, ("chain-of-thought-best-of-n", "chain-of-thought-majority")),
)
OTHERWISE = {
    "frequencies-majority": Otherwise(
        samples="frequencies",
        paper="the letter with the highest likelihood",
        here="the option named most often in N sampled replies",
        mark="most frequent of N replies, not likeliest letter",
    ),
    "chain-of-thought-best-of-n": Otherwise(
        samples="chain-of-thought-scored",
        paper="the best of 20 samples by a preference model",
        here="the best of N samples by the P(True) of a model that rates each",
        mark="best of N",
        unmarked=20,
    ),
    "chain-of-thought-majority": Otherwise(
        samples="chain-of-thought",
        paper="the best of 20 samples by a preference model",
        here="the majority of N samples (self-consistency)",
        mark="majority of N, not best of 20",
    ),
}


def otherwise(protocol: str) -> Otherwise | None:
    """How a run by this name differs from the paper; None where it does not, or has nothing there to differ from."""
    return OTHERWISE.get(protocol.partition("@")[0])


# Also reported there: the words are the report's, the figures the paper's.
MEAN_CONFIDENCE = {MMLU: "54 → 80 %", QUALITY: "38 → 75 %"}
AT_CAP = {MMLU: "81 % (N = 84)", QUALITY: "88 % (N = 89)"}
TURNS = {MMLU: "10.9", QUALITY: "6.3"}
RESETS = {MMLU: "2.0", QUALITY: "0.1"}
HALF_GAIN = {MMLU: "+0.7", QUALITY: "+0.7"}
