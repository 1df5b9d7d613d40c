"""McNemar's exact and mid-p test at published numbers, Durkalski's beside statsmodels, and which pairs count."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from studies.analysis import mcnemar, vote
from studies.analysis.data import read
from studies.analysis.slices import slices


def test_published_numbers() -> None:
    """Fagerland, Lydersen & Laake 2013, table 1: airway hyper-responsiveness before and after transplantation."""
    assert mcnemar.exact_p(1, 7) == pytest.approx(0.0703, abs=5e-5)
    assert mcnemar.mid_p(1, 7) == pytest.approx(0.0391, abs=5e-5)


def test_p_values_equal_sums_of_binomial_probabilities() -> None:
    for b in range(9):
        for c in range(9):
            n, fewer = b + c, min(b, c)
            expected = statsmodels_mcnemar(np.array([[3, b], [c, 4]]), exact=True).pvalue if n else 1.0
            at = stats.binom.pmf(fewer, n, 0.5)
            mid = 1.0 if not n else 1 - at / 2 if b == c else expected - at
            assert (mcnemar.exact_p(b, c), mcnemar.mid_p(b, c)) == pytest.approx((expected, mid)), (b, c)
            assert mcnemar.mid_p(b, c) == mcnemar.mid_p(c, b)


def test_durkalski_with_one_pair_a_cluster_is_mcnemar_without_correction() -> None:
    b, c = np.repeat([1, 0, 0], [9, 3, 8]), np.repeat([0, 1, 0], [9, 3, 8])
    expected = statsmodels_mcnemar(np.array([[8, 9], [3, 0]]), exact=False, correction=False)
    assert mcnemar.durkalski(b, c, np.ones(20)) == pytest.approx((expected.statistic, expected.pvalue))


def test_durkalski_by_hand() -> None:
    """Differences of shares .5, 0 and -.25: (.25)²/(.25 + .0625) = .2."""
    statistic, p = mcnemar.durkalski([3, 1, 1], [1, 1, 2], [4, 2, 4]) or (np.nan, np.nan)
    assert statistic == pytest.approx(0.2)
    assert p == pytest.approx(stats.chi2.sf(0.2, 1))
    assert mcnemar.durkalski([1, 2], [1, 2], [4, 4]) is None


@pytest.fixture
def trials() -> pd.DataFrame:
    """Nine people, twelve questions; the model is right on the first seven, the person on what they are able to."""
    letters = np.array(list("ABCD"))
    rng = np.random.default_rng(2)
    rows = []
    for p in range(9):
        for q in range(12):
            right = rng.random() < 0.45 + 0.05 * p
            answer = "A" if right else letters[rng.integers(1, 4)]
            rows.append((f"p{p}", f"q{q:02d}", f"g{q // 2}", answer, "A", float(right), float(q < 7)))
    frame = pd.DataFrame(
        rows, columns=["participant", "question", "item_group", "answer", "gold", "correct", "model_correct"]
    )
    return frame.assign(confidence=np.nan, option_count=4.0)


def test_crowd_and_model_are_paired_by_question(trials: pd.DataFrame) -> None:
    held = vote.poll(trials, "majority")["credit"].to_numpy()
    model = np.arange(12) < 7
    whole = np.isin(held, (0, 1))
    b, c = int((whole & (held == 1) & ~model).sum()), int((whole & (held == 0) & model).sum())
    found = mcnemar.crowd_mid_p(trials.sample(frac=1, random_state=1), trials["model_correct"])
    assert found.estimate is not None
    found = mcnemar.crowd_mid_p(trials, trials["model_correct"])
    assert (found.estimate, found.n_trials) == (pytest.approx((b - c) / whole.sum()), whole.sum())
    assert found.p == mcnemar.mid_p(b, c)
    assert mcnemar.crowd_exact(trials, trials["model_correct"]).p == mcnemar.exact_p(b, c)
    assert (found.low, found.reason) == (None, mcnemar.NO_INTERVAL)
    assert (found.Q, found.flags) == (6, ("passages_as_independent",))


def test_a_tied_vote_is_dropped() -> None:
    rows = [("a", "q1", "A"), ("b", "q1", "B"), ("a", "q2", "A"), ("b", "q2", "A")]
    frame = pd.DataFrame(rows, columns=["participant", "question", "answer"]).assign(
        gold="A", confidence=np.nan, option_count=4.0
    )
    found = mcnemar.crowd_mid_p(frame, pd.Series(0.0, index=frame.index))
    assert (found.n_trials, found.estimate, found.p) == (1, 1.0, 0.5)
    assert mcnemar.crowd_mid_p(frame, pd.Series(0.5, index=frame.index)).reason == mcnemar.NO_PAIRS


def test_one_person_against_the_model(trials: pd.DataFrame) -> None:
    one = trials[trials["participant"] == "p4"]
    found = mcnemar.people_mid_p(one, one["model_correct"])
    gain = one["correct"] - one["model_correct"]
    assert (found.estimate, found.P, found.flags) == (pytest.approx(gain.mean()), 1, ())
    assert found.p == mcnemar.mid_p(int((gain > 0).sum()), int((gain < 0).sum()))
    swapped = mcnemar.people_mid_p(one.assign(correct=one["model_correct"]), one["correct"])
    assert (swapped.estimate, swapped.p) == (pytest.approx(-found.estimate), found.p)


def test_all_persons_at_once_are_each_person_alone(simulate: Callable[..., pd.DataFrame], tmp_path: Path) -> None:
    simulate(people=9).to_csv(tmp_path / "trials.csv", index=False)
    data = read(tmp_path)
    part = next(part for part in slices(data) if part.level == "participant")
    found = list(mcnemar.by_person(part, 9))
    assert [case[0] for case in found] == list(range(9))
    kept = data.trials[(data.trials["excluded"] != 1) & (data.trials["condition"] == "human+model")]
    for person, _, _, each in found:
        own = kept[kept["participant_code"] == person]
        assert each == mcnemar.people_mid_p(own, own["model_correct"])


def test_pooled_pairs_say_that_they_ignore_clustering(trials: pd.DataFrame) -> None:
    assert mcnemar.people_mid_p(trials, trials["model_correct"]).flags == ("ignores_clustering",)


def test_durkalski_of_a_table(trials: pd.DataFrame) -> None:
    found = mcnemar.people_durkalski(trials, trials["model_correct"])
    share = (trials["correct"] - trials["model_correct"]).groupby(trials["participant"]).mean()
    assert found.estimate == pytest.approx(share.mean())
    assert found.p == pytest.approx(stats.chi2.sf(share.sum() ** 2 / (share**2).sum(), 1))
    sampled = trials["model_correct"].where(trials["question"] != "q01", 0.5)
    assert mcnemar.people_durkalski(trials, sampled).n_trials == 99
    one = trials[trials["participant"] == "p1"]
    assert mcnemar.people_durkalski(one, one["model_correct"]).reason == "fewer than 2 participants"
    same = mcnemar.people_durkalski(trials.assign(correct=trials["model_correct"]), trials["model_correct"])
    assert (same.estimate, same.p, same.reason) == (0.0, None, "nobody differs from the model: no test")


def test_without_a_model_there_is_no_pair(trials: pd.DataFrame) -> None:
    none = trials["model_correct"] * np.nan
    for function in (mcnemar.crowd_mid_p, mcnemar.people_mid_p):
        assert function(trials, none).reason == mcnemar.NO_PAIRS
    assert mcnemar.people_durkalski(trials, none).reason == mcnemar.NO_MODEL
    bare = trials.assign(answer="", gold="")
    assert mcnemar.crowd_exact(bare, trials["model_correct"]).reason == vote.NO_VOTES
