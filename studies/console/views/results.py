"""The results page: counts until the study is closed or somebody looks, then the newest analysis."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRefresh

from studies.console.find import study_or_404
from studies.console.forms import LookForm
from studies.console.guard import notice, signed_in, staff_page
from studies.console.live import shown_sums
from studies.console.outcomes import latest, outcomes_of, under_way
from studies.console.results_csv import results_csv
from studies.design.models import Study
from studies.reports import looks, queries
from studies.reports.looks import OutcomesSealed
from studies.reports.models import AnalysisRun
from studies.reports.run import start_analysis

HOW = "results page"
REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"


@staff_page
@require_safe
def results(request: HttpRequest, name: str, version: int) -> HttpResponse:
    return _page(request, study_or_404(name, version), LookForm())


def _page(request: HttpRequest, study: Study, form: LookForm, status: int = 200) -> HttpResponse:
    counted = queries.sums(study)
    sums = shown_sums(counted)
    shown = {
        "section": "studies",
        "study": study,
        "sums": sums,
        "all_hold": all(each.holds for each in sums),
        "bots": counted.bots,
        "outcomes": outcomes_of(study),
        "form": form,
    }
    return render(request, "console/results.html", shown, status=status)


@staff_page
@require_http_methods(["GET", "HEAD", "POST"])
def look(request: HttpRequest, name: str, version: int) -> HttpResponse:
    """Open the outcomes of a study that still runs: keep who looked and why, then compute what there is."""
    study = study_or_404(name, version)
    if request.method != "POST":  # back from the login: the form is on the results page
        return redirect("console:results", name, version)
    if study.state == Study.State.DRAFT:
        messages.warning(request, f"{study} was not launched yet: there are no outcomes to look at.")
        return redirect("console:results", name, version)
    form = LookForm(request.POST)
    if not form.is_valid():
        return _page(request, study, form, status=400)
    asked = looks.Asked(signed_in(request), HOW, form.cleaned_data["reason"], timezone.now())
    return _compute(request, study, asked)


@staff_page
@require_http_methods(["GET", "HEAD", "POST"])
def compute(request: HttpRequest, name: str, version: int) -> HttpResponse:
    """Ask for the outcomes of a closed study."""
    study = study_or_404(name, version)
    if request.method != "POST":
        return redirect("console:results", name, version)
    return _compute(request, study)


def _compute(request: HttpRequest, study: Study, asked: looks.Asked | None = None) -> HttpResponse:
    if under_way(study) is None:
        try:
            start_analysis(study=study, now=timezone.now(), look=asked)
        except OutcomesSealed as sealed:
            messages.warning(request, str(sealed))
    elif asked:
        messages.warning(request, "The results of an earlier look are being computed; yours was not taken or recorded.")
    return redirect("console:results", study.name, study.version)


@staff_page
@require_safe
def progress(request: HttpRequest, name: str, version: int) -> HttpResponse:
    """How far the analysis is; when it is over, the page loads itself again."""
    study = study_or_404(name, version)
    running = under_way(study)
    if running is None:
        return HttpResponseClientRefresh()
    return render(request, "console/_progress.html", {"study": study, "progress": running})


def sealed(request: HttpRequest, study: Study) -> HttpResponse:
    """Outcomes that may not be shown yet, and how they can be."""
    text = (
        "Until the study is closed only counts are shown. Close it, or look at the outcomes on its results page: "
        "that asks for a reason and is printed in the report."
    )
    return notice(request, title=f"The outcomes of {study} are sealed", text=text, status=403)


def _shown_run(study: Study) -> AnalysisRun | None:
    return latest(study).first()


def nothing(request: HttpRequest) -> HttpResponse:
    text = "Nothing was computed yet. Press “Compute” on the study's results page."
    return notice(request, title="There are no results yet", text=text, status=404)


@staff_page
@require_safe
def report(request: HttpRequest, name: str, version: int) -> HttpResponse:
    """The self-contained report, as the analysis wrote it; only this page may style itself."""
    study = study_or_404(name, version)
    if not looks.may_show_outcomes(study):
        return sealed(request, study)
    run = _shown_run(study)
    if run is None:
        return nothing(request)
    return HttpResponse(run.report, headers={"Content-Security-Policy": REPORT_POLICY})


@staff_page
@require_safe
def csv(request: HttpRequest, name: str, version: int) -> HttpResponse:
    """results.csv: every figure of the newest analysis in long form."""
    study = study_or_404(name, version)
    if not looks.may_show_outcomes(study):
        return sealed(request, study)
    run = _shown_run(study)
    if run is None:
        return nothing(request)
    file = f"{study.name}-v{study.version}-results.csv"
    headers = {"Content-Disposition": f'attachment; filename="{file}"'}
    return HttpResponse(results_csv(run.results or {}), content_type="text/csv; charset=utf-8", headers=headers)
