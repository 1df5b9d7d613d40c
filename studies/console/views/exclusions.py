"""Leave one session out of the figures by a rule, and count it again."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from studies.console.find import session_or_404, study_or_404
from studies.console.forms import ExcludeForm
from studies.console.guard import signed_in, staff_page
from studies.reports import exclusions
from studies.runtime.exclusions import CannotExclude


@staff_page
@require_http_methods(["GET", "HEAD", "POST"])
def exclude(request: HttpRequest, name: str, version: int, pseudonym: str) -> HttpResponse:
    """Say what excluding does and ask by which rule; on POST do it. Whoever is excluded: why, and the way back."""
    found = study_or_404(name, version)
    session = session_or_404(found, pseudonym)
    form = ExcludeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        reason, by = form.cleaned_data["reason"], signed_in(request)
        try:
            now_is = exclusions.exclude(session=session, reason=reason, by=by, now=timezone.now())
            messages.success(request, f"{pseudonym} {exclusions.told(session, now_is)}")
        except CannotExclude as refusal:
            messages.warning(request, f"Nothing was changed: {refusal}")
        return redirect("console:study", name, version)
    shown = {
        "section": "studies",
        "study": found,
        "session": session,
        "pseudonym": pseudonym,
        "form": form,
        "standing": exclusions.standing(found),
        "decided_by": exclusions.decided_by(session),
    }
    return render(request, "console/exclude.html", shown, status=400 if form.is_bound else 200)


@staff_page
@require_http_methods(["GET", "HEAD", "POST"])
def include(request: HttpRequest, name: str, version: int, pseudonym: str) -> HttpResponse:
    """Take an exclusion back; back from the login nothing happens."""
    session = session_or_404(study_or_404(name, version), pseudonym)
    if request.method == "POST":
        try:
            now_is = exclusions.take_back(session=session, by=signed_in(request), now=timezone.now())
            messages.success(request, f"{pseudonym} {exclusions.told(session, now_is)}")
        except CannotExclude as refusal:
            messages.warning(request, f"Nothing was changed: {refusal}")
    return redirect("console:study", name, version)
