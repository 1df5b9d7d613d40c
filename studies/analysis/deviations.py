"""What was done otherwise than it was registered, and otherwise than in the paper."""

from collections.abc import Iterator
from dataclasses import dataclass

from studies.analysis import code as own_code
from studies.analysis import models_alone, paper
from studies.analysis.data import Data
from studies.analysis.preregistration import Preregistration

SHOWN = 12  # characters of a digest
NEAR = 0.1  # information fractions that differ by less are the planned ones: their boundaries follow the information


@dataclass(frozen=True)
class Deviation:
    """One thing: what it is, as it was registered (or as the paper has it), as it is."""

    what: str
    registered: str
    found: str


def deviations(data: Data, *, code: str | None = None) -> list[Deviation]:
    """Every deviation from the study's preregistration; empty without one. `code`: digest of the code that computes."""
    if data.registered is None:
        return []
    plan = data.registered
    return [*_settings(plan, data), *_versions(plan, data, code or own_code.digest()), *_exclusions(plan, data),
            *_looks(plan, data), *_sample(plan, data)]  # fmt: skip


def from_paper(data: Data) -> list[Deviation]:
    """How the model alone was asked otherwise than in the paper, by protocol."""
    names = sorted(data.models["protocol"].unique())
    found = ((name, paper.otherwise(name)) for name in names)
    return [
        Deviation(name, other.paper, other.told(models_alone.samples_of(data.models, _samples(name, other))))
        for name, other in found
        if other
    ]


def _samples(name: str, other: paper.Otherwise) -> str:
    _, at, assistant = name.partition("@")
    return f"{other.samples}{at}{assistant}"


def _settings(plan: Preregistration, data: Data) -> Iterator[Deviation]:
    study = data.study
    pairs = [
        ("Form of the primary contrast", plan.primary, study.primary),
        ("Subjects", plan.subjects, study.subjects),
        ("Alpha", f"{plan.alpha:g}", f"{study.alpha:g}"),
        ("Margin", _number(plan.margin), _number(study.margin)),
        ("Family of contrasts", ", ".join(plan.family), ", ".join(study.family)),
    ]
    if len(data.models):
        pairs.insert(1, ("Model alone, primary protocol", plan.baseline_protocol, data.primary_protocol))
    else:
        yield Deviation("Model alone, primary protocol", plan.baseline_protocol, "the model alone was not asked")
    yield from (Deviation(*pair) for pair in pairs if pair[1] != pair[2])


def _versions(plan: Preregistration, data: Data, code: str) -> Iterator[Deviation]:
    if data.study.spec_hash != plan.spec_hash:
        yield Deviation("Study file and plan (digest)", plan.spec_hash[:SHOWN], data.study.spec_hash[:SHOWN] or "none")
    if code != plan.code_sha256:
        yield Deviation("Code of the analysis (digest)", plan.code_sha256[:SHOWN], code[:SHOWN])


def _exclusions(plan: Preregistration, data: Data) -> Iterator[Deviation]:
    excluded = data.trials.loc[data.trials["excluded"] == 1]
    allowed = {plain(rule) for rule in plan.exclusions}
    rules = "; ".join(plan.exclusions) or "no rule"
    for (reason, post_hoc), part in excluded.groupby(["exclusion_reason", "post_hoc"], sort=True):
        count = part["participant"].nunique()
        name, people = str(reason) or "no reason recorded", f"{count} {'person' if count == 1 else 'people'}"
        if plain(str(reason)) not in allowed:
            yield Deviation("Exclusion by a rule that was not registered", rules, f"{name} ({people})")
        if post_hoc == 1:
            yield Deviation("Exclusion after outcomes were seen", "none", f"{name} ({people})")
    if late := data.study.taken_back_late:
        people = f"{late} {'person' if late == 1 else 'people'}"
        yield Deviation("Exclusion taken back after outcomes were seen", "none", people)


def _looks(plan: Preregistration, data: Data) -> Iterator[Deviation]:
    """Looks before the closing; their times may differ a little, since boundaries follow the information."""
    planned, taken = plan.looks[:-1], data.study.looks
    words = ", ".join(f"{fraction:.0%}" for fraction in planned) or "none before the study was closed"
    if len(taken) > len(planned):
        yield Deviation("Looks more than planned", words, f"{len(taken)}: {'; '.join(taken)}")
    elif len(taken) < len(planned) and data.study.is_closed:
        yield Deviation("Planned looks that were not taken", words, "; ".join(taken) or "none")
    most = data.study.max_information
    if most != plan.max_information:
        yield Deviation("Information at the end", _number(plan.max_information), _number(most))
    if most:
        for fraction, look in zip(planned, data.study.look_results, strict=False):
            if look.information is not None and abs(look.information / most - fraction) > NEAR:
                yield Deviation(f"Time of the look {look.at}", f"{fraction:.0%}", f"{look.information / most:.0%}")


def _sample(plan: Preregistration, data: Data) -> Iterator[Deviation]:
    people = data.trials["participant"].nunique()
    if people == plan.people or not data.study.is_closed:
        return
    word = "smaller" if people < plan.people else "larger"
    yield Deviation(f"Sample {word} than planned", f"{plan.people} people", f"{people} people with answers")


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:g}"


def plain(rule: str) -> str:
    """A rule as it is compared: case and spaces make no other rule."""
    return " ".join(rule.casefold().split())
