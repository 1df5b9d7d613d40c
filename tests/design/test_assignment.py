"""The assignment keeps its promises for every number of questions, conditions and slots."""

from collections import Counter
from itertools import groupby, pairwise, permutations
from math import sqrt
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.design.assignment import ROTATING, Item, SlotPlan, block_orders, plan_slots, split_into_groups
from studies.design.keys import key_of, keys_of
from studies.design.spec import AssignmentTable
from studies.design.streams import stream
from studies.design.summary import METHODS as DESCRIBED

IN_BLOCKS = ("fixed", "counterbalanced", "latin_square")
METHODS = (*IN_BLOCKS, "interleaved")
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


def rounds_of(plan: SlotPlan, conditions: int) -> list[tuple[str, ...]]:
    """The conditions of an interleaved slot, round by round."""
    met = [trial.condition for trial in plan.trials]
    return [tuple(met[start : start + conditions]) for start in range(0, len(met), conditions)]


def spread(counter: Counter[object], over: int) -> int:
    """The difference between the most and the least frequent of `over` values."""
    return max(counter.values()) - (min(counter.values()) if len(counter) == over else 0)


def test_every_method_of_the_study_file_is_planned_and_described():
    assert key_of(keys_of(AssignmentTable)["method"]).choices == METHODS == tuple(DESCRIBED)
    assert all(planned([Item(1, "a"), Item(2, "a")], 2, 1, method, 1) for method in METHODS)


@given(items(least=5), counts, st.integers(1, 12), st.sampled_from(METHODS), seeds)
def test_every_slot_meets_every_question_once(questions, conditions, slots, method, seed):
    plans = planned(questions, conditions, slots, method, seed)
    assert [plan.number for plan in plans] == list(range(1, slots + 1))
    for plan in plans:
        assert sorted(trial.question_id for trial in plan.trials) == [item.question_id for item in questions]
        assert [trial.position for trial in plan.trials] == list(range(1, len(questions) + 1))


@given(items(least=5), counts, st.integers(1, 12), st.sampled_from(IN_BLOCKS), seeds)
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


@given(items(least=5), counts, st.integers(1, 30), st.sampled_from(sorted(ROTATING)), seeds)
def test_where_samples_rotate_each_question_is_met_equally_often(questions, conditions, slots, method, seed):
    met: dict[int, Counter[str]] = {}
    for plan in planned(questions, conditions, slots, method, seed):
        for trial in plan.trials:
            met.setdefault(trial.question_id, Counter())[trial.condition] += 1
        assert all(spread(counter, conditions) <= 1 for counter in met.values())  # at every number of slots


@given(items(least=5), counts, st.integers(1, 30), st.sampled_from(IN_BLOCKS[1:]), seeds)
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


@given(items(least=5), st.integers(2, 5), st.integers(1, 12), seeds)
def test_each_interleaved_round_holds_each_condition_once_and_the_last_what_is_left(questions, conditions, slots, seed):
    for plan in planned(questions, conditions, slots, "interleaved", seed):
        *whole, last = rounds_of(plan, conditions)
        assert all(sorted(each) == names(conditions) for each in whole)
        assert len(set(last)) == len(last) == (len(questions) - 1) % conditions + 1
        in_a_row = [len(list(run)) for _, run in groupby(trial.condition for trial in plan.trials)]
        assert max(in_a_row) <= 2
        assert {trial.block for trial in plan.trials} == {1}


@given(items(least=5), counts, st.integers(1, 30), seeds)
def test_interleaved_rotations_are_balanced_at_every_number_of_slots(questions, conditions, slots, seed):
    found: Counter[object] = Counter()
    for plan in planned(questions, conditions, slots, "interleaved", seed):
        found[plan.list_name] += 1
        assert spread(found, conditions) <= 1
    assert set(found) <= {f"r{rotation}" for rotation in range(conditions)}


def test_uneven_groups_leave_the_rest_to_the_last_round():
    questions = [Item(number, "a") for number in range(7)]
    plans = planned(questions, 3, 6, "interleaved", 2)
    assert [len(each) for each in rounds_of(plans[0], 3)] == [3, 3, 1]
    assert {rounds_of(plan, 3)[-1] for plan in plans} == {("condition_0",), ("condition_1",), ("condition_2",)}


def test_the_order_within_a_round_is_drawn_anew_for_each_slot_and_round():
    questions = [Item(number, "a") for number in range(60)]
    plans = planned(questions, 3, 60, "interleaved", 4)
    each = [rounds_of(plan, 3) for plan in plans]
    assert len({tuple(rounds) for rounds in each}) == 60
    found = Counter(order for rounds in each for order in rounds)
    assert set(found) == set(permutations(names(3)))
    assert all(abs(count - 200) < 5 * sqrt(1200 * 1 / 6 * 5 / 6) for count in found.values())
    following = Counter(pair for rounds in each for pair in pairwise(rounds))
    assert len(following) == 36
    assert all(abs(count - 1140 / 36) < 5 * sqrt(1140 / 36) for count in following.values())


def test_the_order_of_an_interleaved_slots_questions_does_not_hang_on_its_rotation():
    """Questions 1 and 2 are of one group, 3 of the other: four orders, each as likely under both rotations."""
    groups = [[Item(1, "a"), Item(2, "a")], [Item(3, "a")]]
    found: Counter[tuple[str, tuple[int, ...]]] = Counter()
    for seed in range(4_000):
        [plan] = plan_slots(groups=groups, conditions=["x", "y"], slots=1, method="interleaved", seed=seed)
        found[plan.list_name, tuple(trial.question_id for trial in plan.trials)] += 1
    orders = {(1, 3, 2), (3, 1, 2), (2, 3, 1), (3, 2, 1)}
    assert set(found) == {(f"r{rotation}", order) for rotation in (0, 1) for order in orders}
    assert all(abs(count - 500) < 5 * sqrt(4_000 * 1 / 8 * 7 / 8) for count in found.values())


def test_the_name_of_an_interleaved_list_says_which_group_is_met_under_which_condition():
    questions = [Item(number, "a") for number in range(9)]
    groups = split_into_groups(questions, 3, stream(5, "groups"))
    conditions = ["alone", "chat", "other"]
    plans = plan_slots(groups=groups, conditions=conditions, slots=6, method="interleaved", seed=5)
    assert Counter(plan.list_name for plan in plans) == {"r0": 2, "r1": 2, "r2": 2}
    for plan in plans:
        under = {trial.question_id: trial.condition for trial in plan.trials}
        for number, group in enumerate(groups):
            assert {under[item.question_id] for item in group} == {conditions[(number + int(plan.list_name[1])) % 3]}


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


@pytest.mark.parametrize("method", sorted(ROTATING))
def test_each_slot_has_its_own_order_of_trials(method):
    questions = [Item(number, "a") for number in range(20)]
    plans = planned(questions, 1, 10, method, 3)
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
