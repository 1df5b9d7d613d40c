"""Who may see outcomes, and the record of those who looked before the study was closed.

Until a study is closed its pages show counts. Whatever reads outcomes from the rows of now (an analysis, a bundle, a
pilot's answers) is a look of its own then: it is given a reason, which is recorded with it and printed in every later
report. So nobody sees the outcomes of people who came since the last look without another one. What was computed
with a look stays to be seen: the figures, and the bundle of the moment when they were computed.
"""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User

from studies.design.models import Study
from studies.reports.models import Look


class OutcomesSealed(PermissionError):
    """The study is not closed and nobody confirmed a look; the text says what to do."""


@dataclass(frozen=True)
class Asked:
    """A look that `by` (None: whoever runs a command) wants to take.

    `how` is the way: `results page`, `analyse_study`, `export_study`, `plan_power`.
    """

    by: User | None
    how: str
    reason: str
    at: datetime


def may_show_outcomes(study: Study) -> bool:
    """Whether outcomes that were computed may be shown: the study is closed, or somebody has confirmed a look."""
    return study.state == Study.State.CLOSED or Look.objects.filter(study=study).exists()


def open_outcomes(study: Study, look: Asked | None) -> None:
    """To be called where outcomes are read from the rows of now. Raises OutcomesSealed for an open study without look.

    A look is recorded, and is none where the study is closed.
    """
    if study.state == Study.State.CLOSED:
        return
    if look is None or not look.reason.strip():
        raise OutcomesSealed(
            f"study {study.name!r} is {study.state}: until it is closed only counts are shown. Close it, or confirm a "
            "look with its reason (--look REASON, or on the results page); looks are printed in the report, and newer "
            "outcomes need another one."
        )
    Look.objects.create(study=study, by=look.by, at=look.at, how=look.how, reason=look.reason.strip())


def lines(study: Study) -> list[str]:
    """The looks as the report prints them, first to last; one query."""
    looks = Look.objects.filter(study=study).select_related("by").order_by("at", "pk")
    return [_line(look) for look in looks]


def _line(look: Look) -> str:
    who = look.by.get_username() if look.by else "the operator"
    reason = f": {look.reason}" if look.reason else ""
    return f"{look.at.isoformat(timespec='seconds')}, {look.how}, by {who}{reason}"
