"""The paper's Table 1, filled with this study, one table per task."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from studies.analysis import models_alone, paper
from studies.analysis.data import Data
from studies.analysis.estimate import Estimate
from studies.analysis.results import Results
from studies.analysis.schema import HUMAN, HUMAN_MODEL, MODEL

COLUMNS = (
    "task", "row", "accuracy", "low", "high", "method", "n", "calibration_unweighted", "calibration_weighted",
    "paper_accuracy", "paper_calibration",
)  # fmt: skip
CALIBRATION = ("cal.five_bin.unweighted", "cal.five_bin.weighted")


@dataclass(frozen=True)
class Row:
    """One line: this study's accuracy and five-bin calibration errors (shares), and the paper's (percent)."""

    label: str
    accuracy: Estimate | None
    unweighted: Estimate | None
    weighted: Estimate | None
    paper_accuracy: float | None
    paper_calibration: float | None


@dataclass(frozen=True)
class Table1:
    """The table of one task. `task` is empty where the trials name none: then the paper has nothing to set beside."""

    task: str
    subset: str
    rows: tuple[Row, ...]

    @property
    def title(self) -> str:
        """How the task is called in a heading."""
        return paper.NAMES.get(self.task, self.task or "all questions")


def tables(data: Data, results: Results) -> tuple[Table1, ...]:
    """One table per task of the trials; one of all questions where no task is named."""
    tasks = sorted(set(data.trials["task"].unique()) - {""})
    if not tasks:
        return (_table(data, results, "", "all"),)
    return tuple(_table(data, results, task, f"task={task}") for task in tasks)


def as_records(found: tuple[Table1, ...]) -> Iterator[dict[str, str | float | int | None]]:
    """The same as flat rows with COLUMNS: this study in shares, the paper in percent as printed."""
    for table in found:
        for row in table.rows:
            own = row.accuracy or Estimate()
            values = (
                table.task or None, row.label, own.estimate, own.low, own.high,
                own.method or None, own.n_trials or None,
                row.unweighted.estimate if row.unweighted else None, row.weighted.estimate if row.weighted else None,
                row.paper_accuracy, row.paper_calibration,
            )  # fmt: skip
            yield dict(zip(COLUMNS, values, strict=True))


def _table(data: Data, results: Results, task: str, subset: str) -> Table1:
    rows = [
        _people(results, subset, task, HUMAN, paper.HUMAN),
        _vote(results, subset, task, HUMAN, paper.HUMAN_VOTE),
        *_models(data, results, subset, task),
        _people(results, subset, task, HUMAN_MODEL, paper.HUMAN_MODEL),
        _vote(results, subset, task, HUMAN_MODEL, paper.HUMAN_MODEL_VOTE),
        _row(paper.EXPERTS, task, None, None, None),
    ]
    return Table1(task, subset, tuple(row for row in rows if row.accuracy or row.paper_accuracy is not None))


def _people(results: Results, subset: str, task: str, condition: str, printed: paper.Row) -> Row:
    found = (results.find(id, condition, subset=subset) for id in CALIBRATION)
    return _row(printed, task, accuracy(results, condition, subset=subset), *found)


def _vote(results: Results, subset: str, task: str, condition: str, printed: paper.Row) -> Row:
    found = (
        results.find(id, condition, subset=subset)
        for id in ("vote.pool", "vote.pool.five_bin.unweighted", "vote.pool.five_bin.weighted")
    )
    return _row(printed, task, *found)


def _models(data: Data, results: Results, subset: str, task: str) -> Iterator[Row]:
    """The paper's protocols in its order, then this study's others. The primary protocol goes by its name.

    A row that another protocol fills for want of the paper's says so in its label.
    """
    names = {data.primary_protocol: ""} | {name: name for name in sorted(data.models["protocol"].unique())}
    names[data.primary_protocol] = ""
    shares = {name: accuracy(results, MODEL, arm=arm, subset=subset) for name, arm in names.items()}
    asked = {name for name, share in shares.items() if share and share.estimate is not None}
    filling: set[str] = set()
    for printed, ways in paper.FILLED_BY:
        name = next((each for each in ways if each in asked), None)
        if name is None:
            yield _row(printed, task)
            continue
        filling.add(name)
        other = paper.otherwise(name)
        marked = other.marked(printed, models_alone.samples_of(data.models, other.samples)) if other else printed
        yield _protocol(results, subset, task, names[name], marked)
    for name, arm in names.items():
        if name not in filling:
            label = "Model alone" if name == "primary" else f"Model {name}"
            yield _protocol(results, subset, task, arm, paper.Row(label, {}, {}))


def _protocol(results: Results, subset: str, task: str, arm: str, printed: paper.Row) -> Row:
    found = (results.find(id, MODEL, arm=arm, subset=subset) for id in CALIBRATION)
    return _row(printed, task, accuracy(results, MODEL, arm=arm, subset=subset), *found)


def accuracy(results: Results, condition: str, *, arm: str = "", subset: str = "all") -> Estimate | None:
    """acc.micro; where no question differs from another with the exact interval, which its method says."""
    found = results.find("acc.micro", condition, arm=arm, subset=subset)
    exact = results.find("acc.clopper_pearson", condition, arm=arm, subset=subset)
    if found is None or exact is None or "degenerate" not in found.flags:
        return found
    return replace(found, low=exact.low, high=exact.high, method=exact.method)


def _row(
    printed: paper.Row, task: str, accuracy: Estimate | None = None, unweighted: Estimate | None = None,
    weighted: Estimate | None = None,
) -> Row:  # fmt: skip
    return Row(
        printed.label, accuracy, unweighted, weighted, printed.accuracy.get(task), printed.calibration.get(task)
    )  # fmt: skip
