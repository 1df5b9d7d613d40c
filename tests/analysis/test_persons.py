"""The figures of single persons, all at once, are those of the ordinary functions on each person's rows."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from studies.analysis import accuracy, compare
from studies.analysis.analyse import analyse
from studies.analysis.data import read
from studies.analysis.estimate import Estimate
from studies.analysis.registry import REGISTRY

ABOUT = {"population": "this participant"}


def same(one: Estimate, other: Estimate) -> bool:
    """Equal up to rounding, words included."""
    for name, value in vars(one).items():
        expected = getattr(other, name)
        if isinstance(value, float):
            assert value == pytest.approx(expected, abs=1e-12), name
        else:
            assert value == expected, name
    return True


def test_every_person_as_computed_alone(simulate: Callable[..., pd.DataFrame], tmp_path: Path) -> None:
    """Six trials each and odd cases among them: one condition only, one trial, all right, the model not asked."""
    frame = simulate(people=14, per_person=6, questions=40)
    who, alone = frame["participant"], frame["condition"] == "human"
    frame = frame.assign(answer=frame["answer"].mask(who == "p001", frame["gold"]))
    frame.loc[who == "p001", "timed_out"] = "0"
    frame = frame[~((who == "p002") & alone) & ~((who == "p004") & ~alone) & ~((who == "p005") & (frame.index % 6 > 0))]
    frame.loc[frame["question"].isin(["q0001", "q0005", "q0009"]), ["model_answer", "model_confidence"]] = ""
    frame.to_csv(tmp_path / "trials.csv", index=False)
    data = read(tmp_path)
    results = analyse(data)
    trials = data.trials[data.trials["excluded"] == 0]
    seen: set[str] = set()
    for person in sorted(set(data.trials["participant"])):
        rows = trials[trials["participant"] == person]
        hm, human = rows[rows["condition"] == "human+model"], rows[rows["condition"] == "human"]
        find = {"subset": f"participant={person}", "population": "this participant"}
        gain = results.find("diff.hm_minus_human.micro", "human+model", baseline="human", **find)
        over_model = results.find("diff.hm_minus_model", "human+model", baseline="model", **find)
        plain = [Estimate(**{**vars(each), "p_adj": None}) for each in (gain, over_model)]
        plain = [
            Estimate(**{**vars(each), "flags": tuple(f for f in each.flags if not f.startswith("adjusted"))})
            for each in plain
        ]
        assert same(plain[0], compare.micro(hm, human, **ABOUT))
        assert same(plain[1], compare.minus_model(hm, hm["model_correct"], **ABOUT))
        for condition, part in (("human", human), ("human+model", hm)):
            assert same(results.find("acc.micro", condition, **find), accuracy.micro(part, **ABOUT))
        seen |= {gain.reason, over_model.reason, *over_model.flags}
    assert {"only one condition has trials", "model_not_asked_everywhere"} <= seen  # the odd cases did occur


def test_whoever_computes_persons_does_it_all_at_once() -> None:
    for definition in REGISTRY:
        assert ("participant" in definition.levels) == (definition.by_person is not None), definition.id


def test_names_of_people_change_nothing(simulate: Callable[..., pd.DataFrame], tmp_path: Path) -> None:
    frame = simulate(people=8)
    names = dict(zip(sorted(set(frame["participant"])), "hgfedcba", strict=True))
    figures = []
    for table in (frame, frame.assign(participant=frame["participant"].map(names))):
        table.to_csv(tmp_path / "trials.csv", index=False)
        rows = [row for row in analyse(read(tmp_path)) if row.subset.startswith("participant=")]
        figures.append(np.array(sorted((r.found.estimate or -9, r.found.se or -9) for r in rows)))
    np.testing.assert_allclose(figures[0], figures[1], atol=1e-12)
