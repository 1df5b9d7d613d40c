"""The model alone by every protocol: beside people with the model, calibrated, compared, and which place it prefers."""

from studies.analysis import table1
from studies.analysis.blocks import Block, How, Section, Table
from studies.analysis.data import Data
from studies.analysis.estimate import Estimate
from studies.analysis.position import PLACES
from studies.analysis.present import bare, between, count, interval, number, p_value, percent, points, remarks
from studies.analysis.results import Result, Results
from studies.analysis.schema import HUMAN_MODEL, MODEL
from studies.analysis.sections.words import CLUSTERED, headline_rows

AGAINST = "diff.hm_minus_model"
RAW = ("cal.five_bin.unweighted", "cal.five_bin.weighted", "cal.ece.width10")
TEMPERED = tuple(id.replace("cal.", "cal.tempered.") for id in RAW)
LOSSES = ("cal.log_loss", "cal.tempered.log_loss")
BANK = "acc.bank"
AGREE = ("agree.same", "agree.kappa")
PLACE = tuple(f"place.share.{letter}" for letter in PLACES)
DEVIATION = "place.max_deviation"
QUESTIONS_ONLY = "Of the model alone the intervals are over questions (passages): it has no people."


def section(data: Data, results: Results) -> Section | None:
    """None where the model was not asked."""
    rows = headline_rows(results, "acc.micro")
    protocols = [row for row in rows if row.condition == MODEL]
    over_banks = [row for row in headline_rows(results, BANK) if row.found.estimate is not None]
    if not protocols and not over_banks:
        return None
    ids, blocks = ["acc.micro", AGAINST], list[Block]()
    if protocols:
        blocks.append(_beside_people(data, results, protocols))
    if over_banks:
        blocks.append(_over_banks(over_banks))
        ids.append(BANK)
    if calibrated := [row for row in protocols if _find(results, row, "cal.temperature").estimate is not None]:
        blocks.append(_calibration(data, results, calibrated))
        ids += ["cal.temperature", *RAW, *LOSSES]
    pairs = [row for row in headline_rows(results, AGREE[0]) if row.found.estimate is not None]
    if pairs:
        blocks.append(_agreement(data, results, pairs))
        ids += AGREE
    if rotated := [row for row in protocols if _find(results, row, DEVIATION).estimate is not None]:
        blocks.append(_places(data, results, rotated))
        ids += [PLACE[0], DEVIATION]
    blocks.append(How(ids, (CLUSTERED, QUESTIONS_ONLY)))
    return Section("alone", "The model alone, by protocol", (), blocks)


def _beside_people(data: Data, results: Results, protocols: list[Result]) -> Table:
    rows = []
    for row in protocols:
        baseline = f"{MODEL}: {row.arm}" if row.arm else MODEL
        gain = results.find(AGAINST, HUMAN_MODEL, baseline=baseline) or Estimate()
        share = table1.accuracy(results, MODEL, arm=row.arm) or Estimate()
        right = (bare(share.estimate), interval(share), count(share.n_trials))
        differs = (points(gain.estimate), between(gain, kind="points"), p_value(gain.p), count(gain.n_trials or None))
        rows.append((_name(row.arm, data), *right, *differs, remarks(gain)))
    return Table(
        "Right answers, and people with the model beside each protocol",
        ("", "%", "95 % interval", "Answers", "Points", "95 % interval", "p", "Trials", "Remarks"),
        rows,
        groups=(("", 1), ("Model alone", 3), ("Human + model − model, same questions", 5)),
        note="The difference is taken trial by trial, on the questions that the protocol answered. Which protocol"
        " stands for the model can turn the conclusion, so all are shown; p is not adjusted.",
    )


def _over_banks(rows: list[Result]) -> Table:
    cells = []
    for row in rows:
        protocol, _, bank = row.arm.rpartition(": ")
        counts = (count(row.found.n_trials), count(row.found.Q))
        cells.append((f"{bank}, {protocol}", bare(row.found.estimate), interval(row.found), *counts))
    return Table(
        "The model alone over whole banks",
        ("", "%", "95 % interval", "Answers", "Questions*"),
        cells,
        note="Every question that the study could have drawn, not only those that people saw; no comparison with people"
        " uses it. * a passage counts once.",
    )


def _calibration(data: Data, results: Results, protocols: list[Result]) -> Table:
    rows = []
    for row in protocols:
        t = _find(results, row, "cal.temperature")
        pairs = ((bare, one, other) for one, other in zip(RAW, TEMPERED, strict=True))
        cells = [f"{write(_value(results, row, a))} → {write(_value(results, row, b))}" for write, a, b in pairs]
        losses = " → ".join(number(_value(results, row, id)) for id in LOSSES)
        rows.append((_name(row.arm, data), number(t.estimate, 2), *cells, losses, count(t.n_trials), remarks(t)))
    return Table(
        "Calibration as given → after one temperature",
        ("", "T", "Paper's five, equal", "Paper's five, by n", "ECE, equal width", "Log loss", "n", "Remarks"),
        rows,
        note="Errors in points. T above 1: the model is too sure. It is fitted on other questions than those it is"
        " applied to, and changes no answer.",
    )


def _agreement(data: Data, results: Results, pairs: list[Result]) -> Table:
    rows = []
    for row in pairs:
        kappa = results.find(AGREE[1], MODEL, arm=row.arm, baseline=row.baseline) or Estimate()
        other = row.baseline.removeprefix(f"{MODEL}: ")
        same = (percent(row.found.estimate), between(row.found))
        agreement = (number(kappa.estimate, 2), between(kappa, kind="number"), count(row.found.n_trials))
        rows.append((f"{_name(row.arm, data)} and {other}", *same, *agreement, remarks(kappa)))
    return Table(
        "Agreement between protocols",
        ("", "Same answer", "95 % interval", "Cohen's kappa", "95 % interval", "Questions", "Remarks"),
        rows,
        note="On questions that both answered. Protocols with several samples of a question are not here; what is"
        " combined from their samples is.",
        is_folded=len(rows) > 10,
    )


def _places(data: Data, results: Results, protocols: list[Result]) -> Table:
    rows = []
    for row in protocols:
        shares = [_find(results, row, id) for id in PLACE]
        cells = [f"{bare(each.estimate)} ({between(each)})" for each in shares]
        deviation = _find(results, row, DEVIATION)
        test = (bare(deviation.estimate), p_value(deviation.p), count(deviation.n_trials))
        rows.append((_name(row.arm, data), *cells, *test))
    return Table(
        "Which place the model chooses when every option stands once at every place, %",
        ("", *(f"{letter} (95 % interval)" for letter in PLACES), "Largest deviation, points", "p", "Answers"),
        rows,
        note="A model that looks only at what the options say chooses each of K places on 1/K of the rotations.",
    )


def _name(arm: str, data: Data) -> str:
    return arm or data.primary_protocol


def _find(results: Results, row: Result, id: str) -> Estimate:
    return results.find(id, MODEL, arm=row.arm) or Estimate()


def _value(results: Results, row: Result, id: str) -> float | None:
    return _find(results, row, id).estimate
