"""Sensitivity analyses in the report: the same figures as the results, folded, and only what was computed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from studies.analysis.analyse import analyse
from studies.analysis.blocks import How, Section, Table
from studies.analysis.data import Data, read
from studies.analysis.present import p_value, points
from studies.analysis.results import Results
from studies.analysis.sections import parts, sensitivity
from studies.analysis.study import Study

Simulate = Callable[..., pd.DataFrame]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory, simulate: Simulate) -> tuple[Data, Results]:
    path = tmp_path_factory.mktemp("sensitivity") / "trials.csv"
    simulate(people=14).to_csv(path, index=False)
    data = read(path, study=Study(primary="question_weighted", margin=0.1))
    return data, analyse(data)


def table(section: Section, caption: str) -> Table:
    return next(block for block in section.blocks if isinstance(block, Table) and caption in block.caption)


def test_the_contrast_stands_first_and_the_other_methods_below_it(study: tuple[Data, Results]) -> None:
    data, results = study
    section = sensitivity.section(data, results)
    assert section is not None
    rows = table(section, "other methods").rows
    ids = ("diff.hm_minus_human.question_weighted", "gee.risk_difference", "glmm.risk_difference")
    found = [results.find(id, "human+model", baseline="human") for id in ids]
    assert [(row[1], row[3]) for row in rows] == [(points(each.estimate), p_value(each.p)) for each in found]
    assert all(block.is_folded for block in section.blocks if isinstance(block, Table))


def test_everything_shown_is_explained(study: tuple[Data, Results]) -> None:
    section = sensitivity.section(*study)
    (how,) = [block for block in section.blocks if isinstance(block, How)]
    assert {"es.hedges_g", "gee.odds_ratio", "glmm.interaction", "glmm.sd.question", "mcnemar.people.durkalski"} <= set(
        how.ids
    )
    assert not any("the same" in text.lower().split(".")[0][:8] for _, _, text, _ in how.items())


def test_mcnemar_has_one_line_per_crowd_and_two_of_everybody(study: tuple[Data, Results]) -> None:
    data, results = study
    rows = table(sensitivity.section(data, results), "McNemar").rows
    assert [row[0] for row in rows] == [
        "Human alone: majority vote, per question",
        "Human + model: majority vote, per question",
        "Human + model: all pairs pooled",
        "Human + model: the same, clustered by person",
    ]
    exact = results.find("mcnemar.crowd.exact", "human", baseline="model")
    assert rows[0][2] == p_value(exact.p)
    assert "as if trials were independent" in rows[2][-1]
    assert "chi²" in rows[3][-1]


def test_the_margin_is_shown_only_where_one_was_fixed(study: tuple[Data, Results]) -> None:
    data, results = study
    section = sensitivity.margins(data, results)
    rows = table(section, "margin").rows
    assert rows[0][0] == "Human + model not worse than human by 10 points"
    found = results.find("diff.noninferior.question_weighted", "human+model", baseline="human")
    assert rows[0][3] == p_value(found.p)
    bare = replace(data, study=Study())
    assert sensitivity.margins(bare, results) is None


def test_quick_results_have_no_models(study: tuple[Data, Results]) -> None:
    data, _ = study
    section = sensitivity.section(data, analyse(data, is_quick=True))
    captions = [block.caption for block in section.blocks if isinstance(block, Table)]
    assert "How much people and questions differ" not in captions
    assert len(table(section, "other methods").rows) == 1


def test_each_person_has_a_shrunken_gain_and_a_test(study: tuple[Data, Results]) -> None:
    data, results = study
    rows = table(parts.people(data, results), "drawn towards everybody").rows
    assert [row[0] for row in rows] == sorted(data.trials["participant"].unique())
    gains = np.array([float(row[1].replace("−", "-")) for row in rows])
    raw = [results.find("diff.hm_minus_human.micro", "human+model", baseline="human", subset=f"participant={row[0]}",
                        exclusions="none", population="this participant") for row in rows]  # fmt: skip
    assert gains.std() < 100 * np.std([each.estimate for each in raw])


def test_without_a_contrast_and_a_model_there_is_no_section(simulate: Simulate, tmp_path: Path) -> None:
    frame = simulate(people=5)
    alone = frame.loc[frame["condition"] == "human", ["participant", "question", "condition", "answer", "gold"]]
    alone.assign(confidence="").to_csv(tmp_path / "trials.csv", index=False)
    data = read(tmp_path)
    assert sensitivity.section(data, analyse(data)) is None
