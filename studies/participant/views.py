"""The participant's pages. Each translates: cookie → session → one operation → page or redirect."""

import logging
from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST, require_safe

from studies.design import access as design
from studies.design import frozen
from studies.design.operations import StudyFull, StudyNotOpen
from studies.jobs.executor import database_view
from studies.participant import cookies, entry, present, survey_page
from studies.participant.forms import AnswerForm, CheckForm, ConsentForm, OpenForm, WithdrawForm
from studies.participant.standing import Standing
from studies.runtime import access, erasure, operations, pauses, screening, sessions, survey_rules
from studies.runtime import survey as surveys
from studies.runtime.models import Participant, ParticipantSession
from studies.runtime.rules import Refusal

log = logging.getLogger(__name__)
SessionView = Callable[[HttpRequest, ParticipantSession], HttpResponse]
NOT_TAKEN = "What you sent just now was not taken, because the study is paused. Please do it again when it goes on."


def notice(request: HttpRequest, *, title: str, text: str, status: int = 200) -> HttpResponse:
    return render(request, "participant/notice.html", {"title": title, "text": text}, status=status)


def stopped(request: HttpRequest, error: design.StudyChanged) -> HttpResponse:
    """Somebody changed the launched study by hand: nobody may go on with another study than they agreed to."""
    log.error("a participant was turned away: %s", error)
    text = "The people who run this study have to look at it first. What you answered before is safe on the server."
    return notice(request, title="This study cannot go on at the moment", text=text, status=503)


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
    came = entry.read(study, request.POST if request.method == "POST" else request.GET)
    is_here = known is not None and known.study_id == study.pk and "bot" not in request.GET
    if known is not None and is_here and not sessions.is_somebody_else(session=known, entry=came.identity):
        return redirect("participant:session")
    if request.method == "POST":
        return _consent(request, study, came)
    returning = sessions.session_of_entry(study=study, entry=came.identity) if came.identity else None
    if returning is not None:
        response = redirect("participant:session")
        cookies.put(response, sessions.returning_token(returning))
        return response
    try:
        frozen.require_specification(study)
    except design.StudyChanged as error:
        return stopped(request, error)
    if pauses.is_study_paused(study):
        return _come_back_later(request)
    return render(request, *present.consent_page(study, is_open=study.state == study.State.OPEN, carried=came.carried))


def _consent(request: HttpRequest, study: design.Study, came: entry.Entry) -> HttpResponse:
    form = ConsentForm(request.POST)
    if not form.is_valid():
        text = "The consent form did not arrive as it was sent to you. Please open the link that you were sent again."
        return notice(request, title="Please try again", text=text, status=400)
    if form.cleaned_data["consent"] != "yes":
        return render(request, *present.declined_page())
    try:
        _, token = sessions.join(
            study=study,
            now=timezone.now(),
            kind=Participant.Kind.PERSON if came.bot_slot is None else Participant.Kind.BOT,
            entry=came.identity,
            slot_number=came.bot_slot,
            join_key=form.cleaned_data["join_key"],
        )
    except StudyFull:
        text = "All places in this study are taken. Thank you for your interest; nothing was stored."
        return notice(request, title="This study is full", text=text, status=409)
    except pauses.StudyPaused:
        return _come_back_later(request, status=409)
    except StudyNotOpen:
        text = "This study does not take participants at the moment. Nothing was stored."
        return notice(request, title="This study is not open", text=text, status=409)
    except design.StudyChanged as error:
        return stopped(request, error)
    response = redirect("participant:session")
    cookies.put(response, token)
    return response


def _come_back_later(request: HttpRequest, status: int = 200) -> HttpResponse:
    text = "Please come back later by the same link. Nothing was stored, and no place was taken."
    return notice(request, title="This study is paused at the moment", text=text, status=status)


def with_session(view: SessionView) -> Callable[..., HttpResponseBase]:
    """Give the view the cookie's session, or tell the person kindly that there is none."""

    @never_cache
    @database_view
    def found(request: HttpRequest) -> HttpResponse:
        session = access.session_by_token(cookies.token_of(request))
        if session is None:
            text = "Please open the link that you were sent again. Your answers are safe on the server."
            return notice(request, title="We do not recognise this browser", text=text, status=404)
        try:
            return view(request, session)
        except design.StudyChanged as error:
            return stopped(request, error)

    return found  # type: ignore[return-value]  # django-stubs' decorators do not know async views


@require_safe
@with_session
def session_page(request: HttpRequest, session: ParticipantSession) -> HttpResponse:
    return show(request, session)


def show(
    request: HttpRequest,
    session: ParticipantSession,
    error: str = "",
    status: int = 200,
    kept: dict[str, Any] | None = None,
) -> HttpResponse:
    """The page for where the session stands now; `kept`: what of it stands as the person sent it."""
    now = timezone.now()
    if operations.close_if_due(session_id=session.pk, now=now):
        session.refresh_from_db()
    template, shown = present.page_of(Standing(session), now)
    is_over = session.state != session.State.ACTIVE  # the page of its end is no refusal
    return render(request, template, shown | (kept or {}) | {"error": error}, status=200 if is_over else status)


def refused(request: HttpRequest, session: ParticipantSession, refusal: Refusal) -> HttpResponse:
    """The page as it stands, with the reason on top."""
    session.refresh_from_db()
    return show(request, session, error=NOT_TAKEN if refusal.code == "paused" else refusal.sentence, status=409)


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
def check(request: HttpRequest, session: ParticipantSession) -> HttpResponse:
    form = CheckForm(request.POST, questions=len(access.spec_of(session).checks))
    try:
        if not form.is_valid():
            raise Refusal("option_unknown")
        given = {name: form.cleaned_data[name] for name in ("attempt", "command_id")}
        screening.answer(session_id=session.pk, now=timezone.now(), chosen=form.chosen(), **given)
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


@require_POST
@with_session
def survey(request: HttpRequest, session: ParticipantSession) -> HttpResponse:
    """Send the survey; where an answer is missing or wrong, the page comes again with all that was given."""
    items = access.spec_of(session).survey
    form = survey_page.read(items, request.POST)
    try:
        surveys.send(session_id=session.pk, form=form, now=timezone.now())
    except survey_rules.SurveyRefused as refusal:
        session.refresh_from_db()
        problems = {name: problem.sentence for name, problem in refusal.problems.items()}
        return show(request, session, refusal.sentence, 409, survey_page.shown(items, form, problems))
    except Refusal as refusal:
        return refused(request, session, refusal)
    return redirect("participant:session")


@require_GET
@with_session
def instructions(request: HttpRequest, session: ParticipantSession) -> HttpResponse:
    return render(request, *present.instructions_page(Standing(session), timezone.now()))


@with_session
def withdraw(request: HttpRequest, session: ParticipantSession) -> HttpResponse:
    """Ask once more, and whether what was given shall be erased; possible until it is."""
    if session.erased_at is not None:
        return redirect("participant:session")
    error = ""
    if request.method == "POST":
        form = WithdrawForm(request.POST)
        if form.is_valid():
            leave = erasure.erase if form.cleaned_data["choice"] == form.ERASE else sessions.withdraw
            leave(session_id=session.pk, now=timezone.now())
            return redirect("participant:session")
        error = "Choose one of the two ways to stop, or go back."
    template, shown = present.withdraw_page(Standing(session), timezone.now())
    return render(request, template, shown | {"error": error}, status=400 if error else 200)
