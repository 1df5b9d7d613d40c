"""Stances are right exactly as often as planned, spread evenly, and wrong in every way alike."""

from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from studies.design.stance import Arguable, draw_stances

shares = st.floats(0, 1)


@st.composite
def arguables(draw: st.DrawFn) -> list[Arguable]:
    return [
        Arguable(f"s{subject}", options, draw(st.integers(0, options - 1)), spread)
        for subject, options, spread in draw(
            st.lists(st.tuples(st.integers(0, 3), st.integers(2, 5), st.integers(0, 3)), min_size=1, max_size=60)
        )
    ]


def right(items: list[Arguable], stances: list[int]) -> list[bool]:
    return [item.key == stance for item, stance in zip(items, stances, strict=True)]


@given(arguables(), shares, st.integers())
def test_the_count_of_right_stances_is_exact(items, accuracy, seed):
    stances = draw_stances(items=items, accuracy=accuracy, accuracy_by_subject={}, random=Random(seed))
    assert sum(right(items, stances)) == round(accuracy * len(items))
    assert all(0 <= stance < item.option_count for item, stance in zip(items, stances, strict=True))


@given(arguables(), shares, shares, st.integers())
def test_a_subject_of_its_own_is_exact_too(items, accuracy, own, seed):
    stances = draw_stances(items=items, accuracy=accuracy, accuracy_by_subject={"s0": own}, random=Random(seed))
    marks = right(items, stances)
    of_own = [mark for item, mark in zip(items, marks, strict=True) if item.subject == "s0"]
    others = [mark for item, mark in zip(items, marks, strict=True) if item.subject != "s0"]
    assert sum(of_own) == round(own * len(of_own))
    assert sum(others) == round(accuracy * len(others))


@given(arguables(), shares, st.integers())
def test_each_group_has_its_share_to_within_one(items, accuracy, seed):
    stances = draw_stances(items=items, accuracy=accuracy, accuracy_by_subject={}, random=Random(seed))
    marks = right(items, stances)
    total = round(accuracy * len(items)) / len(items)
    for spread in {item.spread for item in items}:
        own = [mark for item, mark in zip(items, marks, strict=True) if item.spread == spread]
        assert abs(sum(own) - total * len(own)) < 1


@given(arguables(), shares, st.integers())
def test_one_seed_gives_one_draw(items, accuracy, seed):
    first, second = (
        draw_stances(items=items, accuracy=accuracy, accuracy_by_subject={}, random=Random(seed)) for _ in range(2)
    )
    assert first == second


def test_every_question_is_right_equally_often_and_wrong_options_are_alike():
    items = [Arguable("s", 4, 1, place % 2) for place in range(7)]
    times, wrong = Counter(), Counter()
    for seed in range(3000):
        stances = draw_stances(items=items, accuracy=0.6, accuracy_by_subject={}, random=Random(seed))
        times.update(place for place, mark in enumerate(right(items, stances)) if mark)
        wrong.update(stance for stance in stances if stance != 1)
    # round(.6 x 7) = 4 of 7: 1,714 of 3,000 expected each, standard deviation 27.1; 9,000 wrong ones over three
    # options: 3,000 each, standard deviation 44.7. Five standard deviations are allowed.
    assert all(abs(times[place] - 3000 * 4 / 7) < 136 for place in range(7))
    assert set(wrong) == {0, 2, 3}
    assert all(abs(count - 3000) < 224 for count in wrong.values())
