"""What every table has in common: rows as mappings, exactly the declared columns, and the cells that several share."""

from collections.abc import Iterable, Mapping

import pandas as pd

from studies.analysis import schema
from studies.analysis.schema import Table
from studies.baselines.models import BaselineAnswer
from studies.design.models import Condition
from studies.reports.source import QuestionFacts, letter

Row = Mapping[str, object]


def frame(table: Table, rows: Iterable[Row]) -> pd.DataFrame:
    """Rows as a DataFrame with the table's declared columns; a cell that a row leaves out is missing."""
    names = [column.name for column in table.columns]
    return pd.DataFrame([[row.get(name) for name in names] for row in rows], columns=names, dtype=object)


def assistance(condition: Condition) -> str:
    """What the analysis calls a condition; the study file's name of it is the arm."""
    return schema.HUMAN_MODEL if condition.assistance == Condition.Assistance.CHAT else schema.HUMAN


def about_question(fact: QuestionFacts) -> dict[str, object]:
    return {
        "question": fact.identity,
        "gold": letter(fact.key),
        "task": fact.task,
        "subject": fact.subject or None,
        "item_group": fact.item_group,
        "option_count": len(fact.options),
    }


def confidence_of(answer: BaselineAnswer) -> float | None:
    if answer.option is None or not answer.probabilities:
        return None
    return float(answer.probabilities[answer.option])
