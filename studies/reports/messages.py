"""What people and assistants wrote, as a table: only for bundles that are asked for with text."""

from datetime import datetime

import pandas as pd

from studies.analysis import schema
from studies.reports.source import RESET, Source, counted_trials
from studies.reports.table import Row, frame
from studies.runtime.models import Event, Message, Reply


def messages(source: Source) -> pd.DataFrame:
    """One row per message, reply and reset of the counted trials, in the order of the conversation; 3 queries.

    A failed or stopped reply stands with the text that it had. Times are when the row was committed.
    """
    counted = counted_trials(source.study).order_by().values("pk")
    turns: dict[int, list[tuple[datetime, int, str, str | None]]] = {}
    for message in Message.objects.filter(trial__in=counted):
        turns.setdefault(message.trial_id, []).append((message.created_at, 0, "message", message.text))
    for reply in Reply.objects.filter(message__trial__in=counted).select_related("message"):
        when = reply.finished_at or reply.queued_at
        turns.setdefault(reply.message.trial_id, []).append((when, 1, "reply", reply.text or None))
    for reset in Event.objects.filter(trial__in=counted, type=RESET):
        turns.setdefault(reset.trial_id or 0, []).append((reset.at, 2, "reset", None))
    pseudonyms = {session.pk: session.participant.pseudonym for session in source.sessions}
    rows: list[Row] = [
        {
            "participant": pseudonyms[trial.session_id],
            "question": source.questions[trial.question_id].identity,
            "position": position,
            "role": role,
            "text": text,
            "sent_at": at.isoformat(),
        }
        for trial in source.trials
        for position, (at, _, role, text) in enumerate(sorted(turns.get(trial.pk, []), key=lambda turn: turn[:2]))
    ]
    return frame(schema.MESSAGES, rows)
