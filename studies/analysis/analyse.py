"""Every figure of the registry on every slice of a study."""

from collections.abc import Iterator
from dataclasses import replace

from studies.analysis.adjust import adjust
from studies.analysis.data import Data
from studies.analysis.estimate import Population
from studies.analysis.registry import REGISTRY, Definition
from studies.analysis.results import Result, Results
from studies.analysis.shapes import ANSWERED_ONLY
from studies.analysis.slices import Slice, headline_exclusions, slices


def analyse(data: Data, *, is_quick: bool = False) -> Results:
    """Compute all results, in the order of the registry, p values adjusted within their families.

    is_quick: without the figures that take seconds on a large study (mixed models, randomisation tests).
    """
    wanted = [definition for definition in REGISTRY if not (is_quick and definition.is_costly)]
    rows = {definition.id: list[Result]() for definition in wanted}
    people = sorted(data.trials["participant"].unique())
    once: dict[tuple[str, str, str], list[Result]] = {}
    for part in slices(data):
        for definition in wanted:
            if part.level not in definition.levels or (definition.is_timing and data.study.is_simulated):
                continue
            if part.level == "participant":
                rows[definition.id] += _by_person(definition, part, people)
            elif definition.shape in ANSWERED_ONLY:
                key = (definition.id, part.exclusions, part.subset)
                once[key] = once.get(key) or list(_compute(definition, part))
                rows[definition.id] += [replace(row, timeouts=part.timeouts) for row in once[key]]
            else:
                rows[definition.id] += _compute(definition, part)
    ordered = [row for definition in wanted for row in rows[definition.id]]
    return Results(adjust(ordered, data.study), exclusions=headline_exclusions(data), is_quick=is_quick)


def _compute(definition: Definition, part: Slice) -> Iterator[Result]:
    if definition.about_timeouts and part.timeouts == "excluded":
        return
    populations: tuple[Population, ...] = ("random",)
    if definition.on_fixed_questions and part.level in {"all", "task"}:
        populations = ("random", "fixed questions")
    for population in populations:
        for condition, arm, baseline, found in definition.shape(part, definition.compute, population):
            yield Result(
                definition.id, condition, arm, baseline, part.subset, part.timeouts, part.exclusions, population, found
            )


def _by_person(definition: Definition, part: Slice, people: list[str]) -> list[Result]:
    """The figures of every single person, person by person."""
    if definition.by_person is None:
        raise ValueError(f"{definition.id}: the level participant needs by_person in the registry")
    cases = sorted(definition.by_person(part, len(people)), key=lambda case: case[0])
    return [
        Result(
            definition.id, condition, "", baseline, f"participant={people[person]}", part.timeouts, part.exclusions,
            "this participant", found,
        )
        for person, condition, baseline, found in cases
    ]  # fmt: skip
