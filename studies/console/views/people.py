"""People and payment of a study: who somebody is on the recruitment platform, beside what they are paid by."""

from math import ceil

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from studies.console.find import study_or_404, whole
from studies.console.guard import guarded, staff_page
from studies.console.live import PAGE
from studies.jobs.executor import on_reading_database
from studies.reports.payment import file_name, payment_csv, payment_rows


@staff_page
@require_safe
def people(request: HttpRequest, name: str, version: int) -> HttpResponse:
    """A page of the study's sessions, newest first."""
    study = study_or_404(name, version)
    sessions = study.sessions.count()
    pages = max(1, ceil(sessions / PAGE))
    page = min(max(1, whole(request.GET.get("page"), 1)), pages)
    shown = {
        "section": "studies",
        "study": study,
        "sessions": sessions,
        "rows": payment_rows(study, first=(page - 1) * PAGE, at_most=PAGE),
        "page": page,
        "pages": pages,
    }
    return render(request, "console/people.html", shown)


@never_cache
@require_safe
async def payment(request: HttpRequest, name: str, version: int) -> HttpResponseBase:
    """The same as a file, all sessions."""
    return await on_reading_database(_payment, request, name, version)


@guarded
def _payment(request: HttpRequest, name: str, version: int) -> HttpResponseBase:
    study = study_or_404(name, version)
    headers = {"Content-Disposition": f'attachment; filename="{file_name(study)}"'}
    return HttpResponse(payment_csv(study), content_type="text/csv; charset=utf-8", headers=headers)
