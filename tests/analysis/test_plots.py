"""Pictures: the same bytes, no date, and words for those who do not see them."""

import xml.etree.ElementTree as ET

import matplotlib as mpl
import numpy as np
import pandas as pd

from studies.analysis import plots
from studies.analysis.canvas import STYLE, Picture
from studies.analysis.estimate import Estimate
from studies.analysis.plots import Line

LINES = [
    Line("Human alone", "human", Estimate(estimate=0.5, low=-0.1, high=0.7)),
    Line("Model alone", "model", Estimate(estimate=1.0)),
]
BINS = pd.DataFrame(
    {
        "confidence": [0.25, 0.6, 1.0],
        "accuracy": [0.2, 0.7, 1.0],
        "low": [0.1, 0.5, 0.8],
        "high": [0.3, 0.9, 1.2],
        "n_trials": [5, 20, 9],
    }
)
PEOPLE = pd.DataFrame({"name": ["ann", "ben"], "human": [0.5, np.nan], "human_model": [0.75, 0.5]})


def all_pictures() -> list[Picture]:
    return [
        plots.accuracy(LINES, chance=0.25),
        plots.forest(LINES),
        plots.reliability(BINS, title="Human alone", condition="human"),
        plots.people(PEOPLE),
    ]


def test_pictures_are_the_same_bytes_whatever_the_machine_prefers() -> None:
    before = all_pictures()
    with mpl.rc_context({"font.size": 30, "svg.hashsalt": "other", "lines.linewidth": 9}):
        assert all_pictures() == before


def test_pictures_are_svg_without_date_and_leave_no_trace_in_the_settings() -> None:
    settings = dict(mpl.rcParams)
    for picture in all_pictures():
        assert ET.fromstring(picture.svg).tag.endswith("svg")
        assert "<dc:date>" not in picture.svg
    assert dict(mpl.rcParams) == settings


def test_words_say_the_figures() -> None:
    accuracy, forest, reliability, people = (picture.alt.replace("\u202f", " ") for picture in all_pictures())
    assert "Human alone 50.0 (0.0 to 70.0); Model alone 100.0" in accuracy
    assert "Human alone +50.0 (−10.0 to +70.0)" in forest
    assert "at 60 % confidence 70 % right (n 20)" in reliability
    assert "1 of the 1 people with trials in both conditions" in people


def test_conditions_differ_in_shape_and_not_in_colour_alone() -> None:
    assert len({marker for marker, _ in STYLE.values()}) == 3


def test_intervals_are_cut_where_no_share_can_be_in_pictures_alone() -> None:
    wide = Estimate(estimate=0.95, low=0.8, high=1.1)
    picture = plots.accuracy([Line("Model alone", "model", wide)], chance=None)
    assert "95.0 (80.0 to 100.0)" in picture.alt
    over = plots.forest([Line("Model alone", "model", Estimate(estimate=-0.9, low=-1.2, high=-0.6))])
    assert "−90.0 (−100.0 to −60.0)" in over.alt.replace("\u202f", " ")
    assert (wide.low, wide.high) == (0.8, 1.1)


def test_png_is_the_same_picture_with_the_same_bytes() -> None:
    one, two = (plots.accuracy(LINES, chance=0.25) for _ in range(2))
    with mpl.rc_context({"font.size": 30, "savefig.dpi": 10}):
        assert one.png() == two.png()
    assert one.png().startswith(b"\x89PNG")
    assert b"Software" not in one.png()
