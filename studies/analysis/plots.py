"""The report's pictures of accuracies, differences, calibration and people, each with a text that says what it shows.

Intervals are cut at 0 and 100 % here, and only here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from studies.analysis.canvas import (
    GRID,
    INK,
    PATCH,
    ROW,
    SOFT,
    STYLE,
    WIDTH,
    Picture,
    figure_of,
    percent_axis,
    percent_square,
    picture,
    style,
)
from studies.analysis.estimate import Estimate
from studies.analysis.present import bare, count, cut, with_interval
from studies.analysis.schema import HUMAN, HUMAN_MODEL

MANY_PEOPLE = 60


@dataclass(frozen=True)
class Line:
    """One line of a picture: a label, the condition whose mark it carries, and the figure."""

    label: str
    condition: str
    found: Estimate


def accuracy(lines: Sequence[Line], *, chance: float | None) -> Picture:
    """Accuracy with 95 % intervals, one line each; chance as a dotted line."""
    with style():
        lines = [replace(line, found=cut(line.found)) for line in lines]
        figure, axes = _lines(lines, kind="bare", low=0.0, high=1.0)
        if chance is not None:
            axes.axvline(chance, color=SOFT, linestyle=":", linewidth=1.2)
            axes.annotate("chance", (chance, 0.0), xycoords=("data", "axes fraction"), xytext=(3, 4),
                          textcoords="offset points", color=SOFT, fontsize=8.5)  # fmt: skip
        percent_axis(axes, 0, 1, "Right answers, %")
        words = "; ".join(f"{line.label} {with_interval(line.found)}" for line in lines)
        return picture(figure, f"Accuracy in percent with 95 % intervals. {words}.")


def forest(lines: Sequence[Line]) -> Picture:
    """Differences in percentage points with 95 % intervals around the line of no difference."""
    with style():
        lines = [replace(line, found=cut(line.found, low=-1.0)) for line in lines]
        ends = [abs(v) for line in lines for v in (line.found.low, line.found.high) if v is not None]
        reach = min(1.0, max([0.1, *ends]) * 1.08)
        figure, axes = _lines(lines, kind="points", low=-1.0, high=1.0)
        axes.axvline(0, color=INK, linewidth=1.1)
        percent_axis(axes, -reach, reach, "Difference, percentage points", has_sign=True)
        words = "; ".join(f"{line.label} {with_interval(line.found, kind='points')}" for line in lines)
        return picture(figure, f"Differences in percentage points with 95 % intervals. {words}.")


def reliability(table: pd.DataFrame, *, title: str, condition: str) -> Picture:
    """Share right against mean confidence, bin by bin, with intervals; below, how many answers each bin has."""
    with style():
        figure = Figure(figsize=(3.4, 4.35))
        axes, counts = (
            figure.add_axes((0.175, 0.255, 0.78, 0.78 * 3.4 / 4.35)),
            figure.add_axes((0.175, 0.11, 0.78, 0.1)),
        )
        marker, colour = STYLE[condition]
        axes.plot([0, 1], [0, 1], color=SOFT, linestyle="--", linewidth=1.1)
        x, y = table["confidence"].to_numpy(), table["accuracy"].to_numpy()
        low, high = table["low"].clip(lower=0).to_numpy(), table["high"].clip(upper=1).to_numpy()
        axes.vlines(x, low, high, color=colour, linewidth=2, clip_on=False)
        axes.plot(x, y, color=colour, linewidth=1, alpha=0.55)
        axes.plot(x, y, marker, color=colour, markersize=7, markeredgecolor="white", clip_on=False, zorder=3)
        axes.set(xlim=(0, 1), ylim=(0, 1), ylabel="Right, %")
        axes.set_title(title, fontsize=11, fontweight="bold")
        counts.bar(x, table["n_trials"], width=0.04, color=colour, clip_on=False)
        for place, n in zip(x, table["n_trials"], strict=True):
            counts.annotate(count(n), (place, n), xytext=(0, 2), textcoords="offset points", ha="center", fontsize=8)
        counts.set(xlabel="Confidence, %", yticks=[], xlim=(0, 1), ylim=(0, table["n_trials"].max() * 1.5))
        counts.set_ylabel("n", rotation=0, labelpad=16, va="center")
        counts.spines["left"].set_visible(False)
        ticks = np.linspace(0, 1, 6)
        names = [bare(tick, 0) for tick in ticks]
        axes.set_yticks(ticks, names)
        axes.set_xticks(ticks, [])
        counts.set_xticks(ticks, names)
        axes.grid(color=GRID, linewidth=0.8)
        words = "; ".join(
            f"at {bare(sure, 0)} % confidence {bare(right, 0)} % right (n {count(n)})"
            for sure, right, n in zip(x, y, table["n_trials"], strict=True)
        )
        return picture(figure, f"Reliability of {title}: {words}. On the dashed line confidence equals accuracy.")


def people(table: pd.DataFrame) -> Picture:
    """Each person's accuracy alone (ring) and with the model (square); columns: name, human, human_model."""
    with style():
        if len(table) > MANY_PEOPLE:
            return _scatter(table)
        figure, axes = figure_of(0.95 + 0.235 * len(table))
        places = np.arange(len(table))
        axes.hlines(places, table["human"], table["human_model"], color="#9aa5ae", linewidth=2)
        ring, square = STYLE[HUMAN], STYLE[HUMAN_MODEL]
        axes.plot(table["human"], places, ring[0], color=ring[1], markersize=8, markerfacecolor="white",
                  markeredgewidth=1.8, label="alone", clip_on=False)  # fmt: skip
        axes.plot(table["human_model"], places, square[0], color=square[1], markersize=5, label="with the model",
                  clip_on=False)  # fmt: skip
        axes.set_yticks(places, table["name"], fontsize=8.5)
        axes.set_ylim(len(table) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False, borderaxespad=0.1)
        percent_axis(axes, 0, 1, "Right answers, %")
        return picture(figure, _people_words(table))


def _scatter(table: pd.DataFrame) -> Picture:
    figure, axes = figure_of(WIDTH * 0.95)
    marker, colour = STYLE[HUMAN_MODEL]
    axes.plot([0, 1], [0, 1], color=SOFT, linestyle="--", linewidth=1.1)
    axes.plot(table["human"], table["human_model"], marker, color=colour, markersize=5, alpha=0.45)
    percent_square(axes, "Right alone, %", "Right with the model, %")
    return picture(figure, _people_words(table))


def _people_words(table: pd.DataFrame) -> str:
    both = table.dropna()
    better = int((both["human_model"] > both["human"]).sum())
    return (
        f"Accuracy of each of {len(table)} people alone and with the model: {better} of the {len(both)} people with"
        " trials in both conditions were right more often with the model. The table below has the figures."
    )


def _lines(lines: Sequence[Line], *, kind: Literal["bare", "points"], low: float, high: float) -> tuple[Figure, Axes]:
    """One row per line: its name and figures in words, and below them the mark with its interval, cut at the ends."""
    figure, axes = figure_of(0.65 + ROW * len(lines))
    for row, line in enumerate(lines):
        marker, colour = STYLE[line.condition]
        found = line.found
        if found.low is not None and found.high is not None:
            axes.hlines(row, max(low, found.low), min(high, found.high), color=colour, linewidth=2.6)
        place = np.nan if found.estimate is None else found.estimate
        axes.plot(
            [place], [row], marker, color=colour, markersize=8.5, markeredgecolor="white", clip_on=False, zorder=3
        )
        for text, x, side in ((line.label, 0.0, "left"), (with_interval(found, kind=kind), 1.0, "right")):
            axes.annotate(text, (x, row), xycoords=("axes fraction", "data"), xytext=(0, 9), textcoords="offset points",
                          ha=side, va="bottom", fontsize=9.5, bbox=PATCH)  # fmt: skip
    axes.set_yticks([])
    axes.set_ylim(len(lines) - 0.6, -0.85)
    axes.spines["left"].set_visible(False)
    return figure, axes
