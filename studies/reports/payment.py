"""Whom to pay: each session of a study with the id that its person has on the recruitment platform.

This is the one module of this package that reads ParticipantIdentity. Bundles and tables never import it: the ids are
personal data, for the page and the file by which people are paid, and for nothing else.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd
from django.db.models import Count, DurationField, ExpressionWrapper, F, Q, Sum

from studies.design.models import Study
from studies.reports.csv_text import csv_bytes
from studies.runtime.models import ParticipantSession, Trial
from studies.runtime.platforms import NAMES
from studies.runtime.screening import is_screened_out

PERSONAL = "platform_id_personal_data"  # the header says what the column is, wherever the file goes


@dataclass(frozen=True)
class PaymentRow:
    """One session. `platform` and `platform_id` are empty for whoever came by the bare link, and after an erasure.

    `is_screened_out`: the check questions ended it, also of whoever withdrew after that; the code then says so far.
    `minutes` is the time on questions that are over, from opening each to its end, without pauses. `right` is None
    until the study is closed, and of whoever withdrew.
    """

    pseudonym: str
    kind: str
    platform: str
    platform_id: str
    state: str
    is_screened_out: bool
    is_erased: bool
    completion_code: str
    joined_at: datetime
    ended_at: datetime | None
    minutes: float
    right: int | None

    @property
    def state_words(self) -> str:
        words = self.state.replace("_", " ")
        is_told = self.state == ParticipantSession.State.SCREENED_OUT
        return f"{words}, screened out before" if self.is_screened_out and not is_told else words


def payment_rows(study: Study, *, first: int = 0, at_most: int | None = None) -> list[PaymentRow]:
    """The study's sessions, newest first; two queries at most."""
    is_told = study.state == Study.State.CLOSED  # a look opens one moment; these rows are of now
    took = ExpressionWrapper(F("trials__closed_at") - F("trials__opened_at"), output_field=DurationField())
    is_over = Q(trials__closed_at__isnull=False)
    is_right = Q(trials__state=Trial.State.ANSWERED, trials__answer=F("trials__question__key"))
    sessions = (
        ParticipantSession.objects.filter(study=study)
        .select_related("participant__identity")
        .annotate(
            took=Sum(took, filter=is_over),
            stood_still=Sum("trials__paused_seconds", filter=is_over),
            right=Count("trials", filter=is_right),
        )
        .order_by("-pk")
    )
    last = None if at_most is None else first + at_most
    return [_row(session, is_told) for session in sessions[first:last]]


def _row(session: ParticipantSession, is_told: bool) -> PaymentRow:
    identity = getattr(session.participant, "identity", None)
    seconds = (session.took or timedelta()).total_seconds() - (session.stood_still or 0.0)  # type: ignore[attr-defined]
    is_counted = is_told and session.state != ParticipantSession.State.WITHDRAWN
    return PaymentRow(
        pseudonym=session.participant.pseudonym,
        kind=session.participant.kind,
        platform=NAMES.get(identity.source, identity.source) if identity else "",
        platform_id=identity.entry_id if identity else "",
        state=session.state,
        is_screened_out=is_screened_out(session),
        is_erased=session.erased_at is not None,
        completion_code=session.completion_code,
        joined_at=session.consented_at,
        ended_at=session.finished_at,
        minutes=max(0.0, seconds) / 60,
        right=session.right if is_counted else None,  # type: ignore[attr-defined]
    )


def payment_csv(study: Study) -> bytes:
    """Every session's row as CSV, safe to open in a spreadsheet program (csv_text.py)."""
    cells = [
        {
            "pseudonym": row.pseudonym,
            "who": row.kind,
            "platform": row.platform,
            PERSONAL: row.platform_id,
            "state": row.state,
            "screened_out": "yes" if row.is_screened_out else "no",
            "erased": "yes" if row.is_erased else "no",
            "completion_code": row.completion_code,
            "joined_at": stamp(row.joined_at),
            "ended_at": stamp(row.ended_at),
            "minutes_on_questions": f"{row.minutes:.1f}",
            "right_answers": "" if row.right is None else str(row.right),
        }
        for row in payment_rows(study)
    ]
    return csv_bytes(pd.DataFrame(cells, columns=COLUMNS, dtype=object))


COLUMNS = [
    "pseudonym", "who", "platform", PERSONAL, "state", "screened_out", "erased", "completion_code",
    "joined_at", "ended_at", "minutes_on_questions", "right_answers",
]  # fmt: skip


def stamp(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else ""


def file_name(study: Study) -> str:
    return f"{study.name}-v{study.version}-payment-personal-data.csv"
