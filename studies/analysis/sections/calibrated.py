"""Do people know when they are right: overconfidence, Brier score, reliability diagrams, binned errors."""

from studies.analysis import calibration, plots, scores
from studies.analysis.blocks import Block, How, Pictures, Section, Table
from studies.analysis.canvas import Picture
from studies.analysis.data import Data
from studies.analysis.estimate import Estimate
from studies.analysis.present import NONE, bare, between, count, number, p_value, with_interval
from studies.analysis.results import Result, Results
from studies.analysis.schema import MODEL
from studies.analysis.sections.confident import JACKKNIFED
from studies.analysis.sections.words import CLUSTERED, PEOPLE, WORDS, headline_rows, name_of
from studies.analysis.slices import Slice

TITLE = "Calibration: do they know when they are right?"
ERRORS = ("cal.five_bin.unweighted", "cal.five_bin.weighted", "cal.ece.width10", "cal.ece.mass10", "cal.ece.unique")
DEBIASED = "cal.ce2_debiased.width10"
COMPUTED = ("cal.overconfidence", "cal.confidence", "cal.brier", "cal.auroc", *ERRORS, DEBIASED)


def section(data: Data, results: Results, part: Slice) -> Section:
    """Means with intervals first, then the diagrams, then errors over bins, which have none."""
    rows = [row for row in headline_rows(results, "cal.overconfidence") if row.found.estimate is not None]
    if not rows:
        return Section("calibration", TITLE, ("No confidence was given, so there is nothing to calibrate.",), ())
    pictures, bins = _reliability(part)
    caption = "On the dashed line confidence equals accuracy. Below: answers per bin."
    blocks: list[Block] = [
        Table(
            "Confidence and correctness",
            ("", "Confidence, %", "Right, %", "Overconfidence, points", "p", "Brier score", "AUROC"),
            [_headline(data, results, row) for row in rows],
            note="Answered trials with a confidence. Overconfidence: above 0 is too sure. Brier score: 0 is best."
            " AUROC: .5 is having no idea which answers are right.",
        ),
        Pictures(pictures, caption),
        Table(
            "The bins of the diagrams, %",
            ("", "Confidence", "Right", "95 % interval", "n", "People", "Interval"),
            bins,
            is_folded=True,
        ),
        Table(
            "Calibration errors over bins, points",
            (
                "",
                "Paper's five, equal",
                "Paper's five, by n",
                "ECE, equal width",
                "ECE, equal counts",
                "ECE, by value",
                "Debiased CE²",
                "n",
            ),
            [_binned(data, results, row) for row in rows],
            note="Errors over bins are biased upwards, most of all when calibration is good: no ordinary interval.",
        ),
        How(COMPUTED, (CLUSTERED, JACKKNIFED)),
    ]
    return Section("calibration", TITLE, _warnings(part), blocks)


def _warnings(part: Slice) -> tuple[str, ...]:
    """That people gave confidences below chance, which is allowed: how many, by condition."""
    frames = {condition: part.sure[condition, ""] for condition in PEOPLE if (condition, "") in part.sure}
    found = {condition: scores.below_chance(frame) for condition, frame in frames.items()}
    if not any(found.values()):
        return ()
    counts = "; ".join(f"{WORDS[each]}: {count(below)} of {count(len(frames[each]))}" for each, below in found.items())
    return (
        f"Warning: some confidences are below 1/K, what a blind choice among K options would earn ({counts}). They"
        " count as they were given; whoever gave them may have meant that another option is likelier, or read the"
        " scale differently.",
    )


def _headline(data: Data, results: Results, row: Result) -> tuple[str, ...]:
    confidence, brier, auroc = _find(results, row, "cal.confidence", "cal.brier", "cal.auroc")
    right = (confidence.estimate or 0.0) - (row.found.estimate or 0.0)
    over, score = with_interval(row.found, kind="points"), with_interval(brier, kind="number")
    return (
        name_of(row, data),
        bare(confidence.estimate),
        bare(right),
        over,
        p_value(row.found.p),
        score,
        with_interval(auroc, kind="number"),
    )


def _binned(data: Data, results: Results, row: Result) -> tuple[str, ...]:
    *errors, debiased = _find(results, row, *ERRORS, DEBIASED)
    cells = (bare(each.estimate) for each in errors)
    return name_of(row, data), *cells, number(debiased.estimate, 4), count(row.found.n_trials)


def _find(results: Results, row: Result, *ids: str) -> list[Estimate]:
    return [results.find(id, row.condition, arm=row.arm) or Estimate() for id in ids]


def _reliability(part: Slice) -> tuple[list[Picture], list[tuple[str, ...]]]:
    """A diagram and its table for each condition and the primary protocol of the model, on the headline rows."""
    frames = {condition: part.people[condition, ""] for condition in PEOPLE if (condition, "") in part.people}
    frames |= {MODEL: part.protocols[""]} if "" in part.protocols else {}
    pictures: list[Picture] = []
    rows: list[tuple[str, ...]] = []
    for condition, frame in frames.items():
        table = calibration.reliability(frame)
        if table.empty:
            continue
        pictures.append(plots.reliability(table, title=WORDS[condition], condition=condition))
        for place, (_, each) in enumerate(table.iterrows()):
            interval = between(Estimate(low=float(each["low"]), high=float(each["high"])))
            people = NONE if each["P"] is None or each["P"] != each["P"] else count(each["P"])
            method = "clustered" if "CRVE" in each["method"] else "Wilson"
            figures = (bare(each["confidence"]), bare(each["accuracy"]), interval, count(each["n_trials"]))
            rows.append((WORDS[condition] if place == 0 else "", *figures, people, method))
    return pictures, rows
