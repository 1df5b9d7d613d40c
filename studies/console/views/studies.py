"""The list of studies, one study with its live part, and the two buttons that change its state."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRefresh

from studies.baselines.models import BaselineRun
from studies.baselines.protocols import PROTOCOLS
from studies.console.cards import study_cards
from studies.console.check_card import check_card
from studies.console.find import study_or_404, whole
from studies.console.guard import staff_page
from studies.console.links import recruitment_links
from studies.console.live import SORTS, Live, live_of
from studies.console.outcomes import latest
from studies.console.plan import plan_of
from studies.design import access, probes
from studies.design.frozen import ARMS, StudyChanged, changes_of
from studies.design.models import Study
from studies.design.operations import WrongState, close_study, launch_study
from studies.reports.folder import bundle_of
from studies.reports.registration import registered


@staff_page
@require_safe
def studies(request: HttpRequest) -> HttpResponse:
    return render(request, "console/studies.html", {"section": "studies", "cards": study_cards()})


@staff_page
@require_safe
def newest(request: HttpRequest, name: str, page: str = "console:study") -> HttpResponse:
    """An address without a version leads to the newest one."""
    return redirect(page, name, study_or_404(name).version)


@staff_page
@require_safe
def study(request: HttpRequest, name: str, version: int) -> HttpResponse:
    found = study_or_404(name, version)
    live = _live(request, found)
    join = request.build_absolute_uri(reverse("participant:join", args=[found.join_code]))
    shown = {
        "section": "studies",
        "study": found,
        "join_link": join,
        "links": recruitment_links(join),
        "bent": changes_of(found, parts=ARMS),
        "versions": access.versions_of(found),
        "protocols": list(PROTOCOLS),
        "sampled": " and ".join(name for name, protocol in PROTOCOLS.items() if protocol.can_vary),
        "scopes": BaselineRun.Scope.choices,
        "bundle": _bundle(found),
        "registered": registered(found),
    }
    return render(request, "console/study.html", shown | _design(found, live.slots) | _live_context(found, live))


def _bundle(found: Study) -> dict[str, object]:
    """Whether there is a bundle to download and, of an open study, from which moment."""
    if found.state == Study.State.CLOSED:
        return {"is_there": True}
    run = latest(found).only("pk", "created_at").first()
    return {"is_there": bool(run and bundle_of(run)), "run": run}


def _design(found: Study, slots: int) -> dict[str, object]:
    """Nothing when somebody changed the row's specification: the page says so, and stays up."""
    try:
        spec = access.spec_of(found)
        return {"plan": plan_of(found, spec, slots), "checks": check_card(found, spec)}
    except StudyChanged:
        return {}


@staff_page
@require_safe
def live(request: HttpRequest, name: str, version: int) -> HttpResponse:
    """The part that the study page fetches again and again; when the study's state changed, all of it."""
    found = study_or_404(name, version)
    live = _live(request, found)
    if request.GET.get("state", live.state) != live.state:
        return HttpResponseClientRefresh()
    return render(request, "console/_live.html", _live_context(found, live))


def _live(request: HttpRequest, found: Study) -> Live:
    page = whole(request.GET.get("page"), 1)
    return live_of(found, sort=request.GET.get("sort", ""), page=page, now=timezone.now())


def _live_context(found: Study, live: Live) -> dict[str, object]:
    columns = [(name, words) for name, (words, _, _) in SORTS.items()]
    return {"study": found, "live": live, "columns": columns}


@staff_page
@require_http_methods(["GET", "HEAD", "POST"])
def launch(request: HttpRequest, name: str, version: int) -> HttpResponse:
    """Say what launching does; on POST do it."""
    found = study_or_404(name, version)
    if request.method != "POST":
        slots = found.slots.count()
        return render(request, "console/launch.html", {"section": "studies", "study": found, "slots": slots})
    try:
        launched = launch_study(study_id=found.pk, now=timezone.now())
        probes.enqueue(study=launched, now=timezone.now())
        messages.success(request, "The study is open. Send people the join link.")
    except (StudyChanged, WrongState) as refusal:
        messages.warning(request, str(refusal))
    return redirect("console:study", name, version)


@staff_page
@require_http_methods(["GET", "HEAD", "POST"])
def close(request: HttpRequest, name: str, version: int) -> HttpResponse:
    """Say what closing does; on POST do it."""
    found = study_or_404(name, version)
    if request.method != "POST":
        active = found.sessions.filter(state="active").count()
        return render(request, "console/close.html", {"section": "studies", "study": found, "active": active})
    try:
        close_study(study_id=found.pk, now=timezone.now())
        messages.success(request, "The study is closed. Its outcomes can be computed now.")
    except WrongState as refusal:
        messages.warning(request, str(refusal))
    return redirect("console:study", name, version)
