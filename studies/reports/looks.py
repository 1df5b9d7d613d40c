"""Who may see outcomes, and the record of those who looked before the study was closed.

Until a study is closed its pages show counts. A look is confirmed, recorded and printed in every later report. It opens
the outcomes of that moment: what is analysed after more people have come needs another look.
"""

from datetime import datetime

from django.contrib.auth.models import User

from studies.design.models import Study
from studies.reports.models import AnalysisRun, Look


class OutcomesSealed(PermissionError):
    """The study is not closed and nobody confirmed a look; the text says what to do."""


def may_show_outcomes(study: Study) -> bool:
    """Whether outcomes that were computed may be shown: the study is closed, or somebody has confirmed a look."""
    return study.state == Study.State.CLOSED or Look.objects.filter(study=study).exists()


def may_compute_outcomes(study: Study) -> bool:
    """Whether outcomes may be computed anew: the study is closed, or a look was recorded since the last analysis."""
    if study.state == Study.State.CLOSED:
        return True
    last_look = Look.objects.filter(study=study).order_by("-at").values_list("at", flat=True).first()
    last_run = (
        AnalysisRun.objects.filter(study=study).order_by("-created_at").values_list("created_at", flat=True).first()
    )
    return last_look is not None and (last_run is None or last_look > last_run)


def require_outcomes(allowed: bool, study: Study) -> None:
    """Raise OutcomesSealed where `allowed` is false."""
    if not allowed:
        raise OutcomesSealed(
            f"study {study.name!r} is {study.state}: until it is closed only counts are shown. Close it, or confirm a "
            "look with its reason (--look REASON, or on the results page); looks are printed in the report."
        )


def record_look(*, study: Study, by: User | None, how: str, reason: str, now: datetime) -> Look | None:
    """Record that the outcomes are opened, by `by` or by whoever runs a command; None for a closed study: no look.

    `how` is the way: `results page`, `analyse_study`, `export_study`.
    """
    if study.state == Study.State.CLOSED:
        return None
    return Look.objects.create(study=study, by=by, at=now, how=how, reason=reason)


def lines(study: Study) -> list[str]:
    """The looks as the report prints them, first to last; one query."""
    looks = Look.objects.filter(study=study).select_related("by").order_by("at", "pk")
    return [_line(look) for look in looks]


def _line(look: Look) -> str:
    who = look.by.get_username() if look.by else "the operator"
    reason = f": {look.reason}" if look.reason else ""
    return f"{look.at.isoformat(timespec='seconds')}, {look.how}, by {who}{reason}"
