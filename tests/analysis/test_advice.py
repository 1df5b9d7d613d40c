"""The published figures of a real judge-advisor study come out of trials.csv: Zhang 2023, Taking Advice from ChatGPT.

118 people answered 2,828 MMLU questions first alone and then with advice, as four confidences each. Expected figures
are those of the data's own notes; they break ties by random.seed(0) before each row.
"""

import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from studies.analysis import reliance, vote
from studies.analysis.analyse import analyse
from studies.analysis.data import Data, read
from studies.analysis.results import Results

SOURCE = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "advice" / "responses.csv"
pytestmark = pytest.mark.skipif(not SOURCE.exists(), reason=f"the advice data is not at {SOURCE}")
OPTIONS = "ABCD"


@pytest.fixture(scope="module")
def responses() -> pd.DataFrame:
    return pd.read_csv(SOURCE, dtype=str, keep_default_na=False)


def confidences(responses: pd.DataFrame, stage: str) -> np.ndarray:
    return responses[[f"{stage}_choice{option}" for option in OPTIONS]].astype(float).to_numpy()


def choose(confidence: np.ndarray) -> list[str]:
    """The option with the most confidence; ties by random.seed(0) before each row, then random.choice."""
    chosen = []
    for row in confidence:
        random.seed(0)
        tied = [option for option, value in zip(OPTIONS, row, strict=True) if value == row.max()]
        chosen.append(random.choice(tied))
    return chosen


@pytest.fixture(scope="module")
def data(responses: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Data:
    """The data as trials.csv: one row per trial with initial_answer; the advice is the model's answer."""
    first, final = confidences(responses, "init"), confidences(responses, "adjusted")
    table = pd.DataFrame(
        {
            "participant": responses["participant_id"],
            "question": responses["question_id"],
            "condition": "human+model",
            "initial_answer": choose(first),
            "initial_confidence": first.max(axis=1).round(9),
            "initial_seconds": responses["init_time"],
            "answer": choose(final),
            "confidence": final.max(axis=1).round(9),
            "seconds": responses["adjusted_time"],
            "gold": responses["correct_answer"],
            "model_answer": responses["advice_answer"],
            "assistant_answer": responses["advice_answer"],
            "subject": responses["topic"],
            "task": "mmlu",
            "option_count": 4,
        }
    )
    path = tmp_path_factory.mktemp("advice") / "trials.csv"
    table.to_csv(path, index=False)
    return read(path)


@pytest.fixture(scope="module")
def results(data: Data) -> Results:
    return analyse(data)


def test_every_response_becomes_two_trials(data: Data) -> None:
    assert data.trials.groupby("condition").size().to_dict() == {"human": 2828, "human+model": 2828}
    assert data.trials["participant"].nunique() == 118


def test_the_advice_none_is_an_answer_and_not_a_missing_one(data: Data) -> None:
    assert (data.trials.loc[data.trials["condition"] == "human+model", "advice"] == "None").sum() == 5


def test_accuracy_of_human_model_and_both(data: Data, results: Results) -> None:
    assert results.find("acc.micro", "human").estimate == pytest.approx(0.421, abs=5e-4)
    assert results.find("acc.micro", "human+model").estimate == pytest.approx(0.570, abs=5e-4)
    # The note's 63.9 % is over trials; the model alone is over distinct questions here.
    assert results.find("acc.deference", "human+model").estimate == pytest.approx(0.639, abs=5e-4)


def test_answers_mended_and_spoilt_and_their_pooled_mcnemar(data: Data, results: Results) -> None:
    final = data.trials[data.trials["condition"] == "human+model"]
    mended = int(((final["initial_correct"] == 0) & (final["correct"] == 1)).sum())
    spoilt = int(((final["initial_correct"] == 1) & (final["correct"] == 0)).sum())
    assert (mended, spoilt) == (598, 177)
    assert stats.binomtest(mended, mended + spoilt).pvalue == pytest.approx(3.4e-54, rel=0.02)
    assert results.find("rel.beneficial", "human+model").estimate == pytest.approx(598 / 2828)
    assert results.find("rel.harmful", "human+model").estimate == pytest.approx(177 / 2828)
    gain = results.find("diff.hm_minus_human.micro", "human+model", baseline="human").estimate
    assert gain == pytest.approx((598 - 177) / 2828)


def test_the_paired_t_over_people(data: Data) -> None:
    means = data.trials.pivot_table(index="participant", columns="condition", values="correct")
    assert stats.ttest_rel(means["human+model"], means["human"]).statistic == pytest.approx(13.655, abs=5e-4)


def test_final_accuracy_by_whether_the_advice_is_right(data: Data, results: Results) -> None:
    assert results.find("rel.accuracy_when_right", "human+model").estimate == pytest.approx(0.7875, abs=5e-5)
    assert results.find("rel.accuracy_when_wrong", "human+model").estimate == pytest.approx(0.1841, abs=5e-5)
    final = data.trials[data.trials["condition"] == "human+model"]
    assert reliance.accuracy_when_right(final).n_trials == 1807
    assert reliance.accuracy_when_wrong(final).n_trials == 1021


def test_a_quarter_of_first_answers_is_tied_and_fractional_credit_is_41_1(responses: pd.DataFrame) -> None:
    first = confidences(responses, "init")
    is_best = first == first.max(axis=1, keepdims=True)
    assert (is_best.sum(axis=1) > 1).mean() == pytest.approx(0.259, abs=5e-4)
    # The same by the package: each response is a poll of its own, in which every tied option gets one vote.
    rows, columns = np.nonzero(is_best)
    ballots = pd.DataFrame(
        {
            "participant": [f"v{i}" for i in range(len(rows))],
            "question": rows.astype(str),
            "answer": [OPTIONS[c] for c in columns],
            "gold": responses["correct_answer"].to_numpy()[rows],
            "confidence": np.nan,
            "option_count": 4.0,
        }
    )
    assert vote.majority(ballots).estimate == pytest.approx(0.411, abs=5e-4)


def test_the_gain_is_beyond_doubt_with_clustered_errors_too(results: Results) -> None:
    found = results.find("diff.hm_minus_human.micro", "human+model", baseline="human")
    assert found.P == 118
    assert found.p < 1e-10
    assert results.find("rel.rair", "human+model").n_trials + results.find("rel.rsr", "human+model").n_trials < 2828
