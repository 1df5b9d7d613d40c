"""The crowd's vote: the paper's checks, ties, and what is absent."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.analysis import vote


def one_question(votes: str, gold: str = "B", question: str = "q1") -> pd.DataFrame:
    """`votes` as in the paper's notes: "A60 B80"; "A" alone gives no confidence, "-" no answer."""
    cells = votes.split()
    return pd.DataFrame(
        {
            "participant": [f"p{i}" for i in range(len(cells))],
            "question": question,
            "answer": ["" if cell == "-" else cell[0] for cell in cells],
            "confidence": [float(cell[1:]) / 100 if len(cell) > 1 else np.nan for cell in cells],
            "gold": gold,
            "option_count": np.nan,
        }
    )


@pytest.mark.parametrize(
    ("votes", "winner", "expected"),
    [
        ("B60", "B", [0.1333, 0.6, 0.1333, 0.1333]),
        ("A60 B80 B25 A42", "B", [0.4112, 0.5047, 0.0421, 0.0421]),
        ("A99 B60 B60 B60", "A", [0.7613, 0.2336, 0.0026, 0.0026]),
        ("A100 B60 B60 B60", "A", [0.7613, 0.2336, 0.0026, 0.0026]),
        ("A80 A80 B25 C25", "A", [0.9796]),
        ("A99 B99 A25 B42", "B", [None, 0.6833]),
        ("A25 B25 C25 D25", None, [0.25, 0.25, 0.25, 0.25]),
    ],
)  # fmt: skip
def test_the_papers_votes(votes: str, winner: str | None, expected: list[float | None]) -> None:
    frame = one_question(votes)
    found = vote.pool(frame["answer"].tolist(), frame["confidence"].tolist())
    for option, value in zip("ABCD", expected, strict=False):
        if value is not None:
            assert found[option] == pytest.approx(value, abs=5e-5)
    if winner:
        assert max(found, key=lambda option: found[option]) == winner
        table = vote.poll(one_question(votes, gold=winner), "pool")
        assert table.loc[0, ["credit", "tied"]].tolist() == [1.0, 1]
        assert table.loc[0, "probability"] == pytest.approx(found[winner])


@given(
    st.lists(st.tuples(st.sampled_from("ABCD"), st.sampled_from([25, 42, 60, 80, 100])), min_size=1, max_size=9),
    st.sampled_from("ABCD"),
)
def test_the_vectorised_vote_is_the_vote_on_one_question(votes: list[tuple[str, int]], gold: str) -> None:
    """Another question beside it, with fewer people, changes nothing."""
    frame = one_question(" ".join(f"{a}{c}" for a, c in votes), gold)
    both = pd.concat([frame, one_question("C60", question="q0")])
    found = vote.pool(frame["answer"].tolist(), frame["confidence"].tolist())
    best = [option for option in "ABCD" if found[option] >= max(found.values()) - 1e-9]
    row = vote.poll(both, "pool").iloc[1]
    assert row["probability"] == pytest.approx(min(max(found.values()), 0.99))
    assert row["tied"] == len(best)
    assert row["credit"] == (1 / len(best) if gold in best else 0)


def test_the_probability_of_a_vote_is_capped() -> None:
    assert vote.poll(one_question("B100 B100 B100"), "pool").loc[0, "probability"] == 0.99


def test_ties_earn_a_share_and_a_draw_beside() -> None:
    table = vote.poll(one_question("A60 B60"), "majority")
    assert table.loc[0, ["credit", "tied"]].tolist() == [0.5, 2]
    assert table.loc[0, "draw"] in {0.0, 1.0}
    assert vote.poll(one_question("A60 C60"), "majority").loc[0, ["credit", "draw"]].tolist() == [0.0, 0.0]


def test_draws_repeat_and_are_fair() -> None:
    frame = pd.concat([one_question("A60 B60", question=f"q{i:04d}") for i in range(400)])
    one, two = vote.poll(frame, "pool"), vote.poll(frame.sample(frac=1, random_state=1), "pool")
    assert one["draw"].tolist() == two["draw"].tolist()
    assert 0.4 < one["draw"].mean() < 0.6


def test_rules_differ_where_they_should() -> None:
    frame = one_question("A80 B42 B25", gold="A")
    assert vote.majority(frame).estimate == 0.0
    assert vote.weighted_sum(frame).estimate == 1.0
    assert vote.pool_accuracy(frame).estimate == 1.0


def test_a_person_without_confidence_counts_in_the_majority_only() -> None:
    frame = one_question("B A A", gold="A").assign(confidence=[0.8, np.nan, np.nan])
    assert vote.poll(frame, "majority").loc[0, ["credit", "n_people"]].tolist() == [1.0, 3]
    assert vote.poll(frame, "pool").loc[0, ["credit", "n_people"]].tolist() == [0.0, 1]
    silent = pd.concat([frame, one_question("A A", question="q2")])
    assert vote.poll(silent, "pool")["item"].tolist() == [0]
    assert vote.poll(silent, "majority")["item"].tolist() == [0, 1]


def test_a_question_that_nobody_answered_is_wrong() -> None:
    table = vote.poll(pd.concat([one_question("- -"), one_question("B60", question="q2")]), "pool")
    assert table["credit"].tolist() == [0.0, 1.0]


def test_two_options_spread_over_one_other() -> None:
    frame = one_question("A60", gold="A").assign(option_count=2.0)
    assert vote.poll(frame, "pool").loc[0, "probability"] == pytest.approx(0.6)
    low = frame.assign(confidence=0.3, gold="B")
    assert vote.poll(low, "pool").loc[0, ["probability", "credit"]].tolist() == [pytest.approx(0.7), 1.0]


def test_options_may_be_any_text() -> None:
    frame = one_question("A60 A60", gold="None").assign(answer=["None", "TRUE"], confidence=[0.8, 0.6])
    assert vote.poll(frame, "pool").loc[0, "credit"] == 1.0


def test_accuracy_of_the_crowd_has_a_jackknife_over_questions() -> None:
    right = [1, 1, 0, 1, 0, 1, 1, 1, 0, 1, 1, 0]
    frame = pd.concat([one_question("B60 B80" if r else "A60 A80", question=f"q{i:02d}") for i, r in enumerate(right)])
    found = vote.pool_accuracy(frame)
    # The jackknife of a plain mean is its textbook standard error.
    assert found.se == pytest.approx(np.std(right, ddof=1) / np.sqrt(len(right)))
    assert (found.P, found.Q, found.df) == (None, 12, 11)
    assert "crowd of 2, fixed" in found.method


def test_the_jackknife_leaves_out_whole_passages() -> None:
    right = np.array([1, 1, 0, 1, 0, 1, 1, 0, 1, 1], dtype=float)
    passages = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2, 3])
    frames = [
        one_question("B60" if r else "A60", question=f"q{i:02d}").assign(item_group=f"s{g}")
        for i, (r, g) in enumerate(zip(right, passages, strict=True))
    ]
    without = np.array([right[passages != g].mean() for g in range(4)])
    expected = np.sqrt(3 / 4 * ((without - right.mean()) ** 2).sum())
    assert vote.pool_accuracy(pd.concat(frames)).se == pytest.approx(expected)


def test_calibration_and_cap_of_the_vote() -> None:
    frame = pd.concat(
        [one_question("B100 B100", question=f"q{i}", gold="B" if i else "A") for i in range(4)]
        + [one_question("B60", question="q9")]
    )
    # The top bin is centred on 100 for this measure: |3/4 - 1|, and |1 - .6| in the 60 % bin.
    assert vote.pool_five_bin_unweighted(frame).estimate == pytest.approx((0.25 + 0.4) / 2)
    assert vote.pool_five_bin_weighted(frame).estimate == pytest.approx((4 * 0.25 + 0.4) / 5)
    assert (vote.pool_at_cap(frame).estimate, vote.pool_at_cap(frame).n_trials) == (0.75, 4)


def test_votes_need_answers_and_gold() -> None:
    frame = one_question("B60 A60", gold="")
    assert vote.pool_accuracy(frame).reason == "votes need answers and gold"
