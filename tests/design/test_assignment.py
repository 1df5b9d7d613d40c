"""The assignment keeps its promises for every number of questions, conditions and slots."""

from collections import Counter
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.design.assignment import Item, SlotPlan, block_orders, plan_slots, split_into_groups
from studies.design.streams import stream

METHODS = ("fixed", "counterbalanced", "latin_square")
seeds = st.integers(0, 2**63 - 1)
counts = st.integers(1, 5)


def names(count: int) -> list[str]:
    return [f"condition_{number}" for number in range(count)]


@st.composite
def items(draw: st.DrawFn, least: int = 1) -> list[Item]:
    """Questions of up to three sources with up to four strata each."""
    sizes = draw(st.lists(st.lists(st.integers(0, 6), min_size=1, max_size=4), min_size=1, max_size=3))
    made = [
        (f"source_{source}", f"stratum_{stratum}")
        for source, strata in enumerate(sizes)
        for stratum, size in enumerate(strata)
        for _ in range(size)
    ]
    made += [("source_0", "stratum_0")] * max(0, least - len(made))
    return [Item(number, source, stratum) for number, (source, stratum) in enumerate(made, start=1)]


def planned(questions: list[Item], conditions: int, slots: int, method: str, seed: int) -> list[SlotPlan]:
    groups = split_into_groups(questions, conditions, stream(seed, "groups"))
    return plan_slots(groups=groups, conditions=names(conditions), slots=slots, method=method, seed=seed)


def orders_of(plans: list[SlotPlan]) -> list[tuple[str, ...]]:
    """The order of the conditions in each slot."""
    return [tuple(dict.fromkeys(trial.condition for trial in plan.trials)) for plan in plans]


def spread(counter: Counter[object], over: int) -> int:
    """The difference between the most and the least frequent of `over` values."""
    return max(counter.values()) - (min(counter.values()) if len(counter) == over else 0)


@given(items(least=5), counts, st.integers(1, 12), st.sampled_from(METHODS), seeds)
def test_every_slot_meets_every_question_once(questions, conditions, slots, method, seed):
    plans = planned(questions, conditions, slots, method, seed)
    assert [plan.number for plan in plans] == list(range(1, slots + 1))
    for plan in plans:
        assert sorted(trial.question_id for trial in plan.trials) == [item.question_id for item in questions]
        assert [trial.position for trial in plan.trials] == list(range(1, len(questions) + 1))


@given(items(least=5), counts, st.integers(1, 12), st.sampled_from(METHODS), seeds)
def test_a_block_is_one_condition_and_blocks_count_up(questions, conditions, slots, method, seed):
    for plan in planned(questions, conditions, slots, method, seed):
        blocks = [(trial.block, trial.condition) for trial in plan.trials]
        assert [block for block, _ in dict.fromkeys(blocks)] == list(range(1, conditions + 1))
        assert sorted(condition for _, condition in dict.fromkeys(blocks)) == names(conditions)
        assert [block for block, _ in blocks] == sorted(block for block, _ in blocks)


@given(items(least=5), counts, st.integers(1, 12), st.sampled_from(METHODS), seeds)
def test_one_seed_gives_one_plan(questions, conditions, slots, method, seed):
    first = planned(questions, conditions, slots, method, seed)
    assert planned(questions, conditions, slots, method, seed) == first
    longer = planned(questions, conditions, slots + 3, method, seed)
    assert longer[:slots] == first  # more slots leave the earlier ones as they were


@given(items(least=5), counts, seeds)
def test_groups_are_even_for_each_source_and_stratum(questions, count, seed):
    groups = split_into_groups(questions, count, Random(seed))
    for key in (lambda item: 0, lambda item: item.source, lambda item: (item.source, item.stratum)):
        for value in {key(item) for item in questions}:
            sizes = [sum(key(item) == value for item in group) for group in groups]
            assert max(sizes) - min(sizes) <= 1
    assert sorted(item.question_id for group in groups for item in group) == [item.question_id for item in questions]


@given(items(least=5), counts, st.integers(1, 30), seeds)
def test_latin_square_meets_each_question_equally_often_in_each_condition(questions, conditions, slots, seed):
    met: dict[int, Counter[str]] = {}
    for plan in planned(questions, conditions, slots, "latin_square", seed):
        for trial in plan.trials:
            met.setdefault(trial.question_id, Counter())[trial.condition] += 1
        assert all(spread(counter, conditions) <= 1 for counter in met.values())  # at every number of slots


@given(items(least=5), counts, st.integers(1, 30), st.sampled_from(METHODS[1:]), seeds)
def test_orders_of_blocks_are_balanced_at_every_number_of_slots(questions, conditions, slots, method, seed):
    found: Counter[object] = Counter()
    for order in orders_of(planned(questions, conditions, slots, method, seed)):
        found[order] += 1
        assert spread(found, len(block_orders(conditions))) <= 1


@given(items(least=5), counts, st.sampled_from(["counterbalanced", "latin_square"]), seeds)
def test_whole_rounds_hold_each_cell_equally_often(questions, conditions, method, seed):
    cells = len(block_orders(conditions)) * (conditions if method == "latin_square" else 1)
    found = Counter(plan.list_name for plan in planned(questions, conditions, 2 * cells, method, seed))
    assert set(found.values()) == {2}
    assert len(found) == cells


@given(items(least=5), counts, st.integers(1, 8), seeds)
def test_fixed_is_the_same_for_all_in_the_order_of_the_file(questions, conditions, slots, seed):
    plans = planned(questions, conditions, slots, "fixed", seed)
    assert len({plan.trials for plan in plans}) == 1
    assert orders_of(plans)[0] == tuple(names(conditions))
    assert {plan.list_name for plan in plans} == {"fixed"}


@given(items(least=5), counts, st.integers(2, 12), seeds)
def test_counterbalanced_keeps_each_question_in_one_condition(questions, conditions, slots, seed):
    met: dict[int, set[str]] = {}
    for plan in planned(questions, conditions, slots, "counterbalanced", seed):
        for trial in plan.trials:
            met.setdefault(trial.question_id, set()).add(trial.condition)
    assert all(len(conditions) == 1 for conditions in met.values())


@pytest.mark.parametrize("count", range(1, 8))
def test_block_orders_balance_places_and_neighbours(count):
    orders = block_orders(count)
    assert orders[0] == tuple(range(count))
    assert all(sorted(order) == list(range(count)) for order in orders)
    for place in range(count):
        assert len(set(Counter(order[place] for order in orders).values())) == 1
    pairs = Counter(pair for order in orders for pair in pairwise(order))
    assert len(pairs) == count * (count - 1)
    assert len(set(pairs.values())) <= 1


def test_each_slot_has_its_own_order_of_trials():
    questions = [Item(number, "a") for number in range(20)]
    plans = planned(questions, 1, 10, "latin_square", 3)
    assert len({plan.trials for plan in plans}) == 10


def test_two_conditions_have_four_lists_and_slots_fill_them_in_pairs():
    questions = [Item(number, "a") for number in range(8)]
    lists = [plan.list_name for plan in planned(questions, 2, 48, "latin_square", 5)]
    assert Counter(lists) == {"r0s0": 12, "r0s1": 12, "r1s0": 12, "r1s1": 12}
    for first, second in zip(lists[::2], lists[1::2], strict=True):
        assert first[1] != second[1]
        assert first[3] != second[3]


def test_the_name_of_a_list_says_what_it_is():
    questions = [Item(number, "a") for number in range(8)]
    groups = split_into_groups(questions, 2, stream(5, "groups"))
    plans = plan_slots(groups=groups, conditions=["alone", "chat"], slots=8, method="latin_square", seed=5)
    for plan in plans:
        rotation, swap = int(plan.list_name[1]), int(plan.list_name[3])
        assert plan.trials[0].condition == ("chat" if swap else "alone")
        alone = {trial.question_id for trial in plan.trials if trial.condition == "alone"}
        assert alone == {item.question_id for item in groups[(0 - rotation) % 2]}


def test_an_unknown_method_is_an_error():
    with pytest.raises(KeyError):
        plan_slots(groups=[[]], conditions=["a"], slots=1, method="random", seed=1)
