"""Two curves: accuracy against coverage (only confident answers count), and the vote against the size of the crowd."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from studies.analysis.canvas import GRID, SOFT, STYLE, WIDTH, Picture, figure_of, percent_axis, picture, style
from studies.analysis.estimate import Estimate
from studies.analysis.present import bare, cut, percent
from studies.analysis.schema import HUMAN, MODEL

NAMES = {HUMAN: "alone", MODEL: "model"}
WITH_MODEL = "with the model"
DASHES = {HUMAN: "--", MODEL: ":"}


def coverage(curves: Mapping[str, pd.DataFrame]) -> Picture:
    """`curves` are those of `by_value.curve`, by condition; from right to left fewer and more confident answers."""
    with style():
        figure, axes = figure_of(WIDTH * 0.8)
        words = []
        for condition, table in curves.items():
            x, y = table["coverage"].to_numpy(np.float64), table["accuracy"].to_numpy(np.float64)
            low, high = (
                table["low"].clip(lower=0).to_numpy(np.float64),
                table["high"].clip(upper=1).to_numpy(np.float64),
            )
            axes.fill_between(x, low, high, color=STYLE[condition][1], alpha=0.13, linewidth=0)
            _line(axes, condition, x, y)
            first, last = table.iloc[0], table.iloc[-1]
            words.append(
                f"{_name(condition)} from {percent(first['accuracy'], 0)} right on the {percent(first['coverage'], 0)}"
                f" answered with at least {percent(first['threshold'], 0)} confidence to"
                f" {percent(last['accuracy'], 0)} on all"
            )
        percent_axis(axes, 0, 1, "Answers kept, the most confident first, %")
        _share_axis(axes)
        return picture(figure, f"Accuracy against coverage, with 95 % intervals: {'; '.join(words)}.")


def crowd(curves: Mapping[str, Sequence[tuple[int, Estimate]]], model: Estimate | None = None) -> Picture:
    """`curves` are those of `crowd.curve`, by condition; the model alone as a dotted line."""
    with style():
        figure, axes = figure_of(WIDTH * 0.72)
        if model is not None and model.estimate is not None:
            axes.axhline(model.estimate, color=SOFT, linestyle=":", linewidth=1.4, label="model")
        words = []
        for place, (condition, points) in enumerate(curves.items()):
            x = np.array([size for size, _ in points]) * (1 + 0.03 * (place - (len(curves) - 1) / 2))
            y = np.array([found.estimate for _, found in points], dtype=np.float64)
            for where, found in zip(x, (cut(found) for _, found in points), strict=True):
                if found.low is not None and found.high is not None:
                    axes.vlines(where, found.low, found.high, color=STYLE[condition][1], linewidth=1.6)
            _line(axes, condition, x, y)
            words.append(
                f"{_name(condition)} from {bare(y[0], 0)} % with crowds of {points[0][0]} to {bare(y[-1], 0)} %"
                f" with crowds of {points[-1][0]}"
            )
        sizes = sorted({size for points in curves.values() for size, _ in points})
        axes.set_xscale("log")
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.minorticks_off()
        axes.set_xlabel("People in the crowd")
        _share_axis(axes)
        return picture(figure, f"Accuracy of the weighted vote by the size of the crowd: {'; '.join(words)}.")


def _line(axes: Axes, condition: str, x: np.ndarray, y: np.ndarray) -> None:
    marker, colour = STYLE[condition]
    axes.plot(x, y, DASHES.get(condition, "-"), color=colour, linewidth=1.3, alpha=0.8)
    axes.plot(x, y, marker, color=colour, markersize=6, markeredgewidth=1.5, clip_on=False, zorder=3,
              markerfacecolor="white" if condition == HUMAN else colour, label=_name(condition))  # fmt: skip


def _share_axis(axes: Axes) -> None:
    ticks = np.linspace(0, 1, 6)
    axes.set(ylim=(0, 1), ylabel="Right answers, %")
    axes.set_yticks(ticks, [bare(tick, 0) for tick in ticks])
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False, borderaxespad=0.5)


def _name(condition: str) -> str:
    return NAMES.get(condition, WITH_MODEL)
