"""Who answers which question under which condition, in which order: pure, seeded, balanced at every number of slots.

People take the lowest free slot, so that a study which ends early has used the slots from 1 on. Every method is
therefore balanced over the slots 1 to n for each n, not only for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from random import Random

from studies.design.streams import stream

ROTATING = frozenset({"latin_square", "interleaved"})  # every question is met under every condition, by other people


@dataclass(frozen=True)
class Item:
    """A question to be assigned. Questions of one source and stratum are spread evenly over the groups."""

    question_id: int
    source: str
    stratum: str = ""


@dataclass(frozen=True)
class PlannedTrial:
    """`position` and `block` count from 1.

    A block is a stretch of trials that belong together for the person (`feedback = end_of_block`) and for the
    randomisation test (what a slot meets there is given, under which condition is drawn): all questions of a condition,
    or, where conditions are interleaved, the whole slot. A round of it would be no block: keys shown after each would
    be feedback after every few questions, and hardly any two slots have the same questions in one.
    """

    position: int
    block: int
    question_id: int
    condition: str


@dataclass(frozen=True)
class SlotPlan:
    """`number` counts from 1. `list_name` is the randomisation's stratum: r = rotation, s = order of the blocks."""

    number: int
    list_name: str
    trials: tuple[PlannedTrial, ...]


@dataclass(frozen=True)
class Cell:
    """Where a slot stands in the design: group g is answered under condition g + rotation, blocks in order `order`.

    An interleaved slot has no order of blocks; it says 0.
    """

    rotation: int
    order: int


def plan_slots(
    *, groups: Sequence[Sequence[Item]], conditions: Sequence[str], slots: int, method: str, seed: int
) -> list[SlotPlan]:
    """The plan of every slot. `groups` come from `split_into_groups`, one for each condition.

    fixed: group g under condition g, conditions in the file's order, trials in one order for all. counterbalanced: the
    same with the order of the blocks balanced over the slots. latin_square: the groups also rotate through the
    conditions. interleaved: the groups rotate, and the trials come in rounds of one from each condition. In all but
    fixed each slot has its own order of trials within a block. KeyError for another method.
    """
    cells, name = _METHODS[method]
    lay_out = _in_rounds if method == "interleaved" else _in_blocks
    plans = []
    for number, cell in enumerate(islice(cells(len(conditions), seed), slots), start=1):
        random = stream(seed, "order", 0 if method == "fixed" else number)
        met = lay_out(groups, cell, random)
        trials = tuple(PlannedTrial(n, b, item.question_id, conditions[c]) for n, (b, item, c) in enumerate(met, 1))
        plans.append(SlotPlan(number, name.format(r=cell.rotation, s=cell.order), trials))
    return plans


def split_into_groups(items: Sequence[Item], count: int, random: Random) -> list[list[Item]]:
    """Deal the questions into `count` groups like cards: one round after the other, from a deck sorted by stratum.

    Whatever stands together in the deck is dealt evenly, so that group sizes differ by at most one question in total,
    for each source and for each stratum of it.
    """
    strata: dict[str, dict[str, list[Item]]] = {}
    for item in items:
        strata.setdefault(item.source, {}).setdefault(item.stratum, []).append(item)
    deck: list[Item] = []
    for source in strata.values():
        for stratum in random.sample(sorted(source), len(source)):
            deck += random.sample(source[stratum], len(source[stratum]))
    seats = random.sample(range(count), count)
    groups: list[list[Item]] = [[] for _ in range(count)]
    for place, item in enumerate(deck):
        groups[seats[place % count]].append(item)
    return groups


def block_orders(count: int) -> list[tuple[int, ...]]:
    """Orders in which each condition has each place equally often and follows each other one equally often.

    Williams' design (1949): `count` orders, or twice as many when `count` is odd and above 1. The first is 0, 1, 2, …
    """
    zigzag = [0] + [(step + 1) // 2 if step % 2 else count - step // 2 for step in range(1, count)]
    place_of = {value: place for place, value in enumerate(zigzag)}  # renamed so that the first order counts up
    orders = [tuple(place_of[(value + start) % count] for value in zigzag) for start in range(count)]
    if count % 2 and count > 1:
        orders += [tuple(reversed(order)) for order in orders]
    return orders


Met = Iterator[tuple[int, Item, int]]  # block, question, condition


def _in_blocks(groups: Sequence[Sequence[Item]], cell: Cell, random: Random) -> Met:
    for block, condition in enumerate(block_orders(len(groups))[cell.order], start=1):
        group = groups[(condition - cell.rotation) % len(groups)]
        yield from ((block, item, condition) for item in random.sample(group, len(group)))


def _in_rounds(groups: Sequence[Sequence[Item]], cell: Cell, random: Random) -> Met:
    """Rounds of one question from each group, so from each condition, in an order drawn for each round.

    So nobody has more than two questions in a row under one condition, and at any point of a session the conditions
    have had equally many questions, but for the round that is under way. At uneven sizes the last rounds hold what is
    left. What is drawn here does not depend on the rotation: given the order in which a slot meets its questions, each
    rotation was equally likely, which is what the randomisation test draws again.
    """
    piles = [random.sample(group, len(group)) for group in groups]
    for dealt in zip_longest(*piles):
        there = [(number, item) for number, item in enumerate(dealt) if item is not None]
        for number, item in random.sample(there, len(there)):
            yield 1, item, (number + cell.rotation) % len(groups)


def _fixed(count: int, seed: int) -> Iterator[Cell]:
    while True:
        yield Cell(0, 0)


def _counterbalanced(count: int, seed: int) -> Iterator[Cell]:
    """Every order once, shuffled, and again."""
    random = stream(seed, "cells")
    orders = range(len(block_orders(count)))
    while True:
        for order in random.sample(orders, len(orders)):
            yield Cell(0, order)


def _latin_square(count: int, seed: int) -> Iterator[Cell]:
    """Every rotation with every order once, and again; rounds of `count` slots hold each rotation once.

    In a round the orders differ too, and two rounds that follow each other hold different ones where there are twice
    as many orders as conditions. So counts of rotations and of orders differ by at most one at every slot.
    """
    random = stream(seed, "cells")
    orders = len(block_orders(count))
    while True:
        label = random.sample(range(orders), orders)
        for start in random.sample(range(count), count):
            for shift in range(0, orders, count):
                cells = [Cell(r, label[(start + shift + r) % orders]) for r in range(count)]
                yield from random.sample(cells, count)


def _interleaved(count: int, seed: int) -> Iterator[Cell]:
    """Every rotation once, shuffled, and again: each round of `count` slots holds each rotation once."""
    random = stream(seed, "cells")
    while True:
        for rotation in random.sample(range(count), count):
            yield Cell(rotation, 0)


_METHODS: dict[str, tuple[Callable[[int, int], Iterator[Cell]], str]] = {
    "fixed": (_fixed, "fixed"),
    "counterbalanced": (_counterbalanced, "s{s}"),
    "latin_square": (_latin_square, "r{r}s{s}"),
    "interleaved": (_interleaved, "r{r}"),
}
