"""People, questions, a model and its advice with known truth: what `bench-coverage` draws from.

    logit P(right) = base + person + question + aided · (effect(model right) + person's slope + question's slope)

The model's own answer is right with P = expit(1 + .7 · question). The effect differs by whether the model is right, and
by question: the situation that makes intervals over people alone too short. Confidence is one of the paper's five
points, nearest to .3 + .55 · P(right) + noise, so that it knows something and is somewhat overconfident.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import expit

Array = npt.NDArray[np.float64]
SCALE = np.array([0.25, 0.42, 0.60, 0.80, 1.00])
CELLS = 2_000_000  # independent cells behind each true value: its error is below .0004


@dataclass(frozen=True)
class World:
    """The generator's constants, on the logit scale."""

    base: float = 0.2
    people_sd: float = 0.5
    questions_sd: float = 0.9
    people_slope_sd: float = 0.3
    questions_slope_sd: float = 0.5
    when_right: float = 1.1
    when_wrong: float = -0.7

    def without_effect(self) -> "World":
        """The same world with a mean effect of 0 on the risk scale, while it still differs by person and question."""

        def gain(shift: float) -> float:
            world = replace(self, when_right=self.when_right + shift, when_wrong=self.when_wrong + shift)
            cells = world.cells(CELLS // 10, np.random.default_rng(1))
            return float((cells.right_with_model - cells.right_alone).mean())

        shift = float(brentq(gain, -3.0, 3.0, xtol=1e-5))
        return replace(self, when_right=self.when_right + shift, when_wrong=self.when_wrong + shift)

    def without_any_effect(self) -> "World":
        """The sharp null: the model changes nothing for anybody."""
        return replace(self, when_right=0.0, when_wrong=0.0, people_slope_sd=0.0, questions_slope_sd=0.0)

    def people(self, count: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """Ability and slope of each person."""
        return rng.normal(0, self.people_sd, count), rng.normal(0, self.people_slope_sd, count)

    def questions(self, count: int, rng: np.random.Generator) -> tuple[Array, Array, Array]:
        """Easiness and slope of each question, and whether the model alone is right (1.0 or 0.0)."""
        easy = rng.normal(0, self.questions_sd, count)
        model_right = (rng.random(count) < expit(1 + 0.7 * easy)).astype(np.float64)
        return easy, rng.normal(0, self.questions_slope_sd, count), model_right

    def probability(
        self, person: Array, slope: Array, easy: Array, slope_q: Array, model: Array, aided: Array
    ) -> Array:
        """P(right) of trials; all arguments have the shape of the trials, `aided` is 1.0 with the model, else 0.0."""
        effect = np.where(model > 0, self.when_right, self.when_wrong) + slope + slope_q
        return np.asarray(expit(self.base + person + easy + aided * effect))

    def cells(self, count: int, rng: np.random.Generator) -> "Cells":
        """`count` independent cells, each a new person on a new question, under both conditions."""
        (person, slope), (easy, slope_q, model) = self.people(count, rng), self.questions(count, rng)
        alone, aided = (
            self.probability(person, slope, easy, slope_q, model, np.full(count, with_model))
            for with_model in (0.0, 1.0)
        )
        return Cells(alone, aided, model)


@dataclass(frozen=True)
class Cells:
    """P(right) alone and with the model, and whether the model is right."""

    right_alone: Array
    right_with_model: Array
    model_right: Array


def confidence(probability: Array, rng: np.random.Generator) -> Array:
    """What a person says after a trial that they get right with this probability."""
    felt = 0.3 + 0.55 * probability + rng.normal(0, 0.12, len(probability))
    return np.asarray(SCALE[np.abs(felt[:, None] - SCALE).argmin(axis=1)])


def truth(world: World, seed: int = 2) -> dict[str, float]:
    """The population's value of each judged figure: new people, new questions."""
    rng = np.random.default_rng(seed)
    cells = world.cells(CELLS, rng)
    out: dict[str, float] = {}
    for name, chance in (("human", cells.right_alone), ("human+model", cells.right_with_model)):
        said = confidence(chance, rng)
        out[f"accuracy {name}"] = float(chance.mean())
        out[f"overconfidence {name}"] = float((said - chance).mean())
        out[f"Brier {name}"] = float((chance * (said - 1) ** 2 + (1 - chance) * said**2).mean())
        out[f"AUROC {name}"] = _auroc(said, chance)
    gain, over_model = cells.right_with_model - cells.right_alone, cells.right_with_model - cells.model_right
    out["human+model - human"] = out["human+model - human, within questions"] = float(gain.mean())
    out["human+model - model"] = float(over_model.mean())
    out["human - model"] = float((cells.right_alone - cells.model_right).mean())
    return out


def _auroc(said: Array, chance: Array) -> float:
    """P(a right answer has more confidence than a wrong one), ties half, from the shares right at each point."""
    point = np.searchsorted(SCALE, said)
    right, wrong = (np.bincount(point, weights=w, minlength=len(SCALE)) for w in (chance, 1 - chance))
    right, wrong = right / right.sum(), wrong / wrong.sum()
    return float((right * (np.cumsum(wrong) - wrong / 2)).sum())
