"""If only confident answers counted; what would calibrate them; and what the Brier score and ECE are made of."""

from studies.analysis import by_value, plot_curves
from studies.analysis.blocks import Block, How, Pictures, Section, Table
from studies.analysis.data import Data
from studies.analysis.estimate import Estimate
from studies.analysis.present import bare, between, count, number, p_value, with_interval
from studies.analysis.results import Result, Results
from studies.analysis.schema import MODEL
from studies.analysis.sections.words import CLUSTERED, PEOPLE, WORDS, headline_rows, name_of
from studies.analysis.slices import Slice

SELECTIVE = ("cal.selective.fifth", "cal.selective.half", "cal.selective.area")
BENT = ("cal.slope", "cal.intercept", "cal.log_loss.own", "cal.log_score", "cal.quadratic_score")
CHANCE = (
    "cal.ece.width10",
    "cal.ece.width10.null_mean",
    "cal.ece.width10.null_q95",
    "cal.rms.width10",
    "cal.mce.width10",
)
MURPHY = ("cal.brier", "cal.murphy.reliability", "cal.murphy.resolution", "cal.murphy.uncertainty")
IN_BINS = tuple(f"cal.murphy.width10.{term}" for term in ("reliability", "resolution", "wbv", "wbc"))
JACKKNIFED = (
    "AUROC and the figures about the most confident answers are no means: their intervals come from computing them"
    " again without each participant, each question (passage) and each cell of both, the largest of three variances,"
    " and t with min(P, Q) − 1. Slope and intercept: logit, clustered as the means are."
)


def selective(data: Data, results: Results, part: Slice) -> Section | None:
    """Accuracy against coverage; None where nobody gave a confidence."""
    frames = {c: part.people[c, ""] for c in PEOPLE if (c, "") in part.people}
    frames |= {MODEL: part.protocols[""]} if "" in part.protocols else {}
    curves = {condition: by_value.curve(frame) for condition, frame in frames.items()}
    curves = {condition: curve for condition, curve in curves.items() if not curve.empty}
    if not curves:
        return None
    rows = [
        (
            WORDS[condition] if place == 0 else "",
            bare(each["threshold"]),
            bare(each["coverage"]),
            bare(each["accuracy"]),
            between(Estimate(low=each["low"], high=each["high"])),
            count(each["n_trials"]),
        )
        for condition, curve in curves.items()
        for place, (_, each) in enumerate(curve.iterrows())
    ]
    summary = [
        (name_of(row, data), *(with_interval(found) for found in _find(results, row, *SELECTIVE)))
        for row in _rows(results)
    ]
    blocks: list[Block] = [
        Pictures(
            [plot_curves.coverage(curves)],
            "Right answers if only those from a confidence up counted."
            " A flat line: confidence does not tell right from wrong.",
        ),
        Table(
            "Right answers among the most confident, %",
            ("", "A fifth", "Half", "Mean over all shares"),
            summary,
            note="Of equal confidences a part counts evenly. All answers: see Right, % above.",
        ),
        Table(
            "The points of the curve, %",
            ("", "Confidence from", "Answers kept", "Right", "95 % interval", "n"),
            rows,
            is_folded=True,
        ),
        How(SELECTIVE, (CLUSTERED, JACKKNIFED)),
    ]
    return Section("selective", "If only confident answers counted", (), blocks)


def in_detail(data: Data, results: Results) -> Section | None:
    """Slopes and scores, ECE beside what chance makes, and the terms of the Brier score."""
    rows = _rows(results)
    if not rows:
        return None
    blocks = (
        Table(
            "What would calibrate the confidence, and proper scores",
            ("", "Slope", "Intercept", "p", "Log loss", "Log score", "Quadratic score"),
            [_bent(data, results, row) for row in rows],
            note="Slope 1 and intercept 0 are calibrated; below 1 confidence is too extreme, below 0 too sure."
            " Log loss: 0 is best. Log and quadratic score of the whole distribution: 0 and 1 are best.",
        ),
        Table(
            "ECE beside what chance makes, points",
            ("", "ECE", "By chance, mean", "By chance, 95 %", "RMS error", "Largest error"),
            [(name_of(row, data), *(bare(each.estimate) for each in _find(results, row, *CHANCE))) for row in rows],
            note="Ten bins of equal width. By chance: simulated answers that are right as often as their confidence"
            " says, each by itself; people who are alike make more than that.",
        ),
        Table(
            "The terms of the Brier score",
            ("", "Brier", "Reliability", "Resolution", "Uncertainty"),
            [_terms(data, results, row, MURPHY) for row in rows],
            note="Brier = reliability − resolution + uncertainty, over the distinct confidences. Small reliability and"
            " large resolution are good; uncertainty is the questions' own.",
        ),
        Table(
            "The same over ten bins",
            ("", "Reliability", "Resolution", "WBV", "WBC"),
            [_terms(data, results, row, IN_BINS) for row in rows],
            note="Brier = reliability − resolution + uncertainty + WBV − WBC.",
            is_folded=True,
        ),
        How((*BENT, *CHANCE, *MURPHY, *IN_BINS), (CLUSTERED, JACKKNIFED)),
    )
    return Section("calibration-detail", "Calibration in detail", (), blocks)


def _rows(results: Results) -> list[Result]:
    return [row for row in headline_rows(results, "cal.overconfidence") if row.found.estimate is not None]


def _bent(data: Data, results: Results, row: Result) -> tuple[str, ...]:
    slope, intercept, *scores = _find(results, row, *BENT)
    numbers = (with_interval(each, kind="number") for each in (slope, intercept))
    return name_of(row, data), *numbers, p_value(intercept.p), *(number(each.estimate) for each in scores)


def _terms(data: Data, results: Results, row: Result, ids: tuple[str, ...]) -> tuple[str, ...]:
    return name_of(row, data), *(number(each.estimate, 4) for each in _find(results, row, *ids))


def _find(results: Results, row: Result, *ids: str) -> list[Estimate]:
    return [results.find(id, row.condition, arm=row.arm) or Estimate() for id in ids]
