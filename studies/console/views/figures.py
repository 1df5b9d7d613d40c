"""Every figure of the newest analysis in a chosen version, and the files that the analysis wrote."""

from functools import wraps

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from studies.console import downloads
from studies.console.figures import choices, parts
from studies.console.find import study_or_404
from studies.console.guard import View, staff_page
from studies.console.outcomes import latest
from studies.console.views.results import nothing, sealed
from studies.design.models import Study
from studies.reports import looks
from studies.reports.models import AnalysisRun


def of_newest(view: View) -> View:
    """Give a view the study and its newest analysis; say so where outcomes are sealed or nothing was computed."""

    @wraps(view)
    def found(request: HttpRequest, name: str, version: int, **more: object) -> HttpResponseBase:
        study = study_or_404(name, version)
        if not looks.may_show_outcomes(study):
            return sealed(request, study)
        run = latest(study).defer("fragment", "report").first()
        return nothing(request) if run is None else view(request, study, run, **more)

    return found


@staff_page
@require_safe
@of_newest
def figures(request: HttpRequest, study: Study, run: AnalysisRun) -> HttpResponse:
    """`?timeouts=…&exclusions=…&subset=…` choose the version; the headline's without."""
    chosen = choices(run.results or {}, request.GET)
    shown = {
        "section": "studies",
        "study": study,
        "run": run,
        "choices": chosen,
        "parts": parts(run.results or {}, chosen),
    }
    return render(request, "console/figures.html", shown)


@staff_page
@require_safe
@of_newest
def download(request: HttpRequest, study: Study, run: AnalysisRun, file: str) -> HttpResponseBase:
    """One file of the analysis, as an attachment: nothing of it runs in the console."""
    path = downloads.find(run, file)
    if path is None:
        raise Http404(f"The newest analysis of {study} has no file {file} on this machine.")
    name = f"{study.name}-v{study.version}-{file.replace('/', '-')}"
    headers = {"Content-Disposition": content_disposition_header(True, name) or "attachment"}
    return HttpResponse(path.read_bytes(), content_type=downloads.TYPES[path.suffix], headers=headers)
