"""What every picture is drawn on: one style, one width, percent axes; SVG with the same bytes on every run, or PNG.

People alone are a circle or ring, people with the model a square, the model a diamond; colours (Okabe & Ito) only
repeat that.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from studies.analysis.present import bare, points
from studies.analysis.schema import HUMAN, HUMAN_MODEL, MODEL

INK, SOFT, GRID = "#1b2630", "#5c6873", "#dde3e8"
STYLE = {HUMAN: ("o", "#0072B2"), HUMAN_MODEL: ("s", "#C14F00"), MODEL: ("D", "#4d4d4d")}
WIDTH, ROW = 4.5, 0.52  # inches; at 96 dots an inch a phone shows the width almost as it is
PNG_DOTS = 200  # per inch: sharp in print at the width of a column
PATCH: dict[str, Any] = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}  # words stay readable over lines
SETTINGS: dict[Any, Any] = {
    "svg.hashsalt": "studies.analysis",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": SOFT,
    "ytick.color": INK,
    "xtick.labelcolor": INK,
    "axes.axisbelow": True,
}


@dataclass(frozen=True)
class Picture:
    """An SVG, the words for those who do not see it, and its size in CSS pixels."""

    svg: str
    alt: str
    width: int
    height: int
    figure: Figure | None = field(default=None, compare=False, repr=False)

    def png(self) -> bytes:
        """The same picture in dots, on white; without date and version. Raises ValueError without the figure."""
        if self.figure is None:
            raise ValueError("this picture was made without its figure: there is only the SVG")
        out = io.BytesIO()
        with style():
            self.figure.savefig(out, format="png", dpi=PNG_DOTS, metadata={"Software": None})
        return out.getvalue()


@contextmanager
def style() -> Iterator[None]:
    """matplotlib's own defaults and ours, whatever the machine's settings file says; afterwards all is as before."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(SETTINGS)
        yield


def figure_of(height: float) -> tuple[Figure, Axes]:
    """A figure of the one width and this height in inches, with its axes."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots()


def percent_axis(axes: Axes, low: float, high: float, label: str, *, has_sign: bool = False) -> None:
    """The x axis in percent, or in percentage points with their sign."""
    step = 0.2 if high - low > 0.7 else 0.1 if high - low > 0.3 else 0.05
    ticks = np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) * step
    names = [points(t, 0) if has_sign else bare(t, 0) for t in ticks]
    axes.set_xlim(low, high)
    axes.set_xticks(ticks, names)
    axes.set_xlabel(label)
    axes.grid(axis="x", color=GRID, linewidth=0.8)


def percent_square(axes: Axes, x: str, y: str) -> None:
    """Both axes from 0 to 100 %, equally long, with a grid."""
    percent_axis(axes, 0, 1, x)
    ticks = np.linspace(0, 1, 6)
    axes.set(ylim=(0, 1), aspect="equal", ylabel=y)
    axes.set_yticks(ticks, [bare(tick, 0) for tick in ticks])
    axes.grid(color=GRID, linewidth=0.8)


def picture(figure: Figure, alt: str) -> Picture:
    """Draw. Without date and version, and with salted ids, the same input gives the same bytes."""
    if engine := figure.get_layout_engine():
        engine.execute(figure)
        figure.set_layout_engine(None)  # with one it would be laid out and drawn twice more
    out = io.BytesIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    width, height = figure.get_size_inches()
    return Picture(out.getvalue().decode("utf-8"), alt, round(width * 96), round(height * 96), figure)
