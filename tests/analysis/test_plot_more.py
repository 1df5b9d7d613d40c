"""The reliance plane, the questions and the session as pictures: bytes, words, and what they are drawn from."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from studies.analysis import learning, plot_reliance
from studies.analysis.canvas import Picture
from studies.analysis.data import read
from studies.analysis.estimate import Estimate
from studies.analysis.plot_learning import learning as draw_learning
from studies.analysis.plot_questions import questions as draw_questions
from studies.analysis.plot_reliance import Place
from studies.analysis.sections.questions import paired
from studies.analysis.slices import Slice, slices

PLACES = [
    Place("Human alone", "human", Estimate(estimate=0.3, low=-0.1, high=0.5), Estimate(estimate=0.6)),
    Place("Human + model", "human+model", Estimate(estimate=0.5, low=0.4, high=0.6), Estimate(estimate=0.9)),
]


@pytest.fixture
def part(trials_csv: Path) -> Slice:
    return next(slices(read(trials_csv)))


def pictures(part: Slice) -> list[Picture]:
    return [
        plot_reliance.agreement(PLACES),
        plot_reliance.appropriateness(PLACES[1:]),
        draw_questions(paired(part)),
        draw_learning({key: learning.by_position(part.people[key, ""]) for key in ("human", "human+model")}),
    ]


def test_they_have_the_same_bytes_fit_a_phone_and_say_what_they_show(part: Slice) -> None:
    one, two = pictures(part), pictures(part)
    assert one == two
    for picture in one:
        assert picture.width <= 460
        assert len(picture.alt) > 80
        assert "nan" not in picture.alt


def test_the_plane_cuts_intervals_and_names_its_axes() -> None:
    words = plot_reliance.agreement(PLACES).alt
    assert (
        "Human alone: Agrees when the model is wrong 30.0 (0.0 to 50.0), Agrees when the model is right 60.0" in words
    )


def test_questions_are_the_mean_of_their_trials_in_each_condition(trials_csv: Path, part: Slice) -> None:
    table = paired(part)
    trials = pd.read_csv(trials_csv, dtype=str, keep_default_na=False)
    kept = trials[trials["excluded"] == "0"].assign(right=lambda t: (t["answer"] == t["gold"]).astype(float))
    means = kept.pivot_table(index="question", columns="condition", values="right", aggfunc="mean").dropna()
    assert sorted(table["human"].round(9)) == sorted(means["human"].round(9))
    assert sorted(table["human_model"].round(9)) == sorted(means["human+model"].round(9))


def test_swapping_the_conditions_mirrors_the_questions(part: Slice) -> None:
    table = paired(part)
    mirrored = table.rename(columns={"human": "human_model", "human_model": "human"})
    above = int((table["human_model"] > table["human"]).sum())
    assert f"more people are right on {above} questions" in draw_questions(table).alt.replace("\n", " ")
    assert f"and fewer on {above}; more" in draw_questions(mirrored).alt


def test_one_condition_has_no_pairs(part: Slice) -> None:
    groups = {key: mask for key, mask in part.groups.items() if key[0] == "human"}
    alone = replace(part, groups=groups, of_protocol={})
    assert paired(alone).empty
