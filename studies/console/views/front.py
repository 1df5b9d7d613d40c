"""The server's front page: which studies anybody may join, and how far simulated participants are."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from studies.design.models import Study
from studies.jobs.executor import database_view
from studies.runtime.models import Participant, Trial


@dataclass(frozen=True)
class Listed:
    """One study on the front page. `trials_planned` counts those of the simulated participants who have come in."""

    name: str
    title: str
    state: str
    join_code: str
    minutes: int
    is_simulated: bool
    is_analysed: bool
    bots: int
    trials_closed: int
    trials_planned: int

    @property
    def is_preparing(self) -> bool:
        return self.is_simulated and not self.is_analysed


def listed() -> list[Listed]:
    """The newest version of each listed study, in the order they were made; those that bots play come last."""
    newest: dict[str, Study] = {}
    for study in Study.objects.exclude(state=Study.State.DRAFT).order_by("pk"):
        if study.spec["study"].get("is_listed"):
            newest[study.name] = study
    return sorted((_listed(study) for study in newest.values()), key=lambda each: each.is_simulated)


def _listed(study: Study) -> Listed:
    bots = study.participants.filter(kind=Participant.Kind.BOT).count()
    trials = Trial.objects.filter(session__study=study, session__participant__kind=Participant.Kind.BOT)
    return Listed(
        name=study.name,
        title=study.title,
        state=study.state,
        join_code=study.join_code,
        minutes=study.spec["study"]["expected_minutes"],
        is_simulated=bots > 0,
        is_analysed=study.analysis_runs.filter(taken_away_at=None).exclude(finished_at=None).exists(),
        bots=bots,
        trials_closed=trials.exclude(closed_at=None).count(),
        trials_planned=trials.count(),
    )


@require_safe
@database_view
def front(request: HttpRequest) -> HttpResponse:
    studies = listed()
    shown = {"studies": studies, "is_preparing": any(study.is_preparing for study in studies)}
    template = "console/_front.html" if "HX-Request" in request.headers else "console/front.html"
    return render(request, template, shown)
