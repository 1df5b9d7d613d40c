"""The picture of accuracy over the session: one line per condition, with intervals."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.ticker import MaxNLocator

from studies.analysis.canvas import GRID, STYLE, WIDTH, Picture, figure_of, picture, style
from studies.analysis.learning import Stretch
from studies.analysis.present import bare, cut
from studies.analysis.schema import HUMAN

ASIDE = 0.12  # the conditions stand side by side, as shares of the distance between stretches


def learning(stretches: Mapping[str, Sequence[Stretch]]) -> Picture:
    """`stretches` are those of `learning.by_position`, by condition."""
    with style():
        figure, axes = figure_of(WIDTH * 0.72)
        spoken = []
        middles = np.unique([each.middle for table in stretches.values() for each in table])
        apart = float(np.diff(middles).min()) if len(middles) > 1 else 1.0
        for number, (condition, table) in enumerate(stretches.items()):
            marker, colour = STYLE[condition]
            x = np.array([each.middle for each in table]) + apart * ASIDE * (number - (len(stretches) - 1) / 2)
            y = np.array([each.found.estimate for each in table], dtype=np.float64)
            for place, found in zip(x, (cut(each.found) for each in table), strict=True):
                if found.low is not None and found.high is not None:
                    axes.vlines(place, found.low, found.high, color=colour, linewidth=1.6)
            axes.plot(x, y, "--" if condition == HUMAN else "-", color=colour, linewidth=1.2, alpha=0.7)
            face = "white" if condition == HUMAN else colour
            axes.plot(x, y, marker, color=colour, markersize=7, markerfacecolor=face, markeredgewidth=1.6,
                      label=_word(condition), clip_on=False, zorder=3)  # fmt: skip
            ends = (f"{bare(each.found.estimate, 0)} % at trials {each.first} to {each.last}" for each in
                    (table[0], table[-1]))  # fmt: skip
            spoken.append(f"{_word(condition)} from {' to '.join(ends)}")
        ticks = np.linspace(0, 1, 6)
        axes.set(ylim=(0, 1), xlabel="Trial of the session", ylabel="Right answers, %")
        axes.set_yticks(ticks, [bare(tick, 0) for tick in ticks])
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
        axes.grid(axis="y", color=GRID, linewidth=0.8)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False, borderaxespad=0.5)
        return picture(figure, f"Accuracy over the session, with 95 % intervals: {'; '.join(spoken)}.")


def _word(condition: str) -> str:
    return "alone" if condition == HUMAN else "with the model"
