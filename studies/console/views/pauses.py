"""Let time stand still, and run again, for a study or for one session of it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from studies.console.find import session_or_404, study_or_404
from studies.console.forms import PauseForm
from studies.console.guard import staff_page
from studies.design.models import Study
from studies.runtime import pauses
from studies.runtime.models import ParticipantSession


def _session(study: Study, pseudonym: str | None) -> ParticipantSession | None:
    """The session that an address names; None for the study's own address."""
    return None if pseudonym is None else session_or_404(study, pseudonym)


@staff_page
@require_http_methods(["GET", "HEAD", "POST"])
def pause(request: HttpRequest, name: str, version: int, pseudonym: str | None = None) -> HttpResponse:
    """Say what pausing does and ask why; on POST do it. While it is paused: since when, why, and the way on."""
    found = study_or_404(name, version)
    session = _session(found, pseudonym)
    form = PauseForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            pauses.pause(study=found, session=session, reason=form.cleaned_data["reason"], now=timezone.now())
            messages.success(request, f"{pseudonym or 'The study'} is paused. No time is lost.")
        except pauses.CannotPause as refusal:
            messages.warning(request, f"Not paused: {refusal}")
        return redirect("console:study", name, version)
    shown = {
        "section": "studies",
        "study": found,
        "session": session,
        "pseudonym": pseudonym,
        "form": form,
        "held": pauses.open_pauses(found).filter(session=session).first(),
        "active": found.sessions.filter(state=ParticipantSession.State.ACTIVE).count(),
    }
    return render(request, "console/pause.html", shown, status=400 if form.is_bound else 200)


@staff_page
@require_http_methods(["GET", "HEAD", "POST"])
def resume(request: HttpRequest, name: str, version: int, pseudonym: str | None = None) -> HttpResponse:
    """End the pause; back from the login nothing happens."""
    found = study_or_404(name, version)
    session = _session(found, pseudonym)
    if request.method == "POST":
        try:
            pauses.resume(study=found, session=session, now=timezone.now())
            messages.success(request, f"{pseudonym or 'The study'} goes on, with the time given back.")
        except pauses.CannotPause as refusal:
            messages.warning(request, f"Not resumed: {refusal}")
    return redirect("console:study", name, version)
