"""Who is to meet which question under which condition, as arrays: the plan that a power simulation runs on."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Layout:
    """One entry per trial, people in the order in which they come. `item` is the question-side cluster (passage)."""

    person: Codes
    question: Codes
    item: Codes
    treated: Flags

    @property
    def people(self) -> int:
        return len(np.unique(self.person))

    @property
    def items(self) -> int:
        return len(np.unique(self.item))

    @property
    def is_within_questions(self) -> bool:
        """Whether at least half of the questions are met in both conditions."""
        both = np.intersect1d(self.question[self.treated], self.question[~self.treated])
        return 2 * len(both) >= len(np.unique(self.question))

    def first(self, people: int) -> "Layout":
        """The trials of those who come first."""
        return self.at(self.person < people)

    def without(self, share: float, *, seed: int) -> "Layout":
        """Without that share of the people, drawn once; the others stay in their order."""
        gone = round(share * self.people)
        if gone == 0:
            return self
        kept = np.sort(np.random.default_rng(seed).permutation(self.people)[gone:])
        rows = np.isin(self.person, kept)
        return replace(self.at(rows), person=np.searchsorted(kept, self.person[rows]).astype(np.int64))

    def at(self, rows: Flags) -> "Layout":
        """Some of the trials."""
        return Layout(self.person[rows], self.question[rows], self.item[rows], self.treated[rows])


def within(people: int, questions: int, each: int) -> Layout:
    """A Latin square: two people who follow each other meet the same `each` questions with exchanged conditions.

    Half of a person's questions come with the model; the next pair goes on where the last one ended, so that every
    question is met equally often.
    """
    person = np.repeat(np.arange(people), each)
    place = np.tile(np.arange(each), people)
    question = (person // 2 * each + place) % questions
    return Layout(person, question, question, (place + person) % 2 == 1)


def between(people: int, questions: int, each: int) -> Layout:
    """Every second person has the model on all of their questions; pairs meet the same questions, as in `within`."""
    plan = within(people, questions, each)
    return replace(plan, treated=plan.person % 2 == 1)


def of_rows(person: Codes, question: Codes, item: Codes, treated: Flags) -> Layout:
    """A real plan: any codes, put in the order of people."""
    order = np.argsort(person, kind="stable")

    def coded(each: Codes) -> Codes:
        return np.unique(each, return_inverse=True)[1][order].astype(np.int64)

    return Layout(coded(person), coded(question), coded(item), treated[order])
