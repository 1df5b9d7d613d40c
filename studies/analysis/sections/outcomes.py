"""How often each condition is right, and the differences with their tests."""

from collections.abc import Iterable

from studies.analysis import family, plots
from studies.analysis.blocks import Block, How, Pictures, Section, Table
from studies.analysis.data import Data
from studies.analysis.estimate import Estimate
from studies.analysis.plots import Line
from studies.analysis.present import bare, between, count, p_value, points, remarks, with_interval
from studies.analysis.results import Result, Results
from studies.analysis.schema import HUMAN, HUMAN_MODEL, MODEL
from studies.analysis.sections.words import CLUSTERED, headline_rows, name_of

WEIGHTED = ("acc.question_weighted", "acc.participant_weighted", "acc.macro_subject")
IID = {
    "acc.wilson": "Wilson",
    "acc.clopper_pearson": "Exact (Clopper-Pearson)",
    "acc.agresti_coull": "Agresti-Coull",
    "acc.jeffreys": "Jeffreys",
}
FORMS = {"micro": "over all trials", "question_weighted": "within questions"}
COLUMNS = ("", "Points", "95 % interval", "p", "p adjusted", "Trials", "Remarks")


def accuracy(data: Data, results: Results) -> Section:
    """A picture and a table of every condition, arm and protocol."""
    rows = headline_rows(results, "acc.micro")
    lines = [Line(name_of(row, data), row.condition, row.found) for row in rows if row.found.estimate is not None]
    options = data.trials["option_count"].dropna()
    chance = 1 / float(options.iloc[0]) if options.nunique() == 1 else 0.25 if options.empty else None
    blocks: list[Block] = []
    if lines:
        caption = "Right answers with 95 % intervals over people and questions."
        blocks.append(Pictures([plots.accuracy(lines, chance=chance)], caption))
    weighed = [
        (name_of(r, data), *(with_interval(results.find(id, r.condition, arm=r.arm)) for id in WEIGHTED)) for r in rows
    ]
    blocks += [
        Table(
            "Right answers by condition",
            ("", "%", "95 % interval", "Trials", "People", "Questions*", "Wilson**", "Remarks"),
            [_accuracy_row(data, results, row) for row in rows],
            note="* a passage counts once. ** as if trials were independent, which they are not.",
        ),
        Table(
            "Weighed otherwise, %", ("", "Questions equal", "People equal", "Subjects equal"), weighed, is_folded=True
        ),
        Table(
            "Intervals as if trials were independent, %",
            ("", *IID.values()),
            [(name_of(row, data), *(between(each) for each in _same_rows(results, row, IID))) for row in rows],
            is_folded=True,
        ),
        How(("acc.micro", *IID, *WEIGHTED), (CLUSTERED,)),
    ]
    return Section("accuracy", "Right answers", (), blocks)


def _accuracy_row(data: Data, results: Results, row: Result) -> tuple[str, ...]:
    """Where nothing varies the exact interval stands in, and says so."""
    wilson, exact = _same_rows(results, row, ("acc.wilson", "acc.clopper_pearson"))
    interval = between(row.found) if row.found.low is not None else f"exact {between(exact)}"
    counts = (count(row.found.n_trials), count(row.found.P), count(row.found.Q))
    return name_of(row, data), bare(row.found.estimate), interval, *counts, between(wilson), remarks(row.found)


def _same_rows(results: Results, row: Result, ids: Iterable[str]) -> list[Estimate | None]:
    """Other figures of the row's condition and arm."""
    return [results.find(id, row.condition, arm=row.arm) for id in ids]


def contrasts(data: Data, results: Results) -> Section:
    """Planned contrasts first, then by protocol and arm, then where the model is right and where it is wrong."""
    primary, other = ("micro", "question_weighted") if data.study.primary == "micro" else ("question_weighted", "micro")
    planned = [
        (f"Human + model − human, {FORMS[primary]}", f"diff.hm_minus_human.{primary}", HUMAN_MODEL, HUMAN),
        ("Human + model − model", "diff.hm_minus_model", HUMAN_MODEL, MODEL),
        ("Human − model", "diff.human_minus_model", HUMAN, MODEL),
        (f"Human + model − human, {FORMS[other]}", f"diff.hm_minus_human.{other}", HUMAN_MODEL, HUMAN),
        ("Synergy: over the better of both", f"diff.synergy.{primary}", HUMAN_MODEL, HUMAN),
    ]
    found = [(label, c, results.find(id, c, baseline=base) or Estimate()) for label, id, c, base in planned]
    names = ("Human + model − human", "Human + model − model", "Human − model", f"The first, {FORMS[other]}")
    lines = [Line(n, c, each) for n, (_, c, each) in zip(names, found[:4], strict=True) if each.low is not None]
    more = [
        _row(f"{name_of(row, data)} − {row.baseline.replace('model: ', 'model, ')}", row.found)
        for id in (f"diff.hm_minus_human.{primary}", "diff.hm_minus_model", "diff.human_minus_model")
        for row in headline_rows(results, id)
        if row.arm or row.baseline not in {HUMAN, MODEL}
    ]
    split = [
        _row(f"Where the model is {word}", each)
        for word, value in (("right", 1), ("wrong", 0))
        if (each := results.find(planned[0][1], HUMAN_MODEL, baseline=HUMAN, subset=f"model_correct={value}"))
    ]
    fixed = [
        _row(label, results.find(id, c, baseline=base, population="fixed questions"))
        for label, id, c, base in planned[:4]
    ]
    blocks: list[Block] = []
    if lines:
        blocks.append(Pictures([plots.forest(lines)], "Differences with 95 % intervals; the line marks no difference."))
    blocks.append(
        Table(
            "Contrasts", COLUMNS, [_row(label, each) for label, _, each in found], strong=frozenset({0}),
            note=f"p adjusted: Holm over {_family(data)}."
            " Synergy is tested one-sided by intersection-union, without adjustment; its estimate is biased downwards.",
        )
    )  # fmt: skip
    if more:
        blocks.append(Table("Other protocols and arms", COLUMNS, more))
    if split:
        blocks.append(Table(f"Human + model − human, {FORMS[primary]}, split by the model", COLUMNS, split))
    note = "Clustered by participant alone: these intervals say nothing about other questions."
    blocks.append(Table("For new people on exactly these questions", COLUMNS, fixed, note=note, is_folded=True))
    blocks.append(How([id for _, id, _, _ in planned], (CLUSTERED,)))
    return Section("contrasts", "What the model adds, and what people add", (), blocks)


def _family(data: Data) -> str:
    """The contrasts that are adjusted together, in words."""
    if data.study.family == family.PLANNED:
        return "the two planned contrasts, human + model against human and against the model"
    return f"the contrasts that were registered ({'; '.join(data.study.family)})"


def _row(label: str, found: Estimate | None) -> tuple[str, ...]:
    each = found or Estimate()
    p_values = (p_value(each.p), p_value(each.p_adj))
    return (
        label,
        points(each.estimate),
        between(each, kind="points"),
        *p_values,
        count(each.n_trials or None),
        remarks(each),
    )
