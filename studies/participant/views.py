"""The participant's pages. Each translates: cookie → session → one operation → page or redirect."""

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST, require_safe

from studies.design import access as design
from studies.design.operations import StudyFull, StudyNotOpen
from studies.jobs.executor import database_view
from studies.participant import cookies, entry, present
from studies.participant.forms import AnswerForm, OpenForm
from studies.runtime import access, markup, operations, sessions
from studies.runtime.models import Participant, ParticipantSession, Trial
from studies.runtime.rules import Refusal

State, Stage = ParticipantSession.State, ParticipantSession.Stage
SessionView = Callable[[HttpRequest, ParticipantSession], HttpResponse]


def notice(request: HttpRequest, *, title: str, text: str, status: int = 200) -> HttpResponse:
    return render(request, "participant/notice.html", {"title": title, "text": text}, status=status)


@never_cache
@database_view
def join(request: HttpRequest, code: str) -> HttpResponse:
    """The link that people are sent: consent first; whoever has a session in this study goes on where they were."""
    try:
        study = design.study_by_join_code(code)
    except design.NotFound:
        raise Http404 from None
    if request.method not in ("GET", "HEAD", "POST"):
        return HttpResponse(status=405, headers={"Allow": "GET, HEAD, POST"})
    known = access.session_by_token(cookies.token_of(request))
    if known is not None and known.study_id == study.pk and "bot" not in request.GET:
        return redirect("participant:session")
    came = entry.read(study, request.POST if request.method == "POST" else request.GET)
    if request.method == "POST":
        return _consent(request, study, came)
    returning = sessions.session_of_entry(study=study, entry=came.identity) if came.identity else None
    if returning is not None:
        response = redirect("participant:session")
        cookies.put(response, access.token_of(returning.token_nonce))
        return response
    spec = design.spec_of(study)
    return render(
        request,
        "participant/consent.html",
        {
            "study_title": study.title,
            "consent": markup.render(spec.texts.consent),
            "contact": spec.study.contact,
            "minutes": spec.study.expected_minutes,
            "is_open": study.state == study.State.OPEN,
            "carried": came.carried,
        },
    )


def _consent(request: HttpRequest, study: design.Study, came: entry.Entry) -> HttpResponse:
    if request.POST.get("consent") != "yes":
        return notice(
            request,
            title="You decided not to take part",
            text="Nothing was stored. You can close this page. Thank you.",
        )
    try:
        _, token = sessions.join(
            study=study,
            now=timezone.now(),
            kind=Participant.Kind.PERSON if came.bot_slot is None else Participant.Kind.BOT,
            entry=came.identity,
            slot_number=came.bot_slot,
        )
    except StudyFull:
        text = "All places in this study are taken. Thank you for your interest; nothing was stored."
        return notice(request, title="This study is full", text=text, status=409)
    except StudyNotOpen:
        text = "This study does not take participants at the moment. Nothing was stored."
        return notice(request, title="This study is not open", text=text, status=409)
    response = redirect("participant:session")
    cookies.put(response, token)
    return response


def with_session(view: SessionView) -> Callable[..., HttpResponseBase]:
    """Give the view the cookie's session, or tell the person kindly that there is none."""

    @never_cache
    @database_view
    def found(request: HttpRequest) -> HttpResponse:
        session = access.session_by_token(cookies.token_of(request))
        if session is None:
            text = "Please open the link that you were sent again. Your answers are safe on the server."
            return notice(request, title="We do not recognise this browser", text=text, status=404)
        return view(request, session)

    return found  # type: ignore[return-value]  # django-stubs' decorators do not know async views


@require_safe
@with_session
def session_page(request: HttpRequest, session: ParticipantSession) -> HttpResponse:
    return show(request, session)


def show(request: HttpRequest, session: ParticipantSession, error: str = "", status: int = 200) -> HttpResponse:
    """The page for where the session stands now."""
    now = timezone.now()
    if operations.close_if_due(session_id=session.pk, now=now):
        session.refresh_from_db()
    shown: dict[str, Any] = present.session_page(session, now) | {"error": error}
    if session.state not in (State.ACTIVE, State.COMPLETED):
        return render(request, "participant/ended.html", shown | {"state": session.state})
    if session.stage == Stage.INSTRUCTIONS:
        return render(request, "participant/instructions.html", shown, status=status)
    if session.stage == Stage.DEBRIEF:
        debrief = markup.render(design.spec_of(session.study).texts.debrief)
        return render(
            request, "participant/debrief.html", shown | {"debrief": debrief, "code": session.completion_code}
        )
    trial = access.current_trial(session)
    if trial is not None and trial.state == Trial.State.OPEN:
        return render(request, "participant/trial.html", shown | present.trial_page(session, trial), status=status)
    return render(request, "participant/between.html", shown | present.between_page(session, trial), status=status)


def refused(request: HttpRequest, session: ParticipantSession, refusal: Refusal) -> HttpResponse:
    """The page as it stands, with the reason on top."""
    session.refresh_from_db()
    return show(request, session, error=refusal.sentence, status=409)


@require_POST
@with_session
def begin(request: HttpRequest, session: ParticipantSession) -> HttpResponse:
    try:
        sessions.begin(session_id=session.pk, now=timezone.now())
    except Refusal as refusal:
        return refused(request, session, refusal)
    return redirect("participant:session")


@require_POST
@with_session
def open_trial(request: HttpRequest, session: ParticipantSession) -> HttpResponse:
    form = OpenForm(request.POST)
    try:
        if not form.is_valid():
            raise Refusal("wrong_question")
        position = form.cleaned_data["position"]
        operations.open_next_trial(session_id=session.pk, position=position, now=timezone.now())
    except Refusal as refusal:
        return refused(request, session, refusal)
    return redirect("participant:session")


@require_POST
@with_session
def answer(request: HttpRequest, session: ParticipantSession) -> HttpResponse:
    form = AnswerForm(request.POST)
    try:
        if not form.is_valid():
            raise Refusal("option_unknown")
        operations.submit_answer(session_id=session.pk, now=timezone.now(), **form.cleaned_data)
    except Refusal as refusal:
        return refused(request, session, refusal)
    return redirect("participant:session")


@require_POST
@with_session
def finish(request: HttpRequest, session: ParticipantSession) -> HttpResponse:
    try:
        sessions.finish(session_id=session.pk, now=timezone.now())
    except Refusal as refusal:
        return refused(request, session, refusal)
    return redirect("participant:session")


@require_GET
@with_session
def instructions(request: HttpRequest, session: ParticipantSession) -> HttpResponse:
    return render(request, "participant/instructions_again.html", present.session_page(session, timezone.now()))


@with_session
def withdraw(request: HttpRequest, session: ParticipantSession) -> HttpResponse:
    """Ask once more, then stop."""
    if request.method == "POST":
        sessions.withdraw(session_id=session.pk, now=timezone.now())
        return redirect("participant:session")
    return render(request, "participant/withdraw.html", present.session_page(session, timezone.now()))
