"""Jackknife and bootstraps against delete-and-recompute loops, the linear variance, scipy, and draws by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from studies.analysis import cluster, resample
from studies.analysis.estimate import Estimate


def study(people: int = 20, questions: int = 25, seed: int = 1, keep: float = 0.6) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    able, hard = rng.normal(0, 0.8, people), rng.normal(0, 0.8, questions)
    rows = [(f"p{p}", f"q{q}") for p in range(people) for q in range(questions) if rng.random() < keep]
    frame = pd.DataFrame(rows, columns=["participant", "question"])
    p, q = (frame[name].str[1:].astype(int) for name in ("participant", "question"))
    chance = 1 / (1 + np.exp(-(0.4 + able[p] - hard[q])))
    return frame.assign(correct=(rng.random(len(frame)) < chance).astype(float), asked=1.0)


@pytest.fixture
def trials() -> pd.DataFrame:
    return study()


def sums(trials: pd.DataFrame) -> resample.Sums:
    return resample.sums_of(trials, trials[["correct", "asked"]].to_numpy())


def test_jackknife_is_the_loop_that_leaves_every_cluster_out(trials: pd.DataFrame) -> None:
    found = resample.jackknife_sums(sums(trials))
    slow = resample.jackknife(trials, lambda rows: rows["correct"].mean())
    variances = []
    for keys in ("participant", "question", ["participant", "question"]):
        without = [trials.drop(rows)["correct"].mean() for rows in trials.groupby(keys).groups.values()]
        n = len(without)
        variances.append((n - 1) / n * sum((value - trials["correct"].mean()) ** 2 for value in without))
    v_p, v_q, v_cell = variances
    expected = max(v_p, v_q, v_p + v_q - v_cell) ** 0.5
    assert (found.se, slow.se) == (pytest.approx(expected), pytest.approx(expected))
    assert found.df == 19
    assert found.low == pytest.approx(found.estimate - stats.t.ppf(0.975, 19) * expected)


def test_jackknife_of_a_mean_is_close_to_the_two_way_variance(trials: pd.DataFrame) -> None:
    """The CV3 and CV1 forms of one variance: they differ by terms of 1/G."""
    assert resample.jackknife_sums(sums(trials)).se == pytest.approx(
        cluster.mean(trials, trials["correct"]).se, rel=0.06
    )


def test_bootstrap_of_a_mean_is_close_to_the_two_way_variance(trials: pd.DataFrame) -> None:
    found = resample.bootstrap(sums(trials), resamples=20_000, seed=3)
    assert found.se == pytest.approx(cluster.mean(trials, trials["correct"]).se, rel=0.06)
    assert (found.P, found.Q, found.n_trials) == (20, 25, len(trials))


def test_equal_clusters_drawn_together_have_the_distribution_of_drawing_each() -> None:
    """Forty clusters of four kinds: mean and variance of the resampled sum as the multinomial has them."""
    clusters = np.repeat([[0.0, 1.0], [1.0, 1.0], [2.0, 3.0], [5.0, 5.0]], 10, axis=0)
    together = resample._draw(clusters, 40_000, np.random.default_rng(0))
    one_by_one = resample.weights(40_000, 40, np.random.default_rng(1)) @ clusters
    assert together.mean(axis=0) == pytest.approx(one_by_one.mean(axis=0), rel=0.01)
    assert np.cov(together.T).ravel() == pytest.approx(np.cov(one_by_one.T).ravel(), rel=0.05)
    assert np.cov(together.T)[0, 0] == pytest.approx(40 * clusters[:, 0].var(), rel=0.05)


def test_seeds_repeat_and_differ(trials: pd.DataFrame) -> None:
    one, two, other = (resample.bootstrap(sums(trials), resamples=500, seed=seed) for seed in (1, 1, 2))
    assert one == two
    assert one.se != other.se


@pytest.mark.parametrize("limit", [2**24, 500, 1], ids=["one product", "two products", "double precision"])
def test_two_way_products_equal_a_loop_over_trials(
    trials: pd.DataFrame, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same draws, one resample at a time, gathering a weight for every trial."""
    monkeypatch.setattr(resample, "EXACT_IN_SINGLE", limit)
    found = resample.two_way_ratios(sums(trials), resamples=30, rng=np.random.default_rng(8))
    rng = np.random.default_rng(8)
    by_people, by_items = resample.weights(30, 20, rng), resample.weights(30, 25, rng)
    people, items = (pd.factorize(trials[name], sort=True)[0] for name in ("participant", "question"))
    for value, w_p, w_q in zip(found, by_people, by_items, strict=True):
        weight = w_p[people] * w_q[items]
        assert value == pytest.approx((weight * trials["correct"]).sum() / weight.sum(), abs=1e-12)


def test_continuous_scores_are_summed_in_double_precision(trials: pd.DataFrame) -> None:
    """Scores around 10,000 that differ by 1: single precision would be off by 1e-3."""
    score = np.random.default_rng(0).normal(1e4, 1, len(trials))
    table = resample.sums_of(trials, np.stack([score, np.ones(len(trials))], axis=1))
    found = resample.two_way_ratios(table, resamples=20, rng=np.random.default_rng(8))
    rng = np.random.default_rng(8)
    by_people, by_items = resample.weights(20, 20, rng), resample.weights(20, 25, rng)
    people, items = (pd.factorize(trials[name], sort=True)[0] for name in ("participant", "question"))
    weights = by_people[:, people] * by_items[:, items]
    assert found == pytest.approx(weights @ score / weights.sum(axis=1), abs=1e-8)


def test_pigeonhole_is_wider_and_says_so(trials: pd.DataFrame) -> None:
    found = resample.pigeonhole(sums(trials), resamples=4_000)
    assert found.se > 1.05 * resample.jackknife_sums(sums(trials)).se
    assert found.flags == ("conservative",)
    assert "conservative" in found.method


def test_names_and_order_of_people_and_questions_change_nothing(trials: pd.DataFrame) -> None:
    mixed = trials.assign(
        participant="x" + trials["participant"].str[::-1], question=trials["question"].str[::-1]
    ).sample(frac=1, random_state=1)
    one, two = (resample.jackknife_sums(sums(frame)) for frame in (trials, mixed))
    assert (one.estimate, one.se) == (pytest.approx(two.estimate), pytest.approx(two.se))


def test_twice_the_same_people_halve_the_participant_variance(trials: pd.DataFrame) -> None:
    again = pd.concat([trials, trials.assign(participant="again " + trials["participant"])])
    fixed = [
        resample.jackknife_sums(
            resample.sums_of(frame, frame[["correct", "asked"]].to_numpy(), population="fixed questions")
        )
        for frame in (trials, again)
    ]
    assert fixed[1].se / fixed[0].se == pytest.approx(2**-0.5, rel=0.03)
    assert fixed[0].method == "delete-one-cluster jackknife (participant), t"


def test_the_model_alone_has_one_side(trials: pd.DataFrame) -> None:
    model = trials.drop_duplicates("question").drop(columns="participant")
    found = resample.jackknife_sums(sums(model))
    n = len(model)
    assert found.se == pytest.approx(model["correct"].std(ddof=1) / n**0.5)
    assert (found.P, found.df) == (None, n - 1)
    assert resample.pigeonhole(sums(model)).reason == "two sides are needed"


def test_what_cannot_be_known_is_said(trials: pd.DataFrame) -> None:
    alone = trials[trials["participant"] == "p1"]
    assert resample.jackknife_sums(sums(alone)).reason == "no standard error: fewer than 2 participants"
    same = resample.jackknife_sums(sums(trials.assign(correct=1.0)))
    assert (same.se, "degenerate" in same.flags) == (None, True)
    empty = sums(trials.assign(asked=0.0))
    assert resample.jackknife_sums(empty).reason == "the figure does not exist on these rows"
    assert resample.bootstrap(empty, resamples=50).estimate is None
    assert resample.jackknife(trials[:0], len) == Estimate(reason="no trials")
    only_one_person_has_some = sums(trials.assign(asked=(trials["participant"] == "p1").astype(float)))
    found = resample.jackknife_sums(only_one_person_has_some)
    assert (found.low, "without one of the clusters" in found.reason) == (None, True)
    assert "undefined_resamples" in resample.bootstrap(only_one_person_has_some, resamples=200).flags
