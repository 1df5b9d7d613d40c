"""The reliance plane: what people do with right advice against what they do with wrong advice."""

from collections.abc import Sequence
from dataclasses import dataclass

from studies.analysis.canvas import PATCH, SOFT, STYLE, WIDTH, Picture, figure_of, percent_square, picture, style
from studies.analysis.estimate import Estimate
from studies.analysis.present import cut, with_interval
from studies.analysis.schema import HUMAN


@dataclass(frozen=True)
class Place:
    """One mark of the plane: its words, the condition whose mark it carries, and its two figures."""

    label: str
    condition: str
    x: Estimate
    y: Estimate


def agreement(places: Sequence[Place]) -> Picture:
    """x: agrees with wrong advice, y: agrees with right advice. On the diagonal people do not tell them apart."""
    return _plane(
        places, x="Agrees when the model is wrong, %", y="Agrees when the model is right, %", has_diagonal=True,
        corners={(0.02, 0.97): "only when right", (0.98, 0.97): "always", (0.02, 0.03): "never"},
    )  # fmt: skip


def appropriateness(places: Sequence[Place]) -> Picture:
    """x: RAIR, y: RSR (Schemmer et al. 2023). The upper right corner takes every good advice and no bad one."""
    return _plane(
        places, x="RAIR: takes right advice, %", y="RSR: keeps to a right answer, %", has_diagonal=False,
        corners={(0.98, 0.97): "appropriate", (0.98, 0.03): "over-reliance", (0.02, 0.97): "under-reliance"},
    )  # fmt: skip


def _plane(
    places: Sequence[Place], *, x: str, y: str, has_diagonal: bool, corners: dict[tuple[float, float], str]
) -> Picture:
    with style():
        figure, axes = figure_of(WIDTH)
        if has_diagonal:
            axes.plot([0, 1], [0, 1], color=SOFT, linestyle="--", linewidth=1.1)
        for corner, word in corners.items():
            sides = ("left" if corner[0] < 0.5 else "right", "bottom" if corner[1] < 0.5 else "top")
            axes.text(*corner, word, ha=sides[0], va=sides[1], color=SOFT, fontsize=8.5,
                      style="italic", bbox=PATCH, zorder=2)  # fmt: skip
        for place in places:
            marker, colour = STYLE[place.condition]
            across, up = cut(place.x), cut(place.y)
            if across.estimate is None or up.estimate is None:
                continue
            if across.low is not None and across.high is not None:
                axes.hlines(up.estimate, across.low, across.high, color=colour, linewidth=2)
            if up.low is not None and up.high is not None:
                axes.vlines(across.estimate, up.low, up.high, color=colour, linewidth=2)
            axes.plot([across.estimate], [up.estimate], marker, color=colour, markersize=9, markeredgewidth=1.8,
                      markerfacecolor="white" if place.condition == HUMAN else colour, label=place.label,
                      linestyle="none", clip_on=False, zorder=3)  # fmt: skip
        percent_square(axes, x, y)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False, borderaxespad=0.5)
        axis = (x.rpartition(", ")[0], y.rpartition(", ")[0])
        words = "; ".join(
            f"{p.label}: {axis[0]} {with_interval(cut(p.x))}, {axis[1]} {with_interval(cut(p.y))}" for p in places
        )
        return picture(figure, f"In percent with 95 % intervals. {words}.")
