"""The report as Markdown and its tables as LaTeX: all that the page has, and nothing that a typed text could break."""

import html
import re
from collections.abc import Callable

import pandas as pd
import pytest

from studies.analysis import latex, markdown
from studies.analysis.analyse import analyse
from studies.analysis.blocks import Section, Table
from studies.analysis.data import read
from studies.analysis.report import Report, render
from studies.analysis.study import Study


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, simulate: Callable[..., pd.DataFrame]) -> Report:
    path = tmp_path_factory.mktemp("report") / "trials.csv"
    simulate(people=12).to_csv(path, index=False)
    data = read(path, study=Study(title="Can | you <catch> it?"))
    return render(data, analyse(data, is_quick=True))


def test_markdown_has_every_heading_and_table_of_the_page(report: Report) -> None:
    for heading in re.findall(r"<h2>(.*?)</h2>", report.page):
        assert f"## {html.unescape(heading)}" in report.markdown.replace("\\", "")
    captions = re.findall(r'<h3 id=".*?">(.*?)</h3>', report.page)
    assert captions
    for caption in captions:
        assert f"### {html.unescape(caption)}" in report.markdown.replace("\\", "")


def test_markdown_rows_have_as_many_cells_as_their_heading(report: Report) -> None:
    for table in re.findall(r"(?:^\|.*\|\n)+", report.markdown, re.MULTILINE):
        cells = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(cells) == 1, table


def test_markdown_links_to_the_pictures_that_are_written(report: Report) -> None:
    linked = re.findall(r"\]\(plots/(.*?)\.svg\)", report.markdown)
    assert linked == list(report.pictures)


def test_typed_text_stays_text() -> None:
    assert markdown.escape("a|b *c* <d>\n# e") == "a\\|b \\*c\\* \\<d\\> \\# e"
    assert latex.escape("50 % of $x_1 & \\input{a}\n−3") == (
        "50 \\% of \\$x\\_1 \\& \\textbackslash{}input\\{a\\} $-$3"
    )


def test_latex_has_balanced_tables_with_rules_labels_and_equal_cells(report: Report) -> None:
    tables = re.findall(r"\\begin\{(tabular|longtable)\}\{(l?r*)\}(.*?)\\end\{\1\}", report.tables, re.DOTALL)
    assert len(tables) == report.tables.count("\\label{tab:") >= 10
    for _, columns, body in tables:
        assert "\\toprule" in body
        assert "\\bottomrule" in body
        rows = [line for line in body.split("\n") if line.endswith("\\\\") and "multicolumn" not in line]
        rows = [line for line in rows if not line.startswith("\\caption")]
        assert {len(re.findall(r"(?<!\\)&", line)) for line in rows} == {len(columns) - 1}
    assert not re.search(r"[^\x00-\x7f]", report.tables)


def test_a_long_table_breaks_over_pages() -> None:
    rows = [(f"p{number}", "1") for number in range(latex.LONG + 1)]
    text = latex.tables([Section("people", "By person", (), (Table("Each", ("", "n"), rows),))])
    assert "\\begin{longtable}{lr}" in text
    assert "\\begin{table}" not in text
