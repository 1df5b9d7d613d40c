"""The report: one self-contained page of HTML, its body as a fragment, Markdown, LaTeX tables, and its pictures.

The fragment holds no style and no script, so that it may stand under a strict content security policy; its pictures are
`data:` URIs. Nothing in it depends on the clock: the same input gives the same bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2

from studies.analysis import latex, markdown, narrative
from studies.analysis.blocks import Pictures, Section
from studies.analysis.canvas import Picture
from studies.analysis.data import Data
from studies.analysis.present import SPACE, between, count, cut, percent
from studies.analysis.results import Results
from studies.analysis.schema import HUMAN, HUMAN_MODEL, MODEL
from studies.analysis.sections import sections
from studies.analysis.sections.words import WORDS

ASSETS = Path(__file__).parent / "assets"
PLOTS = "plots"
SIMULATED = "Simulated participants. These answers come from bots, not from people; timing and use are left out."


@dataclass(frozen=True)
class Report:
    """The forms of a report. `pictures` are by the name of their file without its suffix, such as `reliance`."""

    page: str
    fragment: str
    markdown: str
    tables: str
    pictures: dict[str, Picture]


def render(data: Data, results: Results) -> Report:
    """Write the report of a study. What people typed is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ASSETS), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    parts = list(sections(data, results))
    summary, headline, big = _summary(data, results), narrative.headline(results, data.study), _big(results)
    title, pictures = data.study.title or "Results", _pictures(parts)
    fragment = environment.get_template("fragment.html").render(
        is_simulated=data.study.is_simulated,
        summary=summary,
        headline=headline,
        big=big,
        sections=parts,
    )
    page = environment.get_template("page.html").render(
        title=title,
        style=(ASSETS / "report.css").read_text(encoding="utf-8"),
        fragment=fragment,
    )
    lead = [SIMULATED, *headline, summary] if data.study.is_simulated else [*headline, summary]
    linked = {f"{PLOTS}/{name}.svg": picture for name, picture in pictures.items()}
    text = markdown.report(title=title, lead=lead, big=big, sections=parts, files=linked)
    return Report(page, fragment, text, latex.tables(parts), pictures)


def _pictures(parts: Sequence[Section]) -> dict[str, Picture]:
    """Each picture by its section's anchor, numbered where a section has several."""
    found: dict[str, Picture] = {}
    for part in parts:
        drawn = [each for block in part.blocks if isinstance(block, Pictures) for each in block.pictures]
        for number, each in enumerate(drawn, start=1):
            found[part.anchor if len(drawn) == 1 else f"{part.anchor}-{number}"] = each
    return found


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
