"""What the table of the model alone becomes: places, temperatures and pairs of protocols, from file to results."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score, log_loss

from studies.analysis import temperature
from studies.analysis.analyse import analyse
from studies.analysis.blocks import Table
from studies.analysis.data import Data, read
from studies.analysis.present import number, points
from studies.analysis.results import Results
from studies.analysis.sections import alone, beside_paper
from studies.analysis.study import Study

Simulate = Callable[..., pd.DataFrame]
LETTERS = np.array(list("ABCD"))


def model_answers(questions: pd.DataFrame) -> pd.DataFrame:
    """zero-shot and 5-shot with probabilities; rotations with places, by a model that often takes the first one."""
    rng = np.random.default_rng(2)
    n = len(questions)
    gold = np.searchsorted(LETTERS, questions["gold"].to_numpy().astype(str))
    parts = []
    for name in ("zero-shot", "5-shot"):
        logs = 2 * rng.normal(0, 1, (n, 4)) + 2 * np.eye(4)[gold]
        shares = temperature.softmax(logs)
        columns = {f"p_{letter}": shares[:, place] for place, letter in enumerate(LETTERS)}
        parts.append(pd.DataFrame({"question": questions["question"], "protocol": name, "sample": 0, **columns}))
        parts[-1]["answer"] = LETTERS[shares.argmax(axis=1)]
    for rotation in range(4):
        place = np.where(rng.random(n) < 0.4, 0, rng.integers(0, 4, n))
        answer = LETTERS[(place + rotation) % 4]
        rows = {"question": questions["question"], "protocol": "rotations", "sample": rotation, "answer": answer}
        parts.append(pd.DataFrame({**rows, "place": LETTERS[place]}))
    return pd.concat(parts)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory, simulate: Simulate) -> tuple[Data, Results, pd.DataFrame]:
    folder = tmp_path_factory.mktemp("study")
    frame = simulate()
    answers = model_answers(frame.drop_duplicates("question"))
    zero_shot = answers.loc[answers["protocol"] == "zero-shot"].set_index("question")
    chosen = zero_shot["answer"].reindex(frame["question"]).to_numpy()
    frame.assign(model_answer=chosen, model_confidence="").to_csv(folder / "trials.csv", index=False)
    answers.to_csv(folder / "model_answers.csv", index=False)
    data = read(folder, study=Study(baseline_protocol="zero-shot"))
    return data, analyse(data), answers


def gold_of(data: Data, answers: pd.DataFrame) -> pd.Series:
    return answers["question"].map(data.trials.drop_duplicates("question").set_index("question")["gold"])


def test_log_loss_equals_scikit_learn_also_for_the_primary_protocol(
    study: tuple[Data, Results, pd.DataFrame],
) -> None:
    data, results, answers = study
    for name, arm in (("zero-shot", ""), ("5-shot", "5-shot")):
        part = answers.loc[answers["protocol"] == name]
        wanted = log_loss(gold_of(data, part), part[[f"p_{letter}" for letter in LETTERS]], labels=LETTERS)
        found = results.find("cal.log_loss", "model", arm=arm)
        assert found is not None
        assert found.estimate == pytest.approx(wanted)
        assert found.low < found.estimate < found.high


def test_tempered_figures_are_those_of_the_tempered_probabilities(study: tuple[Data, Results, pd.DataFrame]) -> None:
    data, results, answers = study
    part = answers.loc[answers["protocol"] == "5-shot"].sort_values("question")
    rows = data.models.loc[data.models["protocol"] == "5-shot"]
    shares = part[[f"p_{letter}" for letter in LETTERS]].to_numpy()
    gold = np.searchsorted(LETTERS, gold_of(data, part).to_numpy().astype(str))
    made = temperature.held_out(shares, gold, rows["item_code"].to_numpy(), np.ones(len(part)))
    assert not isinstance(made, str)
    assert rows["temperature"].to_numpy() == pytest.approx(made.temperature)
    assert rows["tempered"].to_numpy() == pytest.approx(made.probabilities.max(axis=1))
    found = results.find("cal.tempered.log_loss", "model", arm="5-shot")
    assert found.estimate == pytest.approx(log_loss(gold, made.probabilities, labels=range(4)))
    assert results.find("cal.temperature", "model", arm="5-shot").estimate == pytest.approx(made.temperature.mean())
    raw = results.find("cal.ece.width10", "model", arm="5-shot")
    assert results.find("cal.tempered.ece.width10", "model", arm="5-shot").estimate != raw.estimate


def test_without_probabilities_there_is_no_temperature(study: tuple[Data, Results, pd.DataFrame]) -> None:
    _, results, _ = study
    for id in ("cal.log_loss", "cal.temperature", "cal.tempered.log_loss", "cal.tempered.five_bin.unweighted"):
        found = results.find(id, "model", arm="rotations")
        assert found.estimate is None
        assert "no probabilities of every option" in found.reason


def test_every_two_protocols_are_compared_the_primary_first(study: tuple[Data, Results, pd.DataFrame]) -> None:
    _, results, answers = study
    by_name = {name: part.sort_values("question")["answer"] for name, part in answers.groupby("protocol")}
    found = results.find("agree.kappa", "model", baseline="model: 5-shot")
    assert found.estimate == pytest.approx(cohen_kappa_score(by_name["zero-shot"], by_name["5-shot"]))
    assert found.low < found.estimate < found.high
    sampled = results.find("agree.same", "model", baseline="model: rotations")
    assert "several samples" in sampled.reason
    assert results.find("agree.same", "model", arm="5-shot", baseline="model: rotations") is not None
    assert results.find("agree.same", "model", baseline="model: 5-shot", timeouts="excluded") is None


def test_places_are_told_of_rotations_alone(study: tuple[Data, Results, pd.DataFrame]) -> None:
    _, results, answers = study
    places = answers.loc[answers["protocol"] == "rotations", "place"]
    shares = [results.find(f"place.share.{letter}", "model", arm="rotations").estimate for letter in LETTERS]
    assert shares == pytest.approx([(places == letter).mean() for letter in LETTERS])
    found = results.find("place.max_deviation", "model", arm="rotations")
    assert found.estimate == pytest.approx(max(abs(share - 0.25) for share in shares))
    assert found.p < 0.001
    assert "one order" in results.find("place.max_deviation", "model", arm="5-shot").reason


def test_a_place_that_is_never_chosen_does_not_move_the_others(simulate: Simulate, tmp_path: Path) -> None:
    frame = simulate(people=4)
    frame.to_csv(tmp_path / "trials.csv", index=False)
    questions = frame.drop_duplicates("question")["question"]
    parts = [
        pd.DataFrame({"question": questions, "protocol": "rotations", "sample": n, "answer": "A", "place": "BD"[n % 2]})
        for n in range(4)
    ]
    pd.concat(parts).to_csv(tmp_path / "model_answers.csv", index=False)
    results = analyse(read(tmp_path))
    shares = [results.find(f"place.share.{letter}", "model", arm="rotations").estimate for letter in LETTERS]
    assert shares == [0, 0.5, 0, 0.5]


def test_the_report_shows_every_protocol_beside_people_and_the_others(
    study: tuple[Data, Results, pd.DataFrame],
) -> None:
    data, results, _ = study
    section = alone.section(data, results)
    assert section is not None
    beside, calibrated, agreement, places = (block for block in section.blocks if isinstance(block, Table))
    assert [row[0] for row in beside.rows] == ["zero-shot", "5-shot", "rotations"]
    gain = results.find("diff.hm_minus_model", "human+model", baseline="model: rotations")
    assert beside.rows[2][4] == points(gain.estimate)
    assert [row[0] for row in calibrated.rows] == ["zero-shot", "5-shot"]
    tempered = results.find("cal.tempered.log_loss", "model", arm="5-shot")
    assert calibrated.rows[1][5].endswith(f"→ {number(tempered.estimate)}")
    assert [row[0] for row in agreement.rows] == ["zero-shot and 5-shot"]
    assert [row[0] for row in places.rows] == ["rotations"]
    assert places.rows[0][-2] == "<\N{NARROW NO-BREAK SPACE}.001"


def test_table_1_says_how_many_answers_each_figure_rests_on(study: tuple[Data, Results, pd.DataFrame]) -> None:
    data, results, _ = study
    table = next(block for block in beside_paper.section(data, results).blocks if isinstance(block, Table))
    n = {row[0]: row[table.columns.index("n")] for row in table.rows}
    assert n["Model 5-shot"] == str(results.find("acc.micro", "model", arm="5-shot", subset="task=mmlu").n_trials)
    assert "Model rotations" in n


def test_without_a_model_there_is_no_section_of_it(simulate: Simulate, tmp_path: Path) -> None:
    simulate(people=4).drop(columns=["model_answer", "model_confidence"]).to_csv(tmp_path / "trials.csv", index=False)
    data = read(tmp_path)
    results = analyse(data)
    assert alone.section(data, results) is None
    assert results.find("cal.temperature", "model").reason == "no answers of the model alone"
    assert results.find("agree.kappa", "model").reason == "fewer than two protocols of the model alone"
