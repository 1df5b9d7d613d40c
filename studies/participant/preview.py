"""What a slot's participant meets, for the experimenter before the launch: the same pages, and nothing is kept.

The pages are made by `present` from an imagined session, so that they cannot differ from those that people get. Their
forms are sent by GET to the next page, no script runs and no socket opens. The console's guard stands before it
(studies/urls.py), because pages of the two sides do not know each other.
"""

from typing import Any

from django.db.models import Max, Min
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from studies.design import access as design
from studies.design.models import Slot, Study
from studies.participant import present
from studies.participant.imagined import Imagined
from studies.participant.views import notice
from studies.participant.walk import Step, Walk
from studies.runtime.models import Trial

ASIDE = {"instructions": "instructions-again", "withdraw": "withdraw", "leave": "withdrawn"}
NO_SCRIPTS = "; ".join(
    [
        "default-src 'self'",
        "script-src 'none'",
        "connect-src 'none'",
        "object-src 'none'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)


@require_safe
def preview(request: HttpRequest, name: str, version: int, slot: str = "", key: str = "") -> HttpResponse:
    """One page of one slot. The address names both; the band's form names them in its query."""
    try:
        study = design.study_by_name(name, version=version)
    except design.NotFound as missing:
        raise Http404(f"There is nothing here: {missing}") from None
    lowest, highest = _slots(study)
    found = _slot(study, slot or request.GET.get("slot", str(lowest)), f"{lowest} to {highest}")
    try:
        somebody = Imagined(study, found, timezone.now())
    except design.StudyChanged as changed:
        return notice(request, title="This study cannot be previewed", text=str(changed), status=409)
    step = _step(key or request.GET.get("page", "consent"), found, somebody.walk)
    template, shown = _page(request, step, somebody)
    links = _Links(study, found)
    shown |= {
        "method": "get",
        "csrf_token": "",  # these forms are sent by GET: no token belongs into an address
        "to": links.of(step, request.GET.get("from", ""), somebody),
        "preview": _band(study, found, step, somebody, links) | {"lowest": lowest, "highest": highest},
    }
    response = render(request, template, shown)
    response.headers["Content-Security-Policy"] = NO_SCRIPTS
    return response


def _slots(study: Study) -> tuple[int, int]:
    ends = study.slots.aggregate(lowest=Min("number"), highest=Max("number"))
    if ends["lowest"] is None:
        raise Http404(f"{study} has no slots, so nobody can meet anything.")
    return ends["lowest"], ends["highest"]


def _slot(study: Study, text: str, there: str) -> Slot:
    is_number = text.isascii() and text.isdigit() and len(text) < 10
    found = study.slots.filter(number=int(text)).first() if is_number else None
    if found is None:
        raise Http404(f"{study} has no slot {text[:20]!r}; it has slots {there}.")
    return found


def _step(key: str, slot: Slot, walk: Walk) -> Step:
    step = walk.read(key)
    if step is None:
        first, last = (", ".join(each.key for each in steps) for steps in (walk.first, walk.last))
        there = f"{first}, question-N and answered-N with N from 1 to {len(walk.trials)}, {last}"
        raise Http404(f"Slot {slot.number} has no page {key[:40]!r}; it has {there}.")
    return step


def _page(request: HttpRequest, step: Step, somebody: Imagined) -> present.Page:
    """Bring the imagined person to the page; what a form of the page before sent is shown, and forgotten."""
    study, position, given = somebody.session.study, step.position, request.GET
    match step.kind:
        case "consent":
            return present.consent_page(study, is_open=True, carried={})
        case "instructions" if given.get("consent") == "no":
            return present.declined_page()
        case "declined":
            return present.declined_page()
        case "instructions-again":
            somebody.begin()
            return present.instructions_page(somebody, somebody.now)
        case "withdraw":
            somebody.begin()
            return present.withdraw_page(somebody, somebody.now)
        case "check":
            somebody.check()
        case "check-again":
            somebody.fail_check()
        case "screened-out":
            somebody.screen_out()
        case "start":
            somebody.begin()
        case "question":
            somebody.open(position)
        case "answered":
            chosen = given.get("option", "")
            option = int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 4 else 0
            somebody.close(position, option=option, by=Trial.SubmittedBy.PERSON)
        case "out-of-time":
            somebody.close(position, option=None, by="")
        case "sent-by-timer":
            somebody.close(position, option=0, by=Trial.SubmittedBy.TIMER)
        case "survey":
            somebody.survey()
        case "debrief":
            somebody.finish()
        case "paused":
            somebody.pause()
        case "withdrawn":
            somebody.withdraw(erases=given.get("choice") == "erase")
    return present.page_of(somebody, somebody.now)


class _Links:
    """Addresses of one slot's pages."""

    def __init__(self, study: Study, slot: Slot) -> None:
        self._where = (study.name, study.version, slot.number)

    def url(self, step: Step) -> str:
        return reverse("preview-page", args=[*self._where, step.key])

    def of(self, step: Step, came_from: str, somebody: Imagined) -> dict[str, str]:
        """Where each link and form of the participant's page leads; pages that can come at any time lead back."""
        walk = somebody.walk
        is_aside = step in walk.any_time
        back = (walk.read(came_from) if is_aside else step) or Step("start")
        onward = walk.neighbours(step)[1]
        on = self.url(onward or back)
        aside = {name: f"{self.url(Step(kind))}?from={back.key}" for name, kind in ASIDE.items()}
        forms = ("join", "begin", "check", "open", "answer", "finish", "survey")
        return {"session": self.url(back), **dict.fromkeys(forms, on), **aside}


def _band(study: Study, slot: Slot, step: Step, somebody: Imagined, links: _Links) -> dict[str, Any]:
    """What the band above the page shows and offers."""
    before, after = somebody.walk.neighbours(step)
    first: dict[str, str] = {}
    for trial in somebody.trials:
        first.setdefault(trial.condition.name, links.url(Step("question", trial.position)))
    return {
        "study": study,
        "slot": slot.number,
        "key": step.key,
        "groups": somebody.walk.groups(),
        "before": links.url(before) if before else "",
        "after": links.url(after) if after else "",
        "arms": sorted(first.items()),
    }
