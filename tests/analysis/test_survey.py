"""The survey's figures, and what the report says of them: for everybody, and for groups that the design has apart."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from studies.analysis.analyse import analyse
from studies.analysis.blocks import Section, Table
from studies.analysis.data import Data, read
from studies.analysis.errors import InputError
from studies.analysis.report import render
from studies.analysis.sections import survey as page
from studies.analysis.survey import Points, Share, points, shares

Simulate = Callable[..., pd.DataFrame]
WORDS = {"trust": ("not at all", "", "fully"), "often": ("never", "daily")}
KINDS = {"trust": "scale", "often": "choice", "more": "text"}
ASKED = {"trust": "How much <b>trust</b>?", "often": "How often?", "more": "What else?"}

# name, condition, trust, often, characters of what was written, excluded
PEOPLE = (
    ("a1", "human", 1, 1, 12, 0),
    ("a2", "human", 2, 2, "", 0),
    ("a3", "human", 3, "", 5, 1),
    ("c1", "human+model", 3, 2, "", 0),
    ("c2", "human+model", "", 2, "", 0),
)


def items() -> pd.DataFrame:
    asked = [
        {
            "item": name,
            "item_kind": KINDS[name],
            "item_text": ASKED[name],
            "item_required": 0,
            "value": n,
            "words": word,
        }
        for name, words in WORDS.items()
        for n, word in enumerate(words, start=1)
    ]
    more = {"item": "more", "item_kind": "text", "item_text": ASKED["more"], "item_required": 0}
    return pd.DataFrame([*asked, more])


def tables() -> dict[str, pd.DataFrame]:
    """Between subjects, one question each."""
    trials, survey, plan = [], [], []
    for name, condition, trust, often, wrote, out in PEOPLE:
        line = {"participant": name, "question": "q1", "condition": condition}
        why = "too fast" if out else ""
        trials.append({**line, "answer": "A", "gold": "A", "confidence": "", "excluded": out, "exclusion_reason": why})
        plan.append({"slot": f"s{name}", **line})
        for item, value in (("trust", trust), ("often", often), ("more", "")):
            cells = {"value": value, "characters": wrote if item == "more" else "", "excluded": out}
            survey.append({"participant": name, "item": item, "item_kind": KINDS[item], **cells})
    return {
        "trials": pd.DataFrame(trials),
        "assignments": pd.DataFrame(plan),
        "survey": pd.DataFrame(survey),
        "survey_items": items(),
    }


def study(folder: Path, given: dict[str, pd.DataFrame]) -> Data:
    folder.mkdir(exist_ok=True)
    for name, table in given.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    (folder / "study.json").write_text(json.dumps({"state": "closed"}))
    return read(folder)


def section_of(data: Data) -> Section:
    found = page.section(data, analyse(data, is_quick=True))
    assert found is not None
    return found


def table_of(found: Section, caption: str) -> Table:
    return next(block for block in found.blocks if isinstance(block, Table) and block.caption == caption)


def test_golden_points() -> None:
    found = points([2, 4, 4], 5)
    assert found == Points(3, pytest.approx(10 / 3), 4, pytest.approx(np.sqrt(4 / 3)), (0, 1, 0, 2, 0))
    assert points([3], 3) == Points(1, 3, 3, None, (0, 0, 1))
    assert points([], 2) == Points(0, None, None, None, (0, 0))


def test_points_are_what_pandas_says() -> None:
    values = np.random.default_rng(1).integers(1, 8, 41).astype(float)
    found, said = points(list(values), 7), pd.Series(values)
    assert (found.mean, found.median, found.sd) == pytest.approx((said.mean(), said.median(), said.std()))
    assert list(found.counts) == [int((said == point).sum()) for point in range(1, 8)]


def test_shares_have_the_interval_that_statsmodels_has() -> None:
    found = shares([1, 1, 1, 2], 3)
    assert [each.count for each in found] == [3, 1, 0]
    assert [each.share for each in found] == [0.75, 0.25, 0]
    for each in found:
        low, high = proportion_confint(each.count, 4, method="wilson")
        assert (each.low, each.high) == pytest.approx((low, high), abs=1e-12)
    assert shares([], 2) == [Share(0, None, None, None)] * 2


def test_the_section_has_everybody_and_the_conditions_apart_without_those_excluded(tmp_path: Path) -> None:
    found = section_of(study(tmp_path, tables()))
    assert found.sentences == (
        "4 people sent the survey. Shown are all of them, and each condition that people were assigned to. Left out by "
        "exclusions: 1.",
    )
    scale = table_of(found, ASKED["trust"])
    assert list(scale.columns) == ["", "n", "Mean", "Median", "SD", "1", "2", "3", "Left empty"]
    assert list(scale.rows) == [
        ("All", "3", "2.00", "2.0", "1.00", "1", "1", "1", "1"),
        ("human", "2", "1.50", "1.5", "0.71", "1", "1", "0", "0"),
        ("human+model", "1", "3.00", "3.0", "–", "0", "0", "1", "1"),
    ]
    assert scale.note.startswith("1 = not at all, 3 = fully.")
    choice = table_of(found, "How often?")
    low, high = (100 * end for end in proportion_confint(3, 4, method="wilson"))
    assert list(choice.rows)[3] == ("daily", "All", "3", "75.0", f"{low:.1f} to {high:.1f}")
    assert [row[:3] for row in choice.rows] == [
        ("never", "All", "1"), ("never", "human", "1"), ("never", "human+model", "0"),
        ("daily", "All", "3"), ("daily", "human", "1"), ("daily", "human+model", "2"),
    ]  # fmt: skip
    assert "Answered: 4. Left empty: 0." in choice.note
    written = table_of(found, "Answers in their own words")
    assert list(written.rows) == [
        ("What else?", "All", "1", "3"), ("What else?", "human", "1", "1"), ("What else?", "human+model", "0", "2"),
    ]  # fmt: skip


def test_where_all_met_the_same_there_is_one_group(simulate: Simulate, tmp_path: Path) -> None:
    trials = simulate(people=4, per_person=6, questions=8)
    names = sorted(trials["participant"].unique())
    survey = [
        {"participant": name, "item": "often", "item_kind": "choice", "value": 1 + n % 2, "characters": ""}
        for n, name in enumerate(names)
    ]
    found = section_of(study(tmp_path, {"trials": trials, "survey": pd.DataFrame(survey), "survey_items": items()}))
    assert found.sentences == ("4 people sent the survey.",)
    choice = table_of(found, "How often?")
    assert [row[:4] for row in choice.rows] == [("never", "", "2", "50.0"), ("daily", "", "2", "50.0")]
    assert "Who" not in choice.shown().columns


def test_the_report_has_it_in_every_form_and_what_was_asked_stays_text(tmp_path: Path) -> None:
    data = study(tmp_path, tables())
    made = render(data, analyse(data, is_quick=True))
    assert "<h2>Survey</h2>" in made.page
    assert "How much &lt;b&gt;trust&lt;/b&gt;?" in made.fragment
    assert "<b>" not in made.fragment
    assert "## Survey" in made.markdown
    assert r"\textless{}b\textgreater{}trust" in made.tables


def test_without_a_survey_there_is_no_section_and_nothing_else_differs(tmp_path: Path) -> None:
    with_one = tables()
    without = {name: table for name, table in with_one.items() if not name.startswith("survey")}
    one, other = study(tmp_path / "one", with_one), study(tmp_path / "other", without)
    results, others = analyse(one, is_quick=True), analyse(other, is_quick=True)
    assert page.section(other, others) is None
    assert results.to_csv() == others.to_csv()
    text, other_text = (render(data, found).markdown for data, found in ((one, results), (other, others)))
    start = text.index("## Survey")
    end = text.index("\n## ", start) + 1
    own, rest = (each.split("## Where this comes from")[0] for each in (text[:start] + text[end:], other_text))
    assert own == rest


def test_a_survey_that_nobody_has_sent_says_so(tmp_path: Path) -> None:
    given = tables()
    assert section_of(study(tmp_path / "one", given | {"survey": given["survey"].iloc[:0]})).sentences == (page.NOBODY,)
    out = given["survey"].assign(excluded=1)
    assert section_of(study(tmp_path / "two", given | {"survey": out})).sentences == (page.ALL_OUT,)


@pytest.mark.parametrize(
    "change",
    [{"item": "other"}, {"item_kind": "choice"}, {"value": 4}, {"value": 0}],
)
def test_an_answer_to_what_was_not_asked_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    given = tables()
    bent = given["survey"].copy()
    for name, value in change.items():
        bent[name] = bent[name].astype(object)
        bent.loc[0, name] = value
    with pytest.raises(InputError) as refused:
        study(tmp_path, given | {"survey": bent})
    [problem] = refused.value.problems
    assert (problem.file, problem.row) == ("survey.csv", 2)
    without = {name: table for name, table in given.items() if name != "survey_items"}
    (tmp_path / "survey_items.csv").unlink()
    with pytest.raises(InputError, match=r"survey_items\.csv"):
        study(tmp_path, without)


def test_an_item_that_a_person_answered_twice_is_refused(tmp_path: Path) -> None:
    given = tables()
    twice = pd.concat([given["survey"], given["survey"].iloc[:1]])
    with pytest.raises(InputError, match="each once; row 2 has it already"):
        study(tmp_path, given | {"survey": twice})
