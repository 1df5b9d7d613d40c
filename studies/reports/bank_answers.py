"""The model alone over the whole banks: a table of a bundle that no comparison with people reads."""

from typing import Any

import pandas as pd

from studies.analysis import schema
from studies.baselines.models import BaselineAnswer
from studies.baselines.queries import Baselines
from studies.reports.source import letter
from studies.reports.table import Row, frame

QUESTION = ("bank__name", "split", "subject", "content_hash", "passage__source_id", "key")
READ = (*(f"question__{name}" for name in QUESTION), "sample", "option", "probabilities")


def bank_answers(runs: Baselines) -> pd.DataFrame:
    """One row per question, protocol and sample; one query for each run."""
    return frame(
        schema.BANK_ANSWERS,
        (
            _row(protocol, values)
            for protocol, run in sorted(runs.protocols.items())
            for values in BaselineAnswer.objects.filter(run=run)
            .order_by("question_id", "sample")
            .values(*READ)
            .iterator()
        ),
    )


def _row(protocol: str, values: dict[str, Any]) -> Row:
    bank, passage = values["question__bank__name"], values["question__passage__source_id"]
    identity = f"{bank}:{values['question__content_hash'][:12]}"
    return {
        "bank": bank,
        "split": values["question__split"],
        "subject": values["question__subject"] or None,
        "question": identity,
        "item_group": f"{bank}:{passage}" if passage else identity,
        "protocol": protocol,
        "sample": values["sample"],
        "answer": letter(values["option"]),
        "correct": int(values["option"] == values["question__key"]),
        **{f"p_{letter(index)}": share for index, share in enumerate(values["probabilities"] or [])},
    }
