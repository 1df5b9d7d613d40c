"""The survey as two tables of a bundle: what it asks, and what people answered; of studies that have one."""

from collections.abc import Iterator

import pandas as pd

from studies.analysis import schema
from studies.design.spec import SurveyTable
from studies.reports.source import Source
from studies.reports.table import Row, frame
from studies.runtime.models import ParticipantSession, SurveyAnswer


def survey(source: Source, *, with_text: bool) -> pd.DataFrame:
    """One row per session that sent the survey and was not withdrawn, and item; one query.

    What was left empty is a row without a value. What people wrote is there `with_text` only; its length always is.
    """
    given = {
        (each.session_id, each.item): each
        for each in SurveyAnswer.objects.filter(session__study=source.study).order_by("pk")
    }
    return frame(
        schema.SURVEY,
        (
            {
                "participant": session.participant.pseudonym,
                "item": item.name,
                "item_kind": item.kind,
                **_answer(item, given.get((session.pk, item.name)), with_text=with_text),
                "excluded": int(session.is_excluded),
                "exclusion_reason": session.exclusion_reason or None,
                "post_hoc": int(session.is_exclusion_post_hoc) if session.is_excluded else None,
            }
            for session in source.sessions
            if session.state == ParticipantSession.State.COMPLETED
            for item in source.spec.survey
        ),
    )


def survey_items(source: Source) -> pd.DataFrame:
    """One row per item and each of its points or options, in the study file's order."""
    return frame(schema.SURVEY_ITEMS, (row for item in source.spec.survey for row in _item(item)))


def _answer(item: SurveyTable, given: SurveyAnswer | None, *, with_text: bool) -> Row:
    if given is None:
        return {}
    if item.kind == "text":
        return {"characters": len(given.text), "free_text": given.text if with_text else None}
    value = _value(given)
    return {"value": value, "words": _words(item)[value - 1] or None}


def _value(given: SurveyAnswer) -> int:
    """Points and options are counted from 1 in tables."""
    return given.number if given.number is not None else (given.option or 0) + 1


def _words(item: SurveyTable) -> tuple[str, ...]:
    return item.labels if item.kind == "scale" else item.options


def _item(item: SurveyTable) -> Iterator[Row]:
    asked = {
        "item": item.name,
        "item_kind": item.kind,
        "item_text": item.text,
        "item_required": int(item.is_required),
    }
    if item.kind == "text":
        yield asked
    for value, words in enumerate(_words(item), start=1):
        yield asked | {"value": value, "words": words or None}
