"""The event log of a bundle: every event with what proves its chain, and the heads that it must end with.

Events hold ids, counts and choices, never what people wrote; the salts are given because the data's hashes cannot be
checked without them. Of whoever withdrew only the chain is there: types, times and hashes, no data.
"""

from typing import Any

import pandas as pd

from studies.analysis import schema
from studies.analysis.chain import data_text, instant
from studies.analysis.check_log import HEAD_COLUMNS, WHOLE
from studies.reports.source import Source
from studies.reports.table import Row, frame
from studies.runtime.models import Event, ParticipantSession

READ = ("session_id", "seq", "type", "at", "client_at", "trial__position", "command_id", "data", "salt", "data_hash")


def events(source: Source) -> pd.DataFrame:
    """One row per event, session by session in the order of `event_heads`; one query."""
    logs: dict[int, list[Row]] = {session.pk: [] for session in source.sessions}
    sessions = {session.pk: session for session in source.sessions}
    read = Event.objects.filter(session__study=source.study).order_by("session_id", "seq")
    for values in read.values(*READ, "hash").iterator():
        logs[values["session_id"]].append(_event(sessions[values["session_id"]], values))
    return frame(schema.EVENTS, (row for log in logs.values() for row in log))


def event_heads(source: Source) -> pd.DataFrame:
    """The end of every session's event chain: a log that was changed, shortened or lengthened later does not end so."""
    heads = [
        [session.participant.pseudonym, session.attempt, session.last_seq, session.head, _standing(session)]
        for session in source.sessions
    ]
    return pd.DataFrame(heads, columns=list(HEAD_COLUMNS), dtype=object)


def _event(session: ParticipantSession, values: dict[str, Any]) -> Row:
    has_data = _standing(session) == WHOLE and values["data"] is not None
    return {
        "participant": session.participant.pseudonym,
        "attempt": session.attempt,
        "seq": values["seq"],
        "type": values["type"],
        "at": instant(values["at"]),
        "client_at": instant(values["client_at"]),
        "position": values["trial__position"],
        "command_id": values["command_id"],
        "data": data_text(values["data"]) if has_data else None,
        "salt": values["salt"] if has_data else None,
        "data_hash": values["data_hash"],
        "hash": values["hash"],
    }


def _standing(session: ParticipantSession) -> str:
    if session.erased_at is not None:
        return "erased"
    return "withheld" if session.state == ParticipantSession.State.WITHDRAWN else WHOLE
