"""The power curve of a plan: how likely it finds each gain."""

from collections.abc import Sequence

import numpy as np

from studies.analysis.canvas import GRID, INK, SOFT, STYLE, WIDTH, Picture, figure_of, picture, style
from studies.analysis.present import bare, points
from studies.analysis.schema import HUMAN_MODEL


def power_curve(curve: Sequence[tuple[float, float]], *, goal: float, expected: float) -> Picture:
    """Power against the gain (shares), the power that is wanted as a line, and the expected gain as a dotted one."""
    with style():
        figure, axes = figure_of(WIDTH * 0.68)
        marker, colour = STYLE[HUMAN_MODEL]
        gains = [100 * gain for gain, _ in curve]
        axes.axhline(goal, color=INK, linewidth=1, linestyle="--")
        axes.axvline(100 * expected, color=SOFT, linewidth=1.2, linestyle=":")
        axes.annotate("expected", (100 * expected, 1.0), xytext=(0, 3), textcoords="offset points", color=SOFT,
                      fontsize=8.5, ha="center")  # fmt: skip
        axes.plot(gains, [power for _, power in curve], marker, color=colour, markersize=5.5, linestyle="-",
                  linewidth=1.6, clip_on=False, zorder=3)  # fmt: skip
        ticks = np.linspace(0, 1, 6)
        axes.set_yticks(ticks, [bare(tick, 0) for tick in ticks])
        axes.set(ylim=(0, 1), xlim=(min(gains), max(gains)), xlabel="Gain with the model, percentage points")
        axes.set_ylabel("Power, %")
        axes.grid(color=GRID, linewidth=0.8)
        words = "; ".join(f"{points(gain)} points {bare(power, 0)} %" for gain, power in curve)
        return picture(figure, f"Power by the gain with the model: {words}.")
