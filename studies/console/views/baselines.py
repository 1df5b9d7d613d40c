"""Start a model-alone run from the study page, and cancel one; a job asks the model, no page ever does."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from studies.baselines import operations
from studies.baselines.models import BaselineRun
from studies.console.find import study_or_404
from studies.console.forms import BaselineForm
from studies.console.guard import staff_page
from studies.console.live import line_of
from studies.design.access import StudyChanged
from studies.design.models import Study


@staff_page
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest, name: str, version: int) -> HttpResponse:
    """Queue the run that the form asks for, or go on with it; a refusal is said on the page."""
    found = study_or_404(name, version)
    if request.method == "POST":
        form = BaselineForm(request.POST)
        if form.is_valid():
            _start(request, found, form)
        else:
            for error in (each for errors in form.errors.values() for each in errors):
                messages.warning(request, f"Not started: {error}")
    return _back(name, version)


def _start(request: HttpRequest, study: Study, form: BaselineForm) -> None:
    try:
        run = operations.start_run(study=study, now=timezone.now(), **form.cleaned_data)
    except (operations.CannotRun, StudyChanged) as refusal:
        messages.warning(request, f"Not started: {refusal}")
        return
    who = f"{run.assistant.name} by {run.title}"
    if run.finished_at is None:
        messages.success(request, f"{who} is queued. What is answered already is not asked again.")
    else:
        messages.warning(request, f"Not started: {who} is finished already. A fresh run asks everything again.")


@staff_page
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, name: str, version: int, run: int) -> HttpResponse:
    """Say what cancelling does; on POST do it."""
    study = study_or_404(name, version)
    found = BaselineRun.objects.filter(study=study, pk=run).select_related("assistant", "job").first()
    if found is None:
        raise Http404(f"There is nothing here: {study} has no baseline run {run}.")
    if request.method != "POST":
        shown = {
            "section": "studies",
            "study": study,
            "line": line_of(found, study.manifest.count(), found.answers.count()),
        }
        return render(request, "console/cancel_baseline.html", shown)
    who = f"{found.assistant.name} by {found.title}"
    if operations.cancel_run(run=found, now=timezone.now()):
        messages.success(request, f"{who} is cancelled. Its answers are kept; starting it again goes on.")
    else:
        messages.warning(request, f"Not cancelled: {who} is not running.")
    return _back(name, version)


def _back(name: str, version: int) -> HttpResponse:
    return redirect(f"{reverse('console:study', args=[name, version])}#baselines")
