"""Draw the option that a controlled assistant argues for: an exact share is right, and nobody can tell which."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Arguable:
    """Something to argue about. `spread` names what the right stances are spread evenly over: a group or a slot."""

    subject: str
    option_count: int
    key: int
    spread: Hashable = 0


def draw_stances(
    *, items: Sequence[Arguable], accuracy: float, accuracy_by_subject: Mapping[str, float], random: Random
) -> list[int]:
    """One option for each item, in the same order.

    Of n items round(accuracy x n) get their key (Python's rounding: halves to even), exactly; a subject in
    `accuracy_by_subject` is counted for itself, the other subjects together. Each item is equally likely to be right,
    and each group of `spread` has its share of right ones to within one. A wrong stance is any wrong option, all
    equally likely.
    """
    by_share: dict[str | None, list[int]] = {}
    for place, item in enumerate(items):
        by_share.setdefault(item.subject if item.subject in accuracy_by_subject else None, []).append(place)
    stances = [item.key for item in items]
    for subject, places in by_share.items():
        share = accuracy if subject is None else accuracy_by_subject[subject]
        right = round(share * len(places))
        are_right = _spread_evenly([items[place].spread for place in places], right, random)
        for place, is_right in zip(places, are_right, strict=True):
            if not is_right:
                stances[place] = _wrong_option(items[place], random)
    return stances


def _wrong_option(item: Arguable, random: Random) -> int:
    return random.choice([option for option in range(item.option_count) if option != item.key])


def _spread_evenly(groups: Sequence[Hashable], right: int, random: Random) -> list[bool]:
    """Mark `right` of the places, as systematic sampling does: shuffled within groups, every n/right-th one."""
    total = len(groups)
    first = {group: place for place, group in reversed(list(enumerate(groups)))}
    order = sorted(range(total), key=lambda place: (first[groups[place]], random.random()))
    start = random.randrange(total)
    marks = [False] * total
    for step, place in enumerate(order):
        marks[place] = ((step + 1) * right + start) // total > (step * right + start) // total
    return marks
