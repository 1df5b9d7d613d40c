"""The report: for a person, self-contained, safe under a strict policy, and the same bytes on every run."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from studies.analysis.analyse import analyse
from studies.analysis.data import read
from studies.analysis.report import Report, render
from studies.analysis.study import Study

Simulate = Callable[..., pd.DataFrame]


class Page(HTMLParser):
    """Tags with their attributes, text, and whether every tag is closed."""

    VOID = frozenset({"meta", "img", "br", "hr", "link", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, simulate: Simulate) -> Report:
    path = tmp_path_factory.mktemp("report") / "trials.csv"
    simulate().to_csv(path, index=False)
    data = read(
        path, study=Study(title="Can you <catch> it?", primary="question_weighted", looks=("2026-01-31 by anna",))
    )
    return render(data, analyse(data))


def test_page_is_well_formed_and_self_contained(report: Report) -> None:
    page = Page(report.page)
    assert page.open == []
    for tag, attributes in page.tags:
        assert tag not in {"script", "link", "iframe"}
        assert not any(name.startswith("on") for name in attributes)
        if tag == "img":
            assert attributes["src"].startswith("data:image/svg+xml;base64,")
        if tag == "a":
            assert attributes["href"].startswith("#")


def test_fragment_has_no_style_and_no_script(report: Report) -> None:
    page = Page(report.fragment)
    assert not {"html", "head", "body", "style", "script", "h1"} & {tag for tag, _ in page.tags}
    assert not any("style" in attributes for _, attributes in page.tags)
    assert report.fragment in report.page


def test_links_lead_to_sections_and_ids_are_unique(report: Report) -> None:
    tags = Page(report.page).tags
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {a["href"][1:] for tag, a in tags if tag == "a"} <= set(ids)


def test_pictures_have_words_and_sizes(report: Report) -> None:
    pictures = [attributes for tag, attributes in Page(report.page).tags if tag == "img"]
    # accuracy, contrasts, three reliability diagrams, coverage, the reliance plane, crowds, questions, people, session
    assert len(pictures) == 11
    for picture in pictures:
        assert len(picture["alt"]) > 60
        assert int(picture["width"]) <= 460


def test_tables_have_header_cells_for_rows_and_columns(report: Report) -> None:
    tags = Page(report.page).tags
    scopes = {attributes.get("scope") for tag, attributes in tags if tag == "th"}
    assert scopes == {"row", "col", "colgroup"}
    boxes = [attributes for tag, attributes in tags if attributes.get("class") == "r-table"]
    assert all(box["tabindex"] == "0" and box["aria-label"] for box in boxes)


def test_what_people_typed_is_escaped(report: Report) -> None:
    assert "Can you &lt;catch&gt; it?" in report.page
    assert "<catch>" not in report.page


def test_headline_and_sections_are_there(report: Report) -> None:
    text = Page(report.page).text
    for words in (
        "Right answers: people with the model", "on the same questions", "after Holm", "Table 1, MMLU",
        "Table 1, QuALITY, time-limited", "Human alone, weighted vote", "75.4", "Reliance",
        "If only confident answers counted", "Calibration in detail", "The size of the crowd", "What use does",
        "By subject", "By person",
        "Timeouts excluded, no exclusions", "attention check", "Time and use", "2026-01-31 by anna", "trials.csv",
        "How this was computed", "Vaccaro",
    ):  # fmt: skip
        assert words in text, words


def test_the_report_says_the_numbers_of_the_results(trials_csv: Path) -> None:
    data = read(trials_csv)
    results = analyse(data)
    text = Page(render(data, results).page).text
    found = results.find("diff.hm_minus_human.micro", "human+model", baseline="human")
    assert f"{100 * found.estimate:+.1f} points" in text
    assert f"{100 * results.find('acc.micro', 'human').estimate:.1f}" in text


def test_a_rerun_gives_the_same_bytes(trials_csv: Path) -> None:
    one, two = (render(data, analyse(data)) for data in (read(trials_csv), read(trials_csv)))
    assert one == two


def test_simulated_participants_are_announced_and_have_no_timing(trials_csv: Path) -> None:
    data = read(trials_csv, study=Study(is_simulated=True))
    text = Page(render(data, analyse(data)).page).text
    assert "Simulated participants." in text
    assert "Time and use" not in text
    assert "Messages per dialog" not in text


def test_people_are_not_announced_as_simulated(report: Report) -> None:
    assert "Simulated" not in report.page


@pytest.mark.parametrize("columns", [["answer", "gold", "confidence"], ["correct", "confidence"]])
@pytest.mark.parametrize("condition", ["human", "human+model", None])
def test_the_smallest_tables_have_a_report_too(
    simulate: Simulate, tmp_path: Path, columns: list[str], condition: str | None
) -> None:
    frame = simulate(people=6)
    frame = frame.assign(correct=(frame["answer"] == frame["gold"]).astype(int))
    frame = frame[frame["condition"] == condition] if condition else frame
    frame[["participant", "question", "condition", *columns]].to_csv(tmp_path / "trials.csv", index=False)
    data = read(tmp_path)
    text = Page(render(data, analyse(data)).page).text
    assert not re.search(r"\b(nan|none)\b", text.lower().replace(": none", "").replace("none recorded", ""))
    assert "Nobody is excluded." in text
    assert "Reliance" not in text


def test_everybody_right_shows_an_exact_interval(simulate: Simulate, tmp_path: Path) -> None:
    frame = simulate(people=12)
    frame.assign(answer=frame["gold"], timed_out="0", confidence="1").to_csv(tmp_path / "trials.csv", index=False)
    data = read(tmp_path)
    text = Page(render(data, analyse(data)).page).text
    assert "exact 9" in text  # 95-something to 100
    assert "nothing varies: no interval" in text


def test_one_trial_does_not_break_the_report(tmp_path: Path) -> None:
    (tmp_path / "trials.csv").write_text("participant,question,condition,answer,gold,confidence\np,q,human,A,A,0.8\n")
    data = read(tmp_path)
    assert "100.0" in Page(render(data, analyse(data)).page).text


def test_many_people_are_drawn_as_points(simulate: Simulate, tmp_path: Path) -> None:
    simulate(people=70, per_person=6).to_csv(tmp_path / "trials.csv", index=False)
    data = read(tmp_path)
    assert "Accuracy of each of 70 people" in render(data, analyse(data)).page


def test_confidences_below_chance_are_warned_of_with_their_number_by_condition(
    simulate: Simulate, tmp_path: Path, report: Report
) -> None:
    frame = simulate()
    path = tmp_path / "trials.csv"
    low = frame.index[(frame["confidence"] != "") & (frame["condition"] == "human") & (frame["excluded"] == "0")][:3]
    frame.assign(confidence=frame["confidence"].mask(frame.index.isin(low), "0.1")).to_csv(path, index=False)
    data = read(path)
    answered = frame.loc[(frame["timed_out"] == "0") & (frame["excluded"] == "0"), "condition"].value_counts()
    words = f"Human alone: 3 of {answered['human']}; Human + model: 0 of {answered['human+model']}"
    assert f"below 1/K, what a blind choice among K options would earn ({words})" in render(
        data, analyse(data, is_quick=True)
    ).markdown.replace("\\", "")
    assert "below 1/K" not in report.markdown
