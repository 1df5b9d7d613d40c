"""The randomisation test against full enumeration, against scipy, and under the null; and when it refuses."""

from collections.abc import Callable, Iterator
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from studies.analysis import compare, randomisation
from studies.analysis.analyse import analyse
from studies.analysis.data import Data, read
from studies.analysis.estimate import Estimate
from studies.design.assignment import Item, plan_slots, split_into_groups
from studies.design.streams import stream

HUMAN, HM = "human", "human+model"
Right = Callable[[int, int, bool], float]


def latin_plan(
    slots: int, questions: int, *, seed: int = 3, method: str = "latin_square", arms: int = 2
) -> pd.DataFrame:
    """The assignments.csv of the server's own design; of three arms the last two are with the model, of four every
    second one."""
    items = [Item(number, "general") for number in range(questions)]
    groups = split_into_groups(items, arms, stream(seed, "groups"))
    conditions = [HUMAN, HM, HUMAN, HM] if arms == 4 else [HUMAN, HM, HM][:arms]
    plans = plan_slots(groups=groups, conditions=conditions, slots=slots, method=method, seed=seed)
    rows = [
        (str(slot.number), f"p{slot.number:03d}", f"q{trial.question_id:02d}", trial.condition, slot.list_name,
         str(trial.block), float(trial.position), str((slot.number - 1) // arms + 1))
        for slot in plans for trial in slot.trials
    ]  # fmt: skip
    return pd.DataFrame(
        rows, columns=["slot", "participant", "question", "condition", "list", "block", "position", "round"]
    )


def answers(plan: pd.DataFrame, right: Right) -> pd.DataFrame:
    """trials.csv of people who did what the plan says; `right` knows slot, question and whether the model helped."""
    met = plan[plan["participant"] != ""]
    correct = [
        right(int(slot), int(question[1:]), condition == HM)
        for slot, question, condition in zip(met["slot"], met["question"], met["condition"], strict=True)
    ]
    return met.drop(columns="slot").assign(correct=correct, confidence="")


def study(folder: Path, trials: pd.DataFrame, plan: pd.DataFrame | None) -> Data:
    trials.to_csv(folder / "trials.csv", index=False)
    if plan is not None:
        plan.to_csv(folder / "assignments.csv", index=False)
    return read(folder)


def halves(data: Data) -> tuple[pd.DataFrame, pd.DataFrame]:
    return data.trials[data.trials["condition"] == HM], data.trials[data.trials["condition"] == HUMAN]


def coin(seed: int, *, gain: float = 0.0) -> Right:
    table = np.random.default_rng(seed).random((200, 200))
    return lambda slot, question, helped: float(table[slot, question] < 0.5 + gain * helped)


def enumerated(data: Data, form: Callable[..., Estimate], draws: Iterator[pd.DataFrame]) -> float:
    """p over all draws: each is the trials with another column of conditions."""
    observed = form(*halves(data)).estimate
    found = [
        form(frame[frame["condition"] == HM], frame[frame["condition"] == HUMAN]).estimate for frame in draws
    ]  # fmt: skip
    return float(np.mean([abs(each) >= abs(observed) - 1e-9 for each in found]))


def exchanged(trials: pd.DataFrame, people: set[str]) -> pd.DataFrame:
    is_swapped = trials["participant"].isin(people)
    other = trials["condition"].map({HM: HUMAN, HUMAN: HM})
    return trials.assign(condition=trials["condition"].mask(is_swapped, other))


@pytest.mark.parametrize("method", ["latin_square", "interleaved"])
@pytest.mark.parametrize("form", ["micro", "question_weighted"])
def test_where_samples_rotate_p_is_that_of_all_draws(tmp_path: Path, form: str, method: str) -> None:
    plan = latin_plan(12, 8, method=method)
    data = study(tmp_path, answers(plan, coin(1, gain=0.25)), plan)
    # The server draws rounds of two slots with exchanged conditions: six coins, 64 draws.
    rounds = [{f"p{2 * k + 1:03d}", f"p{2 * k + 2:03d}"} for k in range(6)]
    draws = (
        exchanged(data.trials, set().union(*(each for each, heads in zip(rounds, coins, strict=True) if heads)))
        for coins in product((0, 1), repeat=6)
    )
    p = enumerated(data, getattr(compare, form), draws)
    found = getattr(randomisation, form)(*halves(data), data.drawn)
    assert found.estimate == pytest.approx(getattr(compare, form)(*halves(data)).estimate)
    assert found.p == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / 10_000))
    assert data.drawn.possible == 64
    assert "64 possible" in found.method
    assert (found.low, found.se, found.reason) == (None, None, randomisation.NO_BOUND)


def test_without_rounds_conditions_are_reshuffled_within_the_stratum(tmp_path: Path) -> None:
    plan = latin_plan(8, 6)
    data = study(tmp_path, answers(plan, coin(4)), plan.drop(columns="round"))
    first = plan[plan["position"] == 1].set_index("participant")
    first_questions = plan[plan["block"] == "1"].groupby("participant")["question"].agg(frozenset)
    strata = [list(part.index) for _, part in first.groupby(first_questions.map(sorted).map(tuple))]
    draws = []
    for choices in product(*(combinations(people, len(people) // 2) for people in strata)):
        helped_first = set().union(*map(set, choices))
        swapped = {p for p in first.index if (first.loc[p, "condition"] == HM) != (p in helped_first)}
        draws.append(exchanged(data.trials, swapped))
    assert data.drawn.possible == len(draws) == 6 * 6
    p = enumerated(data, compare.micro, iter(draws))
    found = randomisation.micro(*halves(data), data.drawn)
    assert found.p == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / 10_000))


def test_interleaved_slots_without_rounds_are_one_stratum(tmp_path: Path) -> None:
    plan = latin_plan(8, 7, method="interleaved")
    data = study(tmp_path, answers(plan, coin(4)), plan.drop(columns="round"))
    assert data.drawn.possible == 70  # 8 over 4
    other = study(tmp_path, answers(plan, coin(4)), plan)
    assert other.drawn.possible == 2**4


def test_each_interleaved_slot_would_have_had_its_own_questions_under_the_other_rotation(tmp_path: Path) -> None:
    """What a slot could have met follows from the groups alone, whatever the order of its questions."""
    plan = latin_plan(6, 7, method="interleaved")
    drawn = study(tmp_path, answers(plan, coin(4)), plan).drawn
    helped = [set(part.loc[part["condition"] == HM, "question"]) for _, part in plan.groupby("list")]
    assert [len(each) for each in helped] in ([3, 4], [4, 3])
    assert not set.intersection(*helped)
    for stratum in drawn.treated:
        assert [{f"q{code:02d}" for code in np.flatnonzero(row)} for row in stratum] in (helped, helped[::-1])


def test_arms_of_one_condition_change_places_within_their_round_only(tmp_path: Path) -> None:
    plan = latin_plan(8, 12, method="interleaved", arms=4)
    drawn = study(tmp_path, answers(plan, coin(4)), plan).drawn
    assert list(np.bincount(drawn.stratum)) == [4, 4]
    assert drawn.possible == 6 * 6  # in each round two slots of four, not 70 ways over both


def test_three_arms_change_places_within_what_they_meet(tmp_path: Path) -> None:
    plan = latin_plan(36, 9, arms=3)
    data = study(tmp_path, answers(plan, coin(2, gain=0.08)), plan)
    order = plan.groupby(["slot", "block"])["question"].agg(frozenset).unstack()
    strata = order.groupby([order[name].map(sorted).map(tuple) for name in order]).groups
    lines = plan.set_index(["slot", "question"])["condition"].unstack()
    correct = data.trials.assign(slot=data.trials["participant"].str[1:].astype(int).astype(str))
    rng, found = np.random.default_rng(5), []
    observed = compare.micro(*halves(data)).estimate
    for _ in range(250):
        drawn = {}
        for slots in strata.values():
            drawn |= dict(zip(slots, rng.permutation(slots), strict=True))
        helped = np.array(
            [lines.at[drawn[s], q] == HM for s, q in zip(correct["slot"], correct["question"], strict=True)]
        )
        found.append(correct["correct"][helped].mean() - correct["correct"][~helped].mean())
    p = np.mean(np.abs(found) >= abs(observed) - 1e-9)
    assert randomisation.micro(*halves(data), data.drawn).p == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / 250))
    assert data.drawn.treated.shape[1] == 3


def test_between_subjects_equals_scipy(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    plan = pd.DataFrame(
        [(f"s{i}", f"p{i:02d}", f"q{q}", HM if i % 2 else HUMAN, "all") for i in range(16) for q in range(6)],
        columns=["slot", "participant", "question", "condition", "list"],
    )
    able = rng.random(16) * 0.5 + 0.25
    table = rng.random((16, 6))
    rights = [float(table[i, q] < able[i] + 0.2 * (i % 2)) for i in range(16) for q in range(6)]
    data = study(tmp_path, plan.drop(columns="slot").assign(correct=rights, confidence=""), plan)
    means = data.trials.groupby(["condition", "participant"])["correct"].mean()
    other = stats.permutation_test(
        (means[HM], means[HUMAN]), lambda x, y: x.mean() - y.mean(), n_resamples=np.inf, alternative="two-sided"
    )
    found = randomisation.micro(*halves(data), data.drawn)
    assert found.p == pytest.approx(other.pvalue, abs=4 * np.sqrt(other.pvalue / 10_000))
    assert data.drawn.possible == 12_870  # 16 over 8


def test_a_judge_advisor_study_flips_signs_as_scipy_and_says_what_it_needs(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    rows = [(f"p{p:02d}", f"q{q}", HM, rng.integers(0, 2), rng.integers(0, 2), "") for p in range(10) for q in range(5)]
    names = ["participant", "question", "condition", "correct", "initial_correct", "confidence"]
    data = study(tmp_path, pd.DataFrame(rows, columns=names), None)
    means = data.trials.groupby(["condition", "participant"])["correct"].mean()
    other = stats.permutation_test(
        (means[HM].to_numpy(), means[HUMAN].to_numpy()), lambda x, y: np.mean(x) - np.mean(y),
        permutation_type="samples", n_resamples=np.inf, alternative="two-sided",
    )  # fmt: skip
    found = randomisation.micro(*halves(data), data.drawn)
    assert found.p == pytest.approx(other.pvalue, abs=0.02)
    assert found.flags == ("needs_symmetry",)
    assert "needs symmetry" in found.method


def test_its_size_under_the_null_is_the_nominal_one(tmp_path: Path) -> None:
    """People differ, questions differ, the model changes nothing: p ≤ .1 in about a tenth of 300 studies."""
    plan = latin_plan(16, 8)
    data = study(tmp_path, answers(plan, coin(1)), plan)
    trials, drawn = data.trials, data.drawn
    person, question = trials["participant_code"], trials["question_code"]
    rejected = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        able, hard, noise = rng.normal(0, 1, 16), rng.normal(0, 1, 8), rng.logistic(size=len(trials))
        trials["correct"] = (able[person] > hard[question] + noise).astype(float)
        rejected += randomisation.micro(*halves(data), drawn, count=199, seed=seed).p <= 0.1
    assert rejected / 300 == pytest.approx(0.1, abs=3.5 * np.sqrt(0.1 * 0.9 / 300))


def test_interleaved_plans_have_the_nominal_size_though_people_tire(tmp_path: Path) -> None:
    """Plans of 17 slots and 9 questions, one group larger, and everybody gets worse from question to question.

    30 plans with 20 sets of answers each, of which the condition changes none: p ≤ .1 in about a tenth of the 600.
    """
    rejected = 0
    for seed in range(30):
        plan = latin_plan(17, 9, seed=seed, method="interleaved")
        data = study(tmp_path, answers(plan, coin(seed)), plan)
        trials, drawn = data.trials, data.drawn
        person, question = trials["participant_code"], trials["question_code"]
        tired = 0.4 * trials["position"].to_numpy()
        for again in range(20):
            rng = np.random.default_rng([seed, again])
            able, hard, noise = rng.normal(2, 1, 17), rng.normal(0, 1, 9), rng.logistic(size=len(trials))
            trials["correct"] = (able[person] > hard[question] + tired + noise).astype(float)
            rejected += randomisation.micro(*halves(data), drawn, count=199, seed=again).p <= 0.1
    assert drawn.possible == 2**8
    assert rejected / 600 == pytest.approx(0.1, abs=3.5 * np.sqrt(0.1 * 0.9 / 600))


def test_p_is_never_0_because_the_logged_draw_is_one_of_them(tmp_path: Path) -> None:
    plan = latin_plan(40, 6)
    data = study(tmp_path, answers(plan, lambda slot, question, helped: float(helped)), plan)
    assert randomisation.micro(*halves(data), data.drawn, count=99).p == 1 / 100


def test_exchanging_the_conditions_flips_the_sign_and_keeps_p(tmp_path: Path) -> None:
    plan = latin_plan(20, 6)
    data = study(tmp_path, answers(plan, coin(6, gain=0.3)), plan)
    treated, baseline = halves(data)
    found = randomisation.micro(treated, baseline, data.drawn)
    other = {HM: HUMAN, HUMAN: HM}
    mirrored = plan.assign(condition=plan["condition"].map(other))
    back = study(
        tmp_path, answers(plan, coin(6, gain=0.3)).assign(condition=lambda f: f["condition"].map(other)), mirrored
    )
    turned = randomisation.micro(*halves(back), back.drawn)
    assert turned.estimate == pytest.approx(-found.estimate)
    assert turned.p == pytest.approx(found.p, abs=0.02)


def test_names_do_not_matter_and_a_seed_repeats_it(tmp_path: Path) -> None:
    """People, slots and rounds may have other names in another order, as in an anonymised release: the same p."""
    plan = latin_plan(30, 8)
    trials = answers(plan, coin(9, gain=0.1))
    data = study(tmp_path, trials, plan)
    first = randomisation.question_weighted(*halves(data), data.drawn)
    assert 0.001 < first.p < 0.999
    assert randomisation.question_weighted(*halves(data), data.drawn) == first
    rng = np.random.default_rng(1)
    new = {name: {old: f"x{number:03d}" for old, number in zip(plan[name].unique(), rng.permutation(30), strict=False)}
           for name in ("participant", "slot", "round")}  # fmt: skip
    renamed = plan.assign(**{name: plan[name].map(names) for name, names in new.items()})
    other = study(tmp_path, trials.assign(participant=trials["participant"].map(new["participant"])), renamed)
    assert randomisation.question_weighted(*halves(other), other.drawn) == first
    without = [
        study(tmp_path, t.drop(columns="round", errors="ignore"), p.drop(columns="round"))
        for t, p in ((trials, plan), (other.trials[trials.columns.intersection(other.trials.columns)], renamed))
    ]
    one, two = (randomisation.micro(*halves(each), each.drawn) for each in without)
    assert one == two


def test_slots_that_nobody_took_are_part_of_the_draw(tmp_path: Path) -> None:
    plan = latin_plan(12, 8)
    few = plan.assign(participant=plan["participant"].mask(plan["slot"].astype(int) % 2 == 0, ""))
    data = study(tmp_path, answers(few, coin(1)), few)
    assert data.drawn.possible == 64
    assert randomisation.micro(*halves(data), data.drawn).p is not None


def test_a_plan_that_draws_no_conditions_cannot_be_drawn_again(tmp_path: Path) -> None:
    for method in ("fixed", "counterbalanced"):
        plan = latin_plan(8, 6, method=method)
        data = study(tmp_path, answers(plan, coin(1)), plan)
        found = randomisation.micro(*halves(data), data.drawn)
        assert found.p is None
        assert found.reason.startswith("no two slots that meet the same questions")


def test_what_was_not_logged_is_not_guessed(tmp_path: Path) -> None:
    plan = latin_plan(8, 6)
    trials = answers(plan, coin(1))
    bare = study(tmp_path, trials.drop(columns=["list", "block"]), None)
    assert randomisation.micro(*halves(bare), bare.drawn).reason.startswith("no assignments.csv")
    derived = study(tmp_path, trials, None)
    assert randomisation.micro(*halves(derived), derived.drawn).flags == ("plan_from_trials",)


def test_trials_that_contradict_the_plan_are_refused(tmp_path: Path) -> None:
    plan = latin_plan(8, 6)
    trials = answers(plan, coin(1))
    wrong = exchanged(trials, {"p001"})
    data = study(tmp_path, wrong, plan)
    assert data.drawn.reason == "6 trials were not under the condition that assignments.csv has for them"
    strangers = study(tmp_path, trials, plan[plan["participant"] != "p001"])
    assert strangers.drawn.reason == "6 trials are of people who are not in assignments.csv"
    twice = study(tmp_path, trials, plan.assign(participant=plan["participant"].replace("p002", "p001")))
    assert "several slots" in twice.drawn.reason


def test_one_condition_alone_has_no_contrast(tmp_path: Path) -> None:
    plan = latin_plan(8, 6)
    data = study(tmp_path, answers(plan, coin(1)), plan)
    treated, _ = halves(data)
    assert randomisation.micro(treated, treated.iloc[:0], data.drawn).reason == "only one condition has trials"


def test_it_is_a_row_of_the_results_and_left_out_of_the_quick_ones(tmp_path: Path) -> None:
    plan = latin_plan(12, 8)
    data = study(tmp_path, answers(plan, coin(1, gain=0.4)), plan)
    found = analyse(data).find("perm.hm_minus_human.question_weighted", HM, baseline=HUMAN)
    assert found == randomisation.question_weighted(*halves(data), data.drawn)
    assert analyse(data, is_quick=True).find("perm.hm_minus_human.micro", HM, baseline=HUMAN) is None
