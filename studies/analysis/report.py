"""The report as HTML: one self-contained page, and the same body as a fragment for a page that brings its own styles.

The fragment holds no style and no script, so that it may stand under a strict content security policy; its pictures are
`data:` URIs. Nothing in it depends on the clock: the same input gives the same bytes.
"""

from dataclasses import dataclass
from pathlib import Path

import jinja2

from studies.analysis import narrative
from studies.analysis.data import Data
from studies.analysis.present import SPACE, between, count, cut, percent
from studies.analysis.results import Results
from studies.analysis.schema import HUMAN, HUMAN_MODEL, MODEL
from studies.analysis.sections import sections
from studies.analysis.sections.words import WORDS

ASSETS = Path(__file__).parent / "assets"


@dataclass(frozen=True)
class Report:
    """The two forms of a report."""

    page: str
    fragment: str


def render(data: Data, results: Results) -> Report:
    """Write the report of a study. What people typed is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ASSETS), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    fragment = environment.get_template("fragment.html").render(
        is_simulated=data.study.is_simulated,
        summary=_summary(data, results),
        headline=narrative.headline(results, data.study),
        big=_big(results),
        sections=list(sections(data, results)),
    )
    page = environment.get_template("page.html").render(
        title=data.study.title or "Results",
        style=(ASSETS / "report.css").read_text(encoding="utf-8"),
        fragment=fragment,
    )
    return Report(page, fragment)


def _summary(data: Data, results: Results) -> str:
    """Who and how much is behind the figures, in one line."""
    trials = data.trials
    is_left_out = trials["excluded"] == 1
    kept = trials.loc[~is_left_out] if results.exclusions == "applied" else trials
    n, people, questions = len(kept), kept["participant"].nunique(), kept["question"].nunique()
    words = f"{count(people)} people, {count(questions)} questions, {count(n)} answers and timeouts."
    if results.exclusions == "applied" and is_left_out.any():
        words += f" Left out by exclusions: {count(int(is_left_out.sum()))} trials."
    return words + " Unanswered trials count as wrong."


def _big(results: Results) -> list[tuple[str, str, str]]:
    """Three figures to read first: condition, accuracy, interval, which is cut at 0 and 100 % as in pictures."""
    rows = []
    for condition in (HUMAN, HUMAN_MODEL, MODEL):
        found = results.find("acc.micro", condition)
        if found and found.estimate is not None:
            interval = f"{between(cut(found))}{SPACE}%" if found.low is not None else "no interval"
            rows.append((WORDS[condition], percent(found.estimate), interval))
    return rows
