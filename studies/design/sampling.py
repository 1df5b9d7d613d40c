"""Draw a study's questions: seeded, by subject or not, no content twice, no passage twice unless allowed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from studies.design.streams import stream


@dataclass(frozen=True)
class Candidate:
    """A question that may be drawn. `content` and `passage` are content hashes; `passage` is empty without one."""

    question_id: int
    subject: str
    content: str
    passage: str
    option_count: int
    key: int


@dataclass(frozen=True)
class Wanted:
    """What a source asks for. The candidates' order must not depend on the database: it decides what is drawn."""

    source: str
    count: int
    is_stratified: bool
    candidates: Sequence[Candidate]


@dataclass(frozen=True)
class Drawn:
    """A question of the manifest. `stratum` is its subject where the source is stratified, else empty."""

    source: str
    stratum: str
    candidate: Candidate


@dataclass(frozen=True)
class Shortage:
    """A source that has too few questions, given what the sources before it took. `found` is all that it has.

    `found_with_repeats` is what it would have if passages were allowed to repeat.
    """

    source: str
    wanted: int
    found: int
    found_with_repeats: int


class NotEnoughQuestions(Exception):
    """One or more sources ask for more questions than there are."""

    code = "not_enough_questions"

    def __init__(self, shortages: Sequence[Shortage]) -> None:
        self.shortages = tuple(shortages)
        super().__init__("; ".join(f"{each.source}: {each.wanted} wanted, {each.found} found" for each in shortages))


def draw_sample(*, sources: Sequence[Wanted], are_repeats_allowed: bool, seed: int) -> list[Drawn]:
    """The manifest: source by source, each in the order drawn. NotEnoughQuestions names every source that is short.

    The same content is drawn once, whichever bank, split or subject it stands in. Where passages must not repeat, a
    passage gives one question to the whole study, because a participant may meet every question of it.
    """
    taken_contents: set[str] = set()
    taken_passages: set[str] = set()
    manifest: list[Drawn] = []
    shortages: list[Shortage] = []
    for wanted in sources:
        drawn = _draw(wanted, set(taken_contents), None if are_repeats_allowed else set(taken_passages), seed)
        if len(drawn) < wanted.count:
            everything = replace(wanted, count=len(wanted.candidates))
            with_repeats = len(_draw(everything, set(taken_contents), None, seed))
            shortages.append(Shortage(wanted.source, wanted.count, len(drawn), with_repeats))
        manifest += drawn
        taken_contents |= {each.candidate.content for each in drawn}
        taken_passages |= {each.candidate.passage for each in drawn}
    if shortages:
        raise NotEnoughQuestions(shortages)
    return manifest


def _draw(wanted: Wanted, contents: set[str], passages: set[str] | None, seed: int) -> list[Drawn]:
    """Take one question from each stratum in turn until there are enough or none is left.

    Equal numbers for each subject follow, and what a small subject lacks comes from the others. `contents` and
    `passages` (None: may repeat) are what is taken already; both are filled.
    """
    random = stream(seed, "sample", wanted.source)
    strata: dict[str, list[Candidate]] = {}
    for candidate in wanted.candidates:
        strata.setdefault(candidate.subject if wanted.is_stratified else "", []).append(candidate)
    order = sorted(strata)
    random.shuffle(order)
    for stratum in order:
        random.shuffle(strata[stratum])
    drawn: list[Drawn] = []
    while order and len(drawn) < wanted.count:
        for stratum in list(order):
            found = _next(strata[stratum], contents, passages)
            if found is None:
                order.remove(stratum)
            elif len(drawn) < wanted.count:
                contents.add(found.content)
                if passages is not None and found.passage:
                    passages.add(found.passage)
                drawn.append(Drawn(wanted.source, stratum, found))
    return drawn


def _next(pile: list[Candidate], contents: set[str], passages: set[str] | None) -> Candidate | None:
    """Take the next question of a shuffled pile that is not a repeat."""
    while pile:
        candidate = pile.pop()
        is_read = bool(candidate.passage) and passages is not None and candidate.passage in passages
        if candidate.content not in contents and not is_read:
            return candidate
    return None
