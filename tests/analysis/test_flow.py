"""The flow of people: golden counts on a study made by hand, both sums, groups, and what the report says of it."""

import json
import re
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from studies.analysis import attrition
from studies.analysis.analyse import analyse
from studies.analysis.blocks import Table
from studies.analysis.data import Data, read
from studies.analysis.estimate import Estimate
from studies.analysis.report import render
from studies.analysis.sections import flow as page

Simulate = Callable[..., pd.DataFrame]

# name, condition, state, trials that ended, excluded in trials.csv
PEOPLE = (
    ("a1", "human", "completed", 2, ""),
    ("a2", "human", "abandoned", 1, ""),
    ("a3", "human", "withdrawn", 0, ""),
    ("a4", "human", "completed", 2, "too fast"),
    ("c1", "human+model", "completed", 2, ""),
    ("c2", "human+model", "abandoned", 0, ""),
    ("c3", "human+model", "active", 1, ""),
    ("c4", "human+model", "abandoned", 0, ""),  # excluded in exclusions.csv alone
)


def by_hand() -> dict[str, pd.DataFrame]:
    """Between subjects: two questions each. A slot that nobody took stands in the plan too."""
    trials, plan = [], []
    for name, condition, _, ended, reason in PEOPLE:
        for number in (1, 2):
            line = {"participant": name, "question": f"q{number}", "condition": condition}
            plan.append({"slot": f"slot {name}", **line, "list": "fixed"})
            if number <= ended:
                flags = {"excluded": int(bool(reason)), "exclusion_reason": reason, "post_hoc": 0 if reason else ""}
                trials.append({**line, "answer": "A", "gold": "AB"[number - 1], "confidence": "", **flags})
    plan.append({"slot": "free", "participant": "", "question": "q1", "condition": "human", "list": "fixed"})
    people = [
        {"participant": name, "state": state, "excluded": "" if state == "withdrawn" else int(bool(reason)),
         "exclusion_reason": reason}
        for name, _, state, _, reason in PEOPLE
    ]  # fmt: skip
    decided = [
        {"participant": "a4", "rule": "too fast", "post_hoc": 0},
        {"participant": "c4", "rule": "a friend", "post_hoc": 1},
    ]
    return {
        "trials": pd.DataFrame(trials), "assignments": pd.DataFrame(plan), "participants": pd.DataFrame(people),
        "exclusions": pd.DataFrame(decided),
    }  # fmt: skip


def study(folder: Path, tables: dict[str, pd.DataFrame], *, state: str = "closed") -> Data:
    folder.mkdir(exist_ok=True)
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    (folder / "study.json").write_text(json.dumps({"state": state}))
    return read(folder)


def crossed(simulate: Simulate, *, seed: int = 3, leave: float = 0.3) -> dict[str, pd.DataFrame]:
    """Everybody meets both conditions; some leave at a trial of their own, and their later trials are not there."""
    full = simulate(people=16, per_person=12, questions=20, seed=seed).astype({"position": int})
    rng = np.random.default_rng(seed)
    names = sorted(full["participant"].unique())
    last = {name: int(rng.integers(0, 12)) if rng.random() < leave else 12 for name in names}
    plan = full[["participant", "question", "condition", "position"]]
    plan = plan.assign(slot=plan["participant"], list=[f"s{int(name[1:]) % 2}" for name in plan["participant"]])
    people = pd.DataFrame(
        [{"participant": name, "state": "completed" if last[name] == 12 else "abandoned"} for name in names]
    )
    kept = full[full["position"] <= full["participant"].map(last)]
    return {"trials": kept, "assignments": plan, "participants": people}


def table_of(data: Data, caption: str) -> Table:
    blocks = page.section(data, analyse(data, is_quick=True)).blocks
    return next(block for block in blocks if isinstance(block, Table) and block.caption == caption)


def test_golden_counts_by_the_condition_assigned(tmp_path: Path) -> None:
    table = table_of(study(tmp_path, by_hand()), "From the start to the analysis")
    assert list(table.columns) == ["", "All", "human", "human+model"]
    assert list(table.rows) == [
        ("Started", "8", "4", "4"),
        ("finished", "3", "2", "1"),
        ("left before the end", "3", "1", "2"),
        ("withdrew", "1", "1", "0"),
        ("not finished yet", "1", "0", "1"),
        ("Not analysed", "4", "2", "2"),
        ("excluded: a friend, after outcomes were seen", "1", "0", "1"),
        ("excluded: too fast", "1", "1", "0"),
        ("no trial of theirs ended", "1", "0", "1"),
        ("withdrew", "1", "1", "0"),
        ("Analysed", "4", "2", "2"),
        ("finished", "2", "1", "1"),
        ("left before the end", "1", "1", "0"),
        ("not finished yet", "1", "0", "1"),
    ]
    assert table.strong == {0, 5, 10}


def test_golden_attrition_with_and_without_those_excluded(tmp_path: Path) -> None:
    data = study(tmp_path, by_hand())
    results = analyse(data, is_quick=True)
    found = {
        (row.condition, row.exclusions): (row.found.estimate, row.found.n_trials, row.found.P)
        for row in results if row.id == "acc.attrition"
    }  # fmt: skip
    assert found == {
        ("human", "none"): (3 / 8, 8, 4),
        ("human", "applied"): (3 / 6, 6, 3),
        ("human+model", "none"): (5 / 8, 8, 4),
        ("human+model", "applied"): (3 / 6, 6, 3),
    }
    differences = [
        results.find("diff.attrition", "human+model", baseline="human", exclusions=each).estimate
        for each in ("none", "applied")
    ]
    assert differences == [pytest.approx(2 / 8), 0]
    assert {row.timeouts for row in results if "attrition" in row.id} == {"wrong"}


def test_while_the_study_is_open_nobody_is_missed_who_may_still_come(tmp_path: Path) -> None:
    data = study(tmp_path, by_hand(), state="open")
    found = analyse(data, is_quick=True).find("acc.attrition", "human+model", exclusions="none")
    assert (found.estimate, found.n_trials) == (4 / 6, 6)
    assert "who have not finished are left out" in table_of(data, "Planned trials that are not in the data").note


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_both_sums_hold_and_who_is_analysed_are_the_people_of_the_headline(
    simulate: Simulate, tmp_path: Path, seed: int
) -> None:
    data = study(tmp_path, crossed(simulate, seed=seed))
    table = table_of(data, "From the start to the analysis")
    assert list(table.columns) == ["", "All", "s0", "s1"]
    starts = [*sorted(table.strong), len(table.rows)]
    sums = {table.rows[start][0]: start for start in starts[:-1]}
    assert sums.keys() == {"Started", "Not analysed", "Analysed"}
    for column in (1, 2, 3):
        numbers = [int(row[column]) for row in table.rows]
        for start, end in pairwise(starts):
            assert numbers[start] == sum(numbers[start + 1 : end])
        assert numbers[0] == numbers[sums["Not analysed"]] + numbers[sums["Analysed"]]
    assert [sum(int(cell) for cell in row[2:]) for row in table.rows] == [int(row[1]) for row in table.rows]
    kept = data.trials[data.trials["excluded"] != 1]["participant"].nunique()
    assert int(table.rows[sums["Analysed"]][1]) == kept


def test_other_names_change_nothing(simulate: Simulate, tmp_path: Path) -> None:
    tables = crossed(simulate)
    rng = np.random.default_rng(0)
    renamed = dict(tables)
    for column in ("participant", "question", "item_group"):
        names = sorted({*tables["trials"][column], *tables["assignments"].get(column, ())} - {""})
        other = {name: f"{column[0]}{place}" for name, place in zip(names, rng.permutation(len(names)), strict=True)}
        renamed = {
            name: table.assign(**{column: table[column].replace(other)}) if column in table else table
            for name, table in renamed.items()
        }
    shuffled = {name: table.sample(frac=1, random_state=1) for name, table in renamed.items()}
    one, two = study(tmp_path / "one", tables), study(tmp_path / "two", shuffled)
    caption = "From the start to the analysis"
    assert table_of(one, caption) == table_of(two, caption)
    for each, other_one in zip(attrition_of(one), attrition_of(two), strict=True):
        assert each.se is not None
        assert numbers(each) == pytest.approx(numbers(other_one))


def numbers(found: Estimate) -> tuple[float | None, ...]:
    return found.estimate, found.se, found.low, found.high, found.n_trials, found.P, found.Q


def attrition_of(data: Data) -> list[Estimate]:
    return [row.found for row in analyse(data, is_quick=True) if row.id in page.IDS]


def test_lists_are_of_participants_csv_where_there_is_no_plan(tmp_path: Path) -> None:
    tables = by_hand()
    del tables["assignments"]
    lists = ["r0", "r0", "", "r1", "r1", "r0", "r1", "r1"]
    data = study(tmp_path, tables | {"participants": tables["participants"].assign(list=lists)})
    table = table_of(data, "From the start to the analysis")
    assert list(table.columns) == ["", "All", "r0", "r1", "not known"]
    assert table.rows[0] == ("Started", "8", "3", "4", "1")
    section = page.section(data, analyse(data, is_quick=True))
    assert section.sentences[1] == f"How many planned trials are missing cannot be said: {attrition.NO_PLAN}."


def test_a_plan_alone_says_who_started_and_not_how_it_ended(tmp_path: Path) -> None:
    tables = by_hand()
    data = study(tmp_path, {name: tables[name] for name in ("trials", "assignments")})
    assert Counter(person.fate for person in data.flow.people) == {"analysed": 4, "excluded": 1, "no trial": 3}
    section = page.section(data, analyse(data, is_quick=True))
    assert section.sentences == ["8 people started; 4 are analysed."]
    assert [row[0] for row in section.blocks[0].rows] == [
        "Started", "Not analysed", "excluded: too fast", "no trial of theirs ended", "withdrew", "Analysed",
    ]  # fmt: skip


def test_many_lists_are_not_set_beside_one_another(simulate: Simulate, tmp_path: Path) -> None:
    tables = crossed(simulate)
    tables["assignments"]["list"] = tables["assignments"]["participant"]
    table = table_of(study(tmp_path, tables), "From the start to the analysis")
    assert list(table.columns) == ["", "All"]
    assert "The 16 lists of the plan are not shown" in table.note


def test_with_bare_trials_one_sentence_says_what_is_not_known(simulate: Simulate, tmp_path: Path) -> None:
    simulate(people=6).to_csv(tmp_path / "trials.csv", index=False)
    data = read(tmp_path)
    results = analyse(data, is_quick=True)
    section = page.section(data, results)
    assert (section.sentences, section.blocks) == ((page.UNKNOWN,), ())
    for id, condition, baseline in (("acc.attrition", "human", ""), ("diff.attrition", "human+model", "human")):
        found = results.find(id, condition, baseline=baseline)
        assert (found.estimate, found.reason) == (None, attrition.NO_PLAN)


def test_every_form_of_the_report_has_it(tmp_path: Path) -> None:
    data = study(tmp_path, by_hand())
    report = render(data, analyse(data, is_quick=True))
    text = re.sub(r"<[^>]*>", " ", report.page)
    for form in (text, report.markdown.replace("\\", ""), report.tables):
        for words in ("excluded: a friend, after outcomes were seen", "By condition assigned", "Missing"):
            assert words in form
    assert "8 people started, 3 finished; 4 are analysed." in text
    assert "tab:flow-1" in report.tables
