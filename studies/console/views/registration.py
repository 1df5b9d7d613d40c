"""The download of a study's preregistration, byte for byte as it was locked; it holds no outcome."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from studies.console.find import study_or_404
from studies.console.guard import staff_page
from studies.reports.registration import registered


@staff_page
@require_safe
def preregistration(request: HttpRequest, name: str, version: int) -> HttpResponse:
    study = study_or_404(name, version)
    locked = registered(study)
    if locked is None:
        raise Http404(f"No preregistration of {study} was locked.")
    file = f"{study.name}-v{study.version}-preregistration.json"
    headers = {"Content-Disposition": f'attachment; filename="{file}"'}
    return HttpResponse(locked.content.encode(), content_type="application/json", headers=headers)
