"""What the results page may show of a study now: the newest analysis, how it stands, and who looked early."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from studies.console.downloads import names
from studies.design.models import Study
from studies.jobs.models import Job
from studies.reports import looks
from studies.reports.folder import bundle_of
from studies.reports.models import AnalysisRun, Look

UNDER_WAY = (Job.State.QUEUED, Job.State.RUNNING)


@dataclass(frozen=True)
class Progress:
    """An analysis that is being computed."""

    state: str
    done: int
    total: int
    asked_at: datetime


@dataclass(frozen=True)
class Seen:
    """A look, as it is listed."""

    at: datetime
    by: str
    how: str
    reason: str


@dataclass(frozen=True)
class Outcomes:
    """`shown` is the newest analysis that ended well; None as long as outcomes are sealed or nothing was computed.

    `is_taken_away`: the newest one ended well, and somebody whom it counted was erased since. `files` are those that
    `shown` wrote. `is_before_exclusion`: somebody was excluded since, or is counted again. An open study has a bundle
    where a look's analysis left one.
    """

    is_closed: bool
    progress: Progress | None
    failure: str
    is_taken_away: bool
    shown: AnalysisRun | None
    is_before_close: bool
    is_before_exclusion: bool
    looks: tuple[Seen, ...]
    files: tuple[str, ...]
    has_bundle: bool


def outcomes_of(study: Study) -> Outcomes:
    """At most five queries; results and report, which may be large, stay in the database."""
    shown = latest(study).defer("results", "report").first() if looks.may_show_outcomes(study) else None
    newest = AnalysisRun.objects.filter(study=study).select_related("job").defer("results", "fragment", "report")
    last = newest.order_by("-pk").first()
    return Outcomes(
        is_closed=study.state == Study.State.CLOSED,
        progress=progress_of(last),
        failure=failure_of(last),
        is_taken_away=bool(last and last.finished_at and not last.error and last.taken_away_at),
        shown=shown,
        is_before_close=bool(shown and study.closed_at and shown.created_at < study.closed_at),
        is_before_exclusion=shown is not None
        and study.sessions.filter(exclusion_decided_at__gt=shown.created_at).exists(),
        looks=tuple(
            Seen(look.at, look.by.get_username() if look.by else "the operator", look.how, look.reason)
            for look in Look.objects.filter(study=study).select_related("by").order_by("at", "pk")
        ),
        files=tuple(names(shown)) if shown else (),
        has_bundle=study.state == Study.State.CLOSED or bool(shown and bundle_of(shown)),
    )


def latest(study: Study) -> QuerySet[AnalysisRun]:
    """The analyses that ended well, the newest first."""
    ended = AnalysisRun.objects.filter(study=study, finished_at__isnull=False, error="", taken_away_at=None)
    return ended.order_by("-pk")


def under_way(study: Study) -> Progress | None:
    """The analysis that is being computed now; one query."""
    runs = AnalysisRun.objects.filter(study=study).select_related("job").defer("results", "fragment", "report")
    return progress_of(runs.order_by("-pk").first())


def progress_of(run: AnalysisRun | None) -> Progress | None:
    if run is None or run.job is None or run.finished_at is not None or run.job.state not in UNDER_WAY:
        return None
    return Progress(run.job.state, run.job.done, run.job.total or 3, run.created_at)


def failure_of(run: AnalysisRun | None) -> str:
    """Why the newest analysis has no results, in words; empty when it has, or is under way."""
    if run is None or (run.job is not None and run.job.state in UNDER_WAY and not run.error):
        return ""
    if run.error:
        return run.error
    if run.finished_at is not None:
        return ""
    if run.job is None:
        return "It was never started."
    return run.job.error or f"Its job was {run.job.state} before it ended."
