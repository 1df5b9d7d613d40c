"""Questions are drawn by seed, evenly over subjects, and nothing is drawn twice."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.design.sampling import Candidate, NotEnoughQuestions, Shortage, Wanted, draw_sample


def candidates(*, subjects: int = 3, each: int = 5, content: str = "c", passage: str = "") -> list[Candidate]:
    return [
        Candidate(
            question_id=subject * 1000 + number,
            subject=f"s{subject}",
            content=f"{content}{subject}-{number}",
            passage=f"{passage}{number % 3}" if passage else "",
            option_count=4,
            key=0,
        )
        for subject in range(subjects)
        for number in range(each)
    ]


def draw(*sources: Wanted, repeats: bool = False, seed: int = 1) -> list[int]:
    drawn = draw_sample(sources=sources, are_repeats_allowed=repeats, seed=seed)
    return [each.candidate.question_id for each in drawn]


def test_one_seed_gives_one_sample_and_another_gives_another():
    wanted = Wanted("a", 6, False, candidates())
    assert draw(wanted) == draw(wanted)
    assert draw(wanted) != draw(wanted, seed=2)


def test_a_source_is_drawn_the_same_whatever_other_sources_there_are():
    own, other = Wanted("a", 6, False, candidates()), Wanted("b", 3, True, candidates(content="d"))
    assert draw(own, other)[:6] == draw(own)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(0, 2**32), st.data())
def test_strata_are_as_equal_as_their_sizes_allow(sizes, seed, data):
    count = data.draw(st.integers(1, sum(sizes)))
    pool = [
        Candidate(place * 100 + number, f"s{place}", f"{place}-{number}", "", 4, 0)
        for place, size in enumerate(sizes)
        for number in range(size)
    ]
    drawn = draw_sample(sources=[Wanted("a", count, True, pool)], are_repeats_allowed=False, seed=seed)
    found = Counter(each.candidate.subject for each in drawn)
    assert sum(found.values()) == count
    most = max(found.values())
    for place, size in enumerate(sizes):
        assert found[f"s{place}"] >= min(size, most - 1)  # nobody is short while another has two more


@given(st.integers(0, 2**32), st.booleans(), st.booleans(), st.integers(1, 6))
def test_no_content_and_no_passage_twice(seed, is_stratified, repeats, count):
    pool = candidates(subjects=2, each=6, passage="p") + candidates(subjects=2, each=6, content="c", passage="p")
    first = Wanted("a", min(count, 2), is_stratified, pool)
    second = Wanted("b", 1, is_stratified, pool)
    drawn = draw_sample(sources=[first, second], are_repeats_allowed=repeats, seed=seed)
    contents = [each.candidate.content for each in drawn]
    passages = [each.candidate.passage for each in drawn]
    assert len(set(contents)) == len(contents) == first.count + 1
    if not repeats:
        assert len(set(passages)) == len(passages)


def test_questions_without_a_passage_are_no_repeats_of_each_other():
    sources = Wanted("a", 5, False, candidates()), Wanted("b", 5, False, candidates(content="d"))
    assert len(draw(*sources)) == 10


def test_every_question_is_drawn_about_equally_often():
    pool = candidates(subjects=1, each=10)
    found = Counter(question for seed in range(2000) for question in draw(Wanted("a", 3, False, pool), seed=seed))
    # 2,000 draws of 3 of 10: 600 expected, standard deviation sqrt(2000 * .3 * .7) = 20.5; five of them allowed.
    assert all(abs(count - 600) < 103 for count in found.values())
    assert len(found) == 10


def test_a_shortage_says_what_there_is_with_and_without_repeats():
    pool = candidates(subjects=1, each=9, passage="p")
    with pytest.raises(NotEnoughQuestions) as refused:
        draw(Wanted("a", 7, False, pool), Wanted("b", 4, False, candidates(content="d")), Wanted("c", 1, False, []))
    assert refused.value.shortages == (Shortage("a", 7, 3, 9), Shortage("c", 1, 0, 0))


def test_what_an_earlier_source_took_is_gone():
    pool = candidates(subjects=1, each=5)
    with pytest.raises(NotEnoughQuestions) as refused:
        draw(Wanted("a", 3, False, pool), Wanted("b", 3, False, pool))
    assert refused.value.shortages == (Shortage("b", 3, 2, 2),)
