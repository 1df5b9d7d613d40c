"""Every assistant of every study, the newest study first: what it is, how unreliable, and what its endpoint honours."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from studies.console.guard import staff_page
from studies.console.plan import Helper, helpers_of
from studies.design.access import StudyChanged, spec_of
from studies.design.models import Study


@dataclass(frozen=True)
class OfStudy:
    """The assistants of one study; `changed` says why they are not shown where somebody changed the row by hand."""

    study: Study
    helpers: tuple[Helper, ...]
    changed: str = ""


@staff_page
@require_safe
def assistants(request: HttpRequest) -> HttpResponse:
    """Studies without an assistant are left out. Two or three queries for each study."""
    every = [_of(study) for study in Study.objects.order_by("-pk")]
    shown = {"section": "assistants", "groups": [group for group in every if group.helpers or group.changed]}
    return render(request, "console/assistants.html", shown)


def _of(study: Study) -> OfStudy:
    try:
        return OfStudy(study, helpers_of(study, spec_of(study)))
    except StudyChanged as changed:
        return OfStudy(study, (), str(changed))
