"""Words and lookups that several sections share."""

from studies.analysis.data import Data
from studies.analysis.estimate import Estimate
from studies.analysis.results import Result, Results
from studies.analysis.schema import HUMAN, HUMAN_MODEL, MODEL

WORDS = {HUMAN: "Human alone", HUMAN_MODEL: "Human + model", MODEL: "Model alone"}
PEOPLE = (HUMAN, HUMAN_MODEL)
CLUSTERED = (
    "Intervals are 95 % and hold for new people and new questions: variances are clustered by participant and by"
    " question (passage on QuALITY), the largest of the three two-way terms is taken, and t has min(P, Q) − 1 degrees"
    " of freedom (Cameron, Gelbach & Miller 2011). They are not cut at 0 and 100 %, except in pictures."
)

VOTING = (
    "On each question the people of a condition vote. Weighted vote: each answer is a distribution, the confidence f"
    " (clipped to 1 … 99 %) on the option and (1 − f)/(K − 1) on each other option; the product over people is"
    " normalised, the largest wins, its probability is capped at 99 %. Intervals: jackknife over questions (passages),"
    " the crowd held fixed."
)


def headline_rows(results: Results, id: str) -> list[Result]:
    """The headline rows of one id: all trials, timeouts wrong, exclusions applied where there are any."""
    headline = ("all", "wrong", results.exclusions, "random")
    return [r for r in results if r.id == id and (r.subset, r.timeouts, r.exclusions, r.population) == headline]


def name_of(row: Result, data: Data) -> str:
    """A condition, an arm of it, or a protocol of the model, as the report calls it."""
    if row.condition == MODEL:
        protocol = row.arm or data.primary_protocol
        return WORDS[MODEL] if protocol == "primary" else f"Model, {protocol}"
    return f"{WORDS[row.condition]}: {row.arm}" if row.arm else WORDS[row.condition]


def of_people(results: Results, id: str, *, subset: str = "all") -> list[Estimate]:
    """One figure for people alone and for people with the model; an empty one where there is none."""
    return [results.find(id, condition, subset=subset) or Estimate() for condition in PEOPLE]
