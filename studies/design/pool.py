"""The questions that a study file's sources may draw from, and what to change when the banks have too few."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from math import ceil

from studies.design.problems import Problem, nearest, shown
from studies.design.sampling import Candidate, Drawn, NotEnoughQuestions, Wanted, draw_sample
from studies.design.spec import SourceTable, Spec
from studies.questions.queries import BankSummary, banks, get_bank, questions_of

Banks = Mapping[str, BankSummary]


@dataclass(frozen=True)
class Fit:
    """Settings with which the study can be made from the questions that are here: (key, value as for --set)."""

    settings: tuple[tuple[str, str], ...]
    questions: int


class CannotSample(Exception):
    """The banks cannot give what the study file asks for. `problems` say what is missing, `fits` what would go."""

    code = "cannot_sample"

    def __init__(self, problems: list[Problem], fits: list[Fit]) -> None:
        self.problems, self.fits = tuple(problems), tuple(fits)
        super().__init__("\n".join(str(problem) for problem in problems))


def sample(spec: Spec) -> list[Drawn]:
    """Draw the study's manifest from the banks. Raises CannotSample."""
    there = {bank.name: bank for bank in banks()}
    problems = [problem for source in spec.questions for problem in _missing(source, there)]
    usable = [source for source in spec.questions if not _missing(source, there)]
    try:
        manifest = _draw(replace(spec, questions=tuple(usable)))
    except NotEnoughQuestions as error:
        problems += [_too_few(spec, each.source, each.found, each.found_with_repeats) for each in error.shortages]
    if problems:
        raise CannotSample(problems, _fits(spec, there))
    return manifest


def candidates(source: SourceTable) -> list[Candidate]:
    """Every question of the source's bank, split and subjects. Their order does not depend on the database."""
    rows = questions_of(get_bank(source.bank), split=source.split, subjects=source.subjects, is_distinct=False)
    found = rows.values_list(
        "subject", "content_hash", "occurrence", "pk", "passage_id", "passage__content_hash", "options", "key"
    )
    return [
        Candidate(
            question_id=pk,
            subject=subject,
            content=content,
            passage=(passage_hash or f"row {passage_id}") if passage_id else "",
            option_count=len(options),
            key=key,
        )
        for subject, content, _, pk, passage_id, passage_hash, options, key in sorted(found, key=lambda row: row[:3])
    ]


def _draw(spec: Spec) -> list[Drawn]:
    wanted = [Wanted(each.name, each.count, each.stratify, candidates(each)) for each in spec.questions]
    repeats = spec.assignment.passage_repeats == "allow"
    return draw_sample(sources=wanted, are_repeats_allowed=repeats, seed=spec.study.seed)


def _missing(source: SourceTable, there: Banks) -> list[Problem]:
    path = f"questions.{source.name}"
    if source.bank not in there:
        inside = "; ".join(_contents(bank) for bank in there.values()) or "no bank at all"
        sentence = (
            f"={source.bank!r}: no such bank; {source.count:,} questions of its split {source.split!r} are needed. "
            f"There is {inside}. Import it with import_mmlu or import_quality and --bank {source.bank}."
        )
        return [Problem(f"{path}.bank", sentence)]
    bank = there[source.bank]
    if source.split not in bank.splits:
        return [Problem(f"{path}.split", f"={source.split!r}: no such split. There is: {_contents(bank)}.")]
    subjects = list(bank.counts[source.split])
    unknown = [subject for subject in source.subjects if subject not in subjects]
    return [
        Problem(f"{path}.subjects", f"={shown(subject)}: no such subject. {nearest(subject, subjects)}")
        for subject in unknown
    ]


def _contents(bank: BankSummary) -> str:
    return f"{bank.name} ({', '.join(f'{split} {count:,}' for split, count in sorted(bank.splits.items()))})"


def _too_few(spec: Spec, name: str, found: int, with_repeats: int) -> Problem:
    source = spec.source(name)
    why = ""
    if found < with_repeats:
        why = f", one on each passage, because assignment.passage_repeats is never ({with_repeats:,} with repeats)"
    sentence = (
        f"={source.count}: bank {source.bank!r}, split {source.split!r}, has {found:,} different questions to draw"
        f"{why}; {source.count - found:,} are missing."
    )
    return Problem(f"questions.{name}.count", sentence)


def _fits(spec: Spec, there: Banks) -> list[Fit]:
    """What would go as the file stands otherwise, and what would go if passages were allowed to repeat."""
    found = [_fit(spec, spec, there)]
    if spec.assignment.passage_repeats == "never":
        allowed = replace(spec, assignment=replace(spec.assignment, passage_repeats="allow"))
        with_repeats = _fit(spec, allowed, there)
        if with_repeats and (found[0] is None or with_repeats.questions > found[0].questions):
            found.append(with_repeats)
    return [fit for fit in found if fit]


def _fit(asked: Spec, spec: Spec, there: Banks) -> Fit | None:
    """Take a bank with a similar name where one is missing, then as many questions as it has; None where that fails.

    Fewer questions are rounded down to the same number for each condition.
    """
    stand_ins = [_stand_in(source, there) for source in spec.questions]
    sources = {source.name: source for source in stand_ins if source is not None}
    if len(sources) < len(spec.questions):
        return None
    groups = len(spec.conditions)
    while True:
        trial = replace(spec, questions=tuple(sources.values()))
        try:
            questions = len(_draw(trial))
            return Fit(tuple(_changes(asked, trial)), questions)
        except NotEnoughQuestions as error:
            for each in error.shortages:
                count = each.found - each.found % groups or each.found
                if count == 0:
                    return None
                sources[each.source] = replace(sources[each.source], count=count)


def _stand_in(source: SourceTable, there: Banks) -> SourceTable | None:
    name = source.bank
    if name not in there:
        alike = [each for each in there if name in each or each in name]
        alike = alike or get_close_matches(name, list(there), n=1, cutoff=0.5)
        if not alike:
            return None
        name = alike[0]
    bank = there[name]
    if not bank.splits:
        return None
    split = source.split if source.split in bank.splits else max(bank.splits, key=lambda each: bank.splits[each])
    subjects = tuple(each for each in source.subjects if each in bank.counts[split])
    return replace(source, bank=name, split=split, subjects=subjects)


def _changes(asked: Spec, fitting: Spec) -> list[tuple[str, str]]:
    changes = []
    for old, new in zip(asked.questions, fitting.questions, strict=True):
        for key in ("bank", "split", "subjects", "count"):
            value = getattr(new, key)
            if value != getattr(old, key):
                text = json.dumps(value) if isinstance(value, tuple) else str(value)
                changes.append((f"questions.{old.name}.{key}", text))
    before, after = (sum(source.count for source in spec.questions) for spec in (asked, fitting))
    if after < before:  # people are told how long it takes, and must not be told wrong
        changes.append(("study.expected_minutes", str(ceil(asked.study.expected_minutes * after / before))))
    if asked.assignment != fitting.assignment:
        changes.append(("assignment.passage_repeats", fitting.assignment.passage_repeats))
    return changes
