"""The paper's Table 1 per task, and what else the paper reports, beside this study."""

from studies.analysis import paper, table1
from studies.analysis.blocks import Block, How, Section, Table
from studies.analysis.data import Data
from studies.analysis.estimate import Estimate
from studies.analysis.present import NONE, bare, count, interval, percent, with_interval
from studies.analysis.results import Results
from studies.analysis.schema import HUMAN_MODEL
from studies.analysis.sections.words import CLUSTERED, VOTING, of_people

COMPUTED = (
    "acc.micro",
    "vote.pool",
    "cal.five_bin.unweighted",
    "cal.five_bin.weighted",
    "vote.pool.five_bin.unweighted",
)


def section(data: Data, results: Results) -> Section:
    """One pair of tables per task."""
    blocks: list[Block] = []
    for found in table1.tables(data, results):
        blocks += [_table(found), _also_reported(data, results, found)]
    blocks.append(How(COMPUTED, (CLUSTERED, VOTING)))
    lead = f"The paper's figures ({paper.SOURCE}) have no intervals and come from other people, questions and models."
    return Section("table-1", "Beside the paper", (lead,), blocks)


def _table(found: table1.Table1) -> Table:
    rows = [
        (
            row.label,
            bare(row.accuracy.estimate if row.accuracy else None),
            interval(row.accuracy),
            count(row.accuracy.n_trials or None) if row.accuracy else NONE,
            NONE if row.paper_accuracy is None else f"{row.paper_accuracy:.1f}",
            _pair(row.unweighted, row.weighted),
            NONE if row.paper_calibration is None else f"{row.paper_calibration:.0f}",
        )
        for row in found.rows
    ]
    return Table(
        f"Table 1, {found.title}",
        ("", "This study", "95 % interval", "n", "Paper", "This study", "Paper"),
        rows,
        groups=(("", 1), ("Right answers, %", 4), ("Calibration error, points", 2)),
        note="Calibration error over the paper's five bins: bins equal / bins weighed by their answers (the paper"
        " does not say which). exact: Clopper-Pearson, where no question differs from another. n: trials of"
        " people, questions of a vote, answers of the model.",
        strong=frozenset(i for i, row in enumerate(found.rows) if row.label == paper.HUMAN_MODEL.label),
    )


def _also_reported(data: Data, results: Results, found: table1.Table1) -> Table:
    task, subset = found.task, found.subset
    confidence = " → ".join(percent(each.estimate) for each in of_people(results, "cal.confidence", subset=subset))
    cap, gain, messages, resets = (
        results.find(id, HUMAN_MODEL, subset=subset) or Estimate()
        for id in ("vote.pool.at_cap", "acc.half_gain", "dose.messages", "dose.resets")
    )
    rows = [
        ("Mean confidence, alone → with model", confidence, paper.MEAN_CONFIDENCE.get(task, NONE)),
        (
            "Right when the vote is at its 99 % cap",
            f"{percent(cap.estimate)} (N = {cap.n_trials})",
            paper.AT_CAP.get(task, NONE),
        ),
        ("Second minus first half, points", with_interval(gain, kind="points"), paper.HALF_GAIN.get(task, NONE)),
    ]
    if not data.study.is_simulated:
        rows += [
            ("Messages per dialog (paper: turns)", with_interval(messages, kind="tenths"), paper.TURNS.get(task, NONE)),
            ("Resets per dialog", with_interval(resets, kind="tenths"), paper.RESETS.get(task, NONE)),
        ]
    return Table(f"Also reported there, human + model, {found.title}", ("", "This study", "Paper"), rows)


def _pair(one: Estimate | None, other: Estimate | None) -> str:
    if one is None or other is None or one.estimate is None or other.estimate is None:
        return NONE
    return f"{bare(one.estimate)} / {bare(other.estimate)}"
