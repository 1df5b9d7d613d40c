"""The picture of questions: each question's accuracy alone against with the model, by whether the model is right."""

import pandas as pd

from studies.analysis.canvas import SOFT, STYLE, WIDTH, Picture, figure_of, percent_square, picture, style
from studies.analysis.present import count
from studies.analysis.schema import HUMAN_MODEL

SMALLEST, PER_QUESTION, LARGEST = 16, 14, 320  # areas in square points
# Where the model alone is: marker, filled, word. Unknown where it was not asked, or is right on some samples only.
KINDS = {1.0: ("s", True, "model right"), 0.0: ("o", False, "model wrong"), -1.0: ("x", True, "model unknown")}


def questions(table: pd.DataFrame) -> Picture:
    """One mark per pair of accuracies, larger where several questions share it.

    Columns of `table`, one row per question seen in both conditions: human, human_model (shares right), model_right (1,
    0, or missing).
    """
    with style():
        figure, axes = figure_of(WIDTH)
        axes.plot([0, 1], [0, 1], color=SOFT, linestyle="--", linewidth=1.1)
        kinds = table["model_right"].where(table["model_right"].isin([0.0, 1.0]), -1.0)
        for kind, (marker, is_filled, word) in KINDS.items():
            part = table.loc[kinds == kind].round(9).groupby(["human", "human_model"]).size().reset_index(name="n")
            if part.empty:
                continue
            colour = STYLE[HUMAN_MODEL][1] if is_filled else STYLE["human"][1]
            axes.scatter(
                part["human"], part["human_model"], s=(SMALLEST + PER_QUESTION * (part["n"] - 1)).clip(upper=LARGEST),
                marker=marker, facecolors=colour if is_filled else "none", edgecolors=None if marker == "x" else colour,
                linewidths=1.3, alpha=0.75, clip_on=False, zorder=3, label=f"{word} ({count(part['n'].sum())})",
            )  # fmt: skip
        percent_square(axes, "Right alone, %", "Right with the model, %")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False, borderaxespad=0.6, markerscale=1.2)
        return picture(figure, _words(table))


def _words(table: pd.DataFrame) -> str:
    above, below = (table["human_model"] > table["human"]).sum(), (table["human_model"] < table["human"]).sum()
    told = []
    for right, word in ((1.0, "right"), (0.0, "wrong")):
        part = table.loc[table["model_right"] == right]
        better = (part["human_model"] > part["human"]).sum()
        told.append(f"on {better} of the {len(part)} questions where the model is {word}")
    return (
        f"Accuracy on each of {len(table)} questions, people alone against people with the model: with the model more"
        f" people are right on {above} questions and fewer on {below}; more {' and '.join(told)}."
    )
