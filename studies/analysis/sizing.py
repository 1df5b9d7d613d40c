"""Planning a study's size: the numbers that are asked for, and everything that is computed from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from studies.analysis import layout as layouts
from studies.analysis import power, sequential
from studies.analysis.layout import Layout
from studies.analysis.power import Effects, Form, Power
from studies.analysis.sizing_fields import DESIGNS, FIELDS, NAMES, REAL, Refused

CURVE_POINTS = 9
CURVE_REPLICATIONS, GRID_REPLICATIONS = 400, 300
GRID = (0.5, 1.0, 2.0)
EFFECT_FIELDS = ("accuracy", "person", "question", "person_effect", "question_effect")


@dataclass(frozen=True)
class Plan:
    """A plan to be judged. `layout` is the real one of a study, or made of people, questions and design."""

    layout: Layout
    effects: Effects
    form: Form
    numbers: Mapping[str, float]
    design: str

    @property
    def is_real(self) -> bool:
        """Whether it is a study's own plan."""
        return self.design == REAL

    @property
    def margin(self) -> float | None:
        return self.numbers.get("margin")


@dataclass(frozen=True)
class Looks:
    """Looks on the way: people so far, expected information fraction, boundary, power up to and with each look."""

    people: tuple[int, ...]
    fractions: tuple[float, ...]
    bounds: tuple[float, ...]
    power: tuple[float, ...]
    max_information: float


@dataclass(frozen=True)
class Sizing:
    """What follows. `curve`: (gain, power). `grid`: (people, questions, power), or people alone for a real plan."""

    plan: Plan
    power: Power
    detectable: float | None
    curve: tuple[tuple[float, float], ...]
    grid: tuple[tuple[int, int, float], ...]
    looks: Looks | None


def parse(values: Mapping[str, str], *, real: Layout | None = None, pilot: Effects | None = None,
          most_trials: int = 400_000) -> Plan:  # fmt: skip
    """Texts to a plan; what is absent or empty has its default, or the pilot's value.

    real: a study's own plan, of which the first `people` are taken (default all); questions, questions each and design
    are then its own. most_trials: larger plans are refused. Raises Refused naming each value and what is allowed.
    """
    problems = {name: f"{name}={value!r} is not known; there are {', '.join(sorted(NAMES))}"
                for name, value in values.items() if name not in NAMES}  # fmt: skip
    numbers: dict[str, float] = {}
    for field in FIELDS:
        text = str(values.get(field.name, "") or "").strip()
        number = field.read(text)
        if text and number is None:
            problems[field.name] = f"{field.label} = {text!r} is not allowed: use {field.allowed}."
        elif text and number is not None:
            numbers[field.name] = number
        elif field.default is not None:
            numbers[field.name] = field.default
    design = values.get("design") or "within"
    if design not in DESIGNS:
        problems["design"] = f"Design = {design!r} is not allowed: use {' or '.join(DESIGNS)}."
    if values.get("effect") and values.get("target"):
        problems["effect"] = "Give the gain as a share or as a logit, not both."
    if problems:
        raise Refused(problems)
    plan = _layout(numbers, str(design), real, most_trials, is_given=bool(values.get("people")))
    kept = plan.without(numbers["exclusions"], seed=int(numbers["seed"]))
    if kept.people < 2 or kept.items < 2:
        raise Refused({"people": f"{kept.people} people on {kept.items} questions are left: there must be 2 of each."})
    form: Form = "question_weighted" if kept.is_within_questions else "micro"
    effects = _effects(numbers, values, pilot)
    return Plan(kept, effects, form, numbers, REAL if real is not None else str(design))


def size(plan: Plan) -> Sizing:
    """Power, precision, the smallest gain that is found, the curve over gains, the grid over sizes, and the looks."""
    numbers, seed = plan.numbers, int(plan.numbers["seed"])
    alpha, goal, replications = numbers["alpha"], numbers["goal"], int(numbers["replications"])
    few = min(CURVE_REPLICATIONS, replications)
    found = power.power(plan.layout, plan.effects, form=plan.form, alpha=alpha, margin=plan.margin,
                        replications=replications, seed=seed)  # fmt: skip
    detectable = power.detectable(plan.layout, plan.effects, form=plan.form, goal=goal, alpha=alpha,
                                  replications=few, seed=seed)  # fmt: skip
    is_loss = plan.effects.gain < 0
    most = 0.95 * (plan.effects.alone if is_loss else 1 - plan.effects.alone)
    reach = min(most, 1.6 * max(abs(plan.effects.gain), detectable or most, 0.02)) * (-1 if is_loss else 1)
    curve = tuple(
        (gain, _power(plan.layout, plan.effects.with_gain(gain), plan.form, alpha, few, seed))
        for gain in np.linspace(0, reach, CURVE_POINTS).tolist()
    )
    return Sizing(plan, found, detectable, curve, _grid(plan, alpha, seed), _looks(plan, alpha, replications, seed))


def _grid(plan: Plan, alpha: float, seed: int) -> tuple[tuple[int, int, float], ...]:
    few = min(GRID_REPLICATIONS, int(plan.numbers["replications"]))
    if plan.is_real:
        sizes = sorted({max(2, round(plan.layout.people * part)) for part in (0.25, 0.5, 0.75, 1.0)})
        parts = [(people, plan.layout.first(people)) for people in sizes]
        return tuple((people, part.items, _power(part, plan.effects, plan.form, alpha, few, seed))
                     for people, part in parts if part.items >= 2)  # fmt: skip
    make = layouts.within if plan.design == "within" else layouts.between
    each = plan.numbers.get("each")
    found = []
    for people in _sizes(plan.numbers["people"]):
        for questions in _sizes(plan.numbers["questions"]):
            own = min(int(each), questions) if each else questions
            part = make(people, questions, own).without(plan.numbers["exclusions"], seed=seed)
            if part.people >= 2:
                found.append((people, questions, _power(part, plan.effects, plan.form, alpha, few, seed)))
    return tuple(found)


def _looks(plan: Plan, alpha: float, replications: int, seed: int) -> Looks | None:
    """Looks after equal parts of the people; the information fractions are those that the simulation expects."""
    count = int(plan.numbers["looks"])
    people = sorted({max(2, round(plan.layout.people * k / count)) for k in range(1, count + 1)})
    if count < 2 or len(people) < 2:
        return None
    parts = [plan.layout.first(number) for number in people]
    found = power.simulate(parts, plan.effects, form=plan.form, replications=replications, seed=seed)
    informations = [float(1 / np.square(each.se[each.se > 0]).mean()) for each in found]
    fractions = np.maximum.accumulate(np.minimum(1.0, np.array(informations) / informations[-1])).tolist()
    bounds = sequential.boundaries(fractions, alpha=alpha)
    crossed = np.stack([np.abs(each.z) >= bound for each, bound in zip(found, bounds, strict=True)])
    by = np.logical_or.accumulate(crossed).mean(axis=1)
    return Looks(tuple(people), tuple(fractions), tuple(bounds), tuple(by.tolist()), informations[-1])


def _power(plan: Layout, effects: Effects, form: Form, alpha: float, replications: int, seed: int) -> float:
    (found,) = power.simulate([plan], effects, form=form, replications=replications, seed=seed)
    return float(found.rejects(alpha).mean())


def _sizes(value: float) -> Sequence[int]:
    return sorted({max(2, round(value * part)) for part in GRID})


def _layout(numbers: dict[str, float], design: str, real: Layout | None, most_trials: int, *, is_given: bool) -> Layout:
    questions, people = int(numbers["questions"]), int(numbers["people"])
    each = int(numbers.get("each", questions))
    if real is None and each > questions:
        raise Refused({"each": f"Questions each = {each} is not allowed: there are {questions} questions."})
    plan = None if real is None else real.first(people) if is_given else real
    trials = people * each if plan is None else len(plan.person)
    if trials > most_trials:
        what = "people" if plan is not None else "people or questions each"
        allowed = f"use at most {most_trials:,} (fewer {what})"
        raise Refused({"people": f"{trials:,} trials are too many here: {allowed}."})
    make = layouts.within if design == "within" else layouts.between
    return make(people, questions, each) if plan is None else plan


def _effects(numbers: dict[str, float], values: Mapping[str, str], pilot: Effects | None) -> Effects:
    """What was typed in, before what the pilot says, before the defaults. Without a typed gain the default one."""
    typed = {name for name in EFFECT_FIELDS if values.get(name)}
    known = {} if pilot is None else {
        "accuracy": pilot.alone, "person": pilot.sd_person, "question": pilot.sd_question,
        "person_effect": pilot.sd_person_effect, "question_effect": pilot.sd_question_effect,
    }  # fmt: skip
    used = {name: numbers[name] if name in typed or name not in known else known[name] for name in EFFECT_FIELDS}
    try:
        found = Effects.of_shares(target=0.0 if "effect" in numbers else numbers["target"], **used)
    except ValueError as error:
        share = used["accuracy"] + numbers["target"]
        allowed = f"right alone {used['accuracy']:.3g} + gain {numbers['target']:g} = {share:.3g}: it must stay"
        raise Refused({"target": f"Gain to find: {allowed} between 0 and 1."}) from error
    return replace(found, effect=numbers["effect"]) if "effect" in numbers else found
