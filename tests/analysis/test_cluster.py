"""The two-way variance equals statsmodels', and behaves as a variance over people and questions must."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from studies.analysis import cluster
from studies.analysis.estimate import Estimate


def v2_of_statsmodels(y: pd.Series, x: np.ndarray, frame: pd.DataFrame, weights: np.ndarray | None = None) -> float:
    """Two-group cluster covariance (Cameron, Gelbach & Miller) of the last coefficient."""
    groups = np.c_[pd.factorize(frame["participant"])[0], pd.factorize(frame["item"])[0]]
    model = sm.OLS(y, x) if weights is None else sm.WLS(y, x, weights=weights)
    return float(model.fit(cov_type="cluster", cov_kwds={"groups": groups}).cov_params().to_numpy()[-1, -1])


@pytest.fixture(params=[(24, 20, 40), (11, 30, 30), (40, 7, 25)])
def frame(request: pytest.FixtureRequest, simulate: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    people, per_person, questions = request.param
    out = simulate(people=people, per_person=per_person, questions=questions, seed=people)
    item = out["item_group"].where(out["item_group"] != "", out["question"])
    return out.assign(correct=(out["answer"] == out["gold"]).astype(float), item=item, item_group=item)


def test_variance_of_a_mean_equals_statsmodels(frame: pd.DataFrame) -> None:
    y = frame["correct"]
    psi = ((y - y.mean()) / len(y)).to_numpy()
    ours = cluster.variance(psi, cluster.sides_of([frame]), k=1).two_way
    assert ours == pytest.approx(v2_of_statsmodels(y, np.ones((len(y), 1)), frame), rel=1e-10, abs=1e-14)


@pytest.mark.parametrize("is_weighted", [False, True])
def test_variance_of_a_difference_equals_statsmodels(frame: pd.DataFrame, is_weighted: bool) -> None:
    hm = frame["condition"] == "human+model"
    frame = pd.concat([frame[hm], frame[~hm]]).reset_index(drop=True)
    hm = (frame["condition"] == "human+model").to_numpy()
    w = np.random.default_rng(1).uniform(0.5, 2, len(frame)) if is_weighted else np.ones(len(frame))
    y = frame["correct"].to_numpy()
    m1, m0 = np.average(y[hm], weights=w[hm]), np.average(y[~hm], weights=w[~hm])
    psi = np.where(hm, w * (y - m1) / w[hm].sum(), -w * (y - m0) / w[~hm].sum())
    ours = cluster.variance(psi, cluster.sides_of([frame]), k=2)
    theirs = v2_of_statsmodels(frame["correct"], sm.add_constant(hm.astype(float)), frame, w)
    assert ours.two_way == pytest.approx(theirs, rel=1e-10, abs=1e-14)
    found = cluster.difference(frame[hm], frame[~hm], weights=(w[hm], w[~hm]))
    assert found.estimate == pytest.approx(m1 - m0)
    assert found.se == pytest.approx(np.sqrt(ours.largest))


def test_interval_and_test_are_t_with_the_smaller_number_of_clusters(frame: pd.DataFrame) -> None:
    found = cluster.mean(frame, frame["correct"] - 0.4, is_tested=True)
    df = min(frame["participant"].nunique(), frame["item"].nunique()) - 1
    assert found.df == df
    assert (frame["participant"].nunique(), frame["item"].nunique()) == (found.P, found.Q)
    half = stats.t.ppf(0.975, df) * found.se
    assert (found.low, found.high) == pytest.approx((found.estimate - half, found.estimate + half))
    assert found.p == pytest.approx(2 * stats.t.sf(abs(found.estimate / found.se), df))


def test_the_largest_of_three_is_taken() -> None:
    assert cluster.Variance(0.5, 0.2, 0.6).largest == 0.5
    assert cluster.Variance(0.5, 0.2, 0.1).largest == pytest.approx(0.6)
    assert cluster.Variance(0.1, 0.2, 0.9).largest == 0.2
    assert cluster.Variance(None, 0.2, None).largest == 0.2


def random_trials(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(12, 80))
    return pd.DataFrame(
        {
            "participant": rng.integers(0, 6, n).astype(str),
            "question": rng.integers(0, 8, n).astype(str),
            "correct": rng.integers(0, 2, n).astype(float),
            "hm": rng.integers(0, 2, n).astype(bool),
        }
    )


def contrast(frame: pd.DataFrame, flip: bool = False) -> Estimate:
    hm = frame["hm"] ^ flip
    return cluster.difference(frame[hm], frame[~hm])


def numbers(found: Estimate) -> list[float]:
    values = (found.estimate, found.se, found.df, found.low, found.high, found.p)
    return [-9.0 if value is None else value for value in values]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_names_of_people_and_questions_do_not_matter(seed: int) -> None:
    frame = random_trials(seed)
    renamed = frame.assign(
        participant="x" + frame["participant"], question=frame["question"].map(lambda q: f"{9 - int(q)}?")
    )
    assert numbers(contrast(frame)) == pytest.approx(numbers(contrast(renamed)))
    shuffled = frame.sample(frac=1, random_state=1)
    assert numbers(contrast(frame)) == pytest.approx(numbers(contrast(shuffled)))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_swapping_conditions_flips_signs_only(seed: int) -> None:
    one, two = contrast(random_trials(seed)), contrast(random_trials(seed), flip=True)
    if one.estimate is None or one.se is None:
        assert two.se is None
        return
    assert (one.estimate, one.low, one.high) == pytest.approx((-two.estimate, -two.high, -two.low))
    assert (one.se, one.p, one.df) == pytest.approx((two.se, two.p, two.df))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_copying_every_trial_adds_no_information(seed: int) -> None:
    """The clusters stay the same: the variance of a mean is unchanged, of a difference only (N-1)/(N-2) changes."""
    frame = random_trials(seed)
    doubled = pd.concat([frame, frame], ignore_index=True)
    assert numbers(cluster.mean(frame, frame["correct"])) == pytest.approx(
        numbers(cluster.mean(doubled, doubled["correct"]))
    )
    one, two = contrast(frame), contrast(doubled)
    if one.se is not None:
        n = len(frame)
        assert two.se**2 / one.se**2 == pytest.approx((2 * n - 1) / (2 * n - 2) * (n - 2) / (n - 1))


def test_the_model_alone_is_clustered_by_question_only(frame: pd.DataFrame) -> None:
    model = frame.drop_duplicates("question").drop(columns="participant")
    found = cluster.mean(model, model["correct"])
    assert (found.P, found.df) == (None, found.Q - 1)
    assert found.method == "one-way CRVE (question), t"


def test_fixed_questions_cluster_by_participant_only(frame: pd.DataFrame) -> None:
    found = cluster.mean(frame, frame["correct"], population="fixed questions")
    assert (found.df, found.method) == (found.P - 1, "one-way CRVE (participant), t")
    # One-way by participant, as statsmodels has it.
    fit = sm.OLS(frame["correct"], np.ones((len(frame), 1))).fit(
        cov_type="cluster", cov_kwds={"groups": pd.factorize(frame["participant"])[0]}
    )
    assert found.se == pytest.approx(float(fit.bse.iloc[0]), rel=1e-10)


def test_everybody_right_has_no_interval_and_is_flagged() -> None:
    frame = pd.DataFrame({"participant": list("aabb"), "question": list("xyxy"), "correct": 1.0})
    found = cluster.mean(frame, frame["correct"])
    assert (found.estimate, found.se, found.low, found.p) == (1.0, None, None, None)
    assert found.flags == ("degenerate", "few_clusters")
    assert "nothing varies" in found.reason


def test_few_clusters_are_flagged_below_ten() -> None:
    def flags(people: int) -> tuple[str, ...]:
        pairs = [(p, q, (p * q) % 3 == 0) for p in range(people) for q in range(12)]
        frame = pd.DataFrame(pairs, columns=["participant", "question", "correct"])
        return cluster.mean(frame, frame["correct"].astype(float)).flags

    assert flags(9) == ("few_clusters",)
    assert flags(10) == ()


def test_one_person_has_an_estimate_without_an_interval_for_new_people() -> None:
    frame = pd.DataFrame({"participant": "a", "question": list("xyz"), "correct": [1.0, 0.0, 1.0]})
    found = cluster.mean(frame, frame["correct"])
    assert (found.estimate, found.se) == (pytest.approx(2 / 3), None)
    assert found.reason == "no standard error: fewer than 2 participants"
    assert cluster.mean(frame, frame["correct"], population="this participant").se is not None


def test_no_contrast_with_one_cluster_in_a_condition() -> None:
    frame = pd.DataFrame({"participant": list("aabb"), "question": list("xyxy"), "correct": [1.0, 0.0, 1.0, 1.0]})
    found = cluster.difference(frame[:3], frame[3:])
    assert (found.estimate, found.reason) == (None, "a condition has fewer than 2 participants: no contrast")


def test_rows_without_a_value_do_not_contribute() -> None:
    frame = pd.DataFrame(
        {"participant": list("aabbc"), "question": list("xyxyx"), "correct": [1.0, 0.0, 1.0, 1.0, np.nan]}
    )
    found = cluster.mean(frame, frame["correct"])
    assert (found.n_trials, found.P) == (4, 2)
    assert numbers(found) == numbers(cluster.mean(frame[:4], frame["correct"][:4]))


def test_nothing_is_undefined_with_a_reason() -> None:
    frame = pd.DataFrame({"participant": [], "question": [], "correct": []})
    assert cluster.mean(frame, frame["correct"]).reason == "no trials"
    assert cluster.difference(frame, frame).reason == "only one condition has trials"


def test_a_remembered_frame_has_its_sides_and_lets_go_of_them() -> None:
    frame = pd.DataFrame({"participant": list("aabb"), "question": list("xyxz")})
    before = len(cluster._REMEMBERED)
    assert cluster.sides_of([cluster.remember(frame)]) is cluster.sides_of([frame])
    assert cluster.sides_of([frame]).question.codes.tolist() == [0, 1, 0, 2]
    assert cluster.sides_of([frame[:2]]).question.codes.tolist() == [0, 1]  # another frame
    assert len(cluster._REMEMBERED) == before + 1
    del frame
    assert len(cluster._REMEMBERED) == before


def test_first_rows_are_those_of_numpy() -> None:
    codes = np.random.default_rng(0).choice([0, 2, 3, 7, 11], 40)
    first, rank = cluster.first_rows(codes)
    expected, inverse = np.unique(codes, return_index=True, return_inverse=True)[1:]
    assert (first.tolist(), rank.tolist()) == (expected.tolist(), inverse.tolist())
    assert [each.tolist() for each in cluster.first_rows(codes[:0])] == [[], []]


def test_variance_of_a_weighted_mean_equals_statsmodels(frame: pd.DataFrame) -> None:
    w = np.random.default_rng(3).uniform(0.2, 3, len(frame))
    found = cluster.mean(frame, frame["correct"], weights=w)
    y, ones = frame["correct"], np.ones((len(frame), 1))
    two_way = v2_of_statsmodels(y, ones, frame, w)
    one_way = [
        float(
            sm.WLS(y, ones, weights=w)
            .fit(cov_type="cluster", cov_kwds={"groups": pd.factorize(frame[side])[0]})
            .cov_params()
            .to_numpy()[0, 0]
        )
        for side in ("participant", "item")
    ]
    assert found.estimate == pytest.approx(np.average(y, weights=w))
    assert found.se == pytest.approx(np.sqrt(max(two_way, *one_way)), rel=1e-9)


def test_the_jackknife_of_a_mean_of_single_rows_is_the_textbook_standard_error() -> None:
    values = np.array([0.0, 1.0, 1.0, 0.5, 0.0, 1.0, 1.0])
    found = cluster.jackknife(values, np.arange(7), note="")
    assert found.se == pytest.approx(values.std(ddof=1) / np.sqrt(7))
