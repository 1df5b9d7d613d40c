"""The short form of `make bench-coverage`, and of `make bench-planted`: both judge by goals, and both can fail."""

from math import sqrt
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from tests.bench.coverage.__main__ import CHEAP, held, names_of
from tests.bench.coverage.designs import DESIGNS, draw
from tests.bench.coverage.world import World, truth
from tests.bench.planted.__main__ import run

STUDIES = 300
# At a true coverage of .95 and 300 studies, four standard errors below .93 are not met by chance once in 30,000 tries.
LOWEST = 0.93 - 4 * sqrt(0.95 * 0.05 / STUDIES)


@pytest.mark.slow
@pytest.mark.parametrize("place", [0, 3], ids=lambda place: DESIGNS[place].name)
def test_intervals_hold_the_truth_as_often_as_they_say(place: int) -> None:
    world = World()
    found = held(place, world, truth(world), names_of(DESIGNS[place]), 0, STUDIES)
    assert {name: found[name] / STUDIES for name in CHEAP if found[name] / STUDIES < LOWEST} == {}


def test_a_wrong_truth_is_noticed() -> None:
    world = World()
    wrong = {name: value + 0.15 for name, value in truth(world).items()}
    found = held(0, world, wrong, ["accuracy human", "human+model - human"], 0, 50)
    assert found["accuracy human"] / 50 < LOWEST
    assert found["human+model - human"] / 50 < LOWEST


def test_the_worlds_true_values_are_what_a_large_study_finds() -> None:
    world = World(people_sd=0, questions_sd=0, people_slope_sd=0, questions_slope_sd=0)
    alone, model_right = float(expit(world.base)), float(expit(1))
    effects = expit(world.base + world.when_right), expit(world.base + world.when_wrong)
    aided = model_right * effects[0] + (1 - model_right) * effects[1]
    values = truth(world)
    assert values["accuracy human"] == pytest.approx(alone, abs=1e-9)
    assert values["human+model - human"] == pytest.approx(aided - alone, abs=0.001)
    trials, _ = draw(DESIGNS[2], world, np.random.default_rng(5))
    seen = trials.loc[trials["aided"] == 0, "correct"].mean()
    assert seen == pytest.approx(alone, abs=4 * sqrt(0.25 / 3000))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_planted_effect_comes_out_of_the_whole_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(studies=2, people=6) == 0, capsys.readouterr().out
