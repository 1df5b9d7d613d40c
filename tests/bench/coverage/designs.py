"""The designs whose coverage is judged: who answers which question under which condition."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tests.bench.coverage.world import World, confidence

Codes = npt.NDArray[np.int64]
Plan = Callable[[np.random.Generator], tuple[Codes, Codes, Codes]]


@dataclass(frozen=True)
class Design:
    """`plan(rng)` gives person, question and condition (1 with the model) of each trial."""

    name: str
    people: int
    questions: int
    plan: Plan
    is_crossed: bool = True  # questions are seen under both conditions


def crossed(people: int, questions: int) -> Plan:
    """Everybody answers every question, a random half of them with the model."""

    def plan(rng: np.random.Generator) -> tuple[Codes, Codes, Codes]:
        aided = rng.permuted(np.tile(np.arange(questions) % 2, (people, 1)), axis=1)
        person, question = np.divmod(np.arange(people * questions), questions)
        return person, question, aided.ravel()

    return plan


def latin(people: int, questions: int) -> Plan:
    """Two blocks of questions; every second person has the model in the second block, the others in the first."""

    def plan(rng: np.random.Generator) -> tuple[Codes, Codes, Codes]:
        person, question = np.divmod(np.arange(people * questions), questions)
        return person, question, ((question >= questions // 2) ^ (person % 2 == 1)).astype(np.int64)

    return plan


def between(people: int, questions: int) -> Plan:
    """Everybody answers every question; a random half of the people has the model."""

    def plan(rng: np.random.Generator) -> tuple[Codes, Codes, Codes]:
        person, question = np.divmod(np.arange(people * questions), questions)
        return person, question, rng.permutation(np.arange(people) % 2)[person]

    return plan


def two_sets(people: int, each: int) -> Plan:
    """The paper's panels: everybody answers one set of questions alone and another with the model."""

    def plan(rng: np.random.Generator) -> tuple[Codes, Codes, Codes]:
        person, question = np.divmod(np.arange(people * 2 * each), 2 * each)
        return person, question, (question >= each).astype(np.int64)

    return plan


DESIGNS = (
    Design("20x40", 20, 40, crossed(20, 40)),
    Design("60x120 Latin", 60, 120, latin(60, 120)),
    Design("200x30", 200, 30, crossed(200, 30)),
    Design("10x60", 10, 60, crossed(10, 60)),
    Design("40x40 between", 40, 40, between(40, 40)),
    Design("5x(100+100)", 5, 200, two_sets(5, 100), is_crossed=False),
)


def draw(design: Design, world: World, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One study: its trials as the analysis cuts them (codes for names), and the model alone."""
    person, question, aided = design.plan(rng)
    (able, slope), (easy, slope_q, model) = world.people(design.people, rng), world.questions(design.questions, rng)
    chance = world.probability(
        able[person], slope[person], easy[question], slope_q[question], model[question], aided.astype(np.float64)
    )
    trials = pd.DataFrame(
        {
            "participant_code": person,
            "question_code": question,
            "aided": aided,
            "correct": (rng.random(len(chance)) < chance).astype(np.float64),
            "confidence": confidence(chance, rng),
            "timed_out": np.zeros(len(chance)),
            "model_correct": model[question],
        }
    )
    return trials, pd.DataFrame({"question_code": np.arange(design.questions), "correct": model})
