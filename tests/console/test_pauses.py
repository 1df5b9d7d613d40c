"""Pausing from the console: asked why, shown everywhere, undone by one button; and failed replies told loudly."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from studies.runtime.models import Pause, Reply
from tests.console.test_studies import LIST, page, url
from tests.reports import rows

WHY = "the assistant is <down>"


def session_url(name: str, study, pseudonym: str = "p0") -> str:
    return reverse(f"console:{name}-session", args=[study.name, study.version, pseudonym])


def live(staff, study):
    return staff.get(url("live", study)).context["live"]


def test_pausing_a_study_says_what_it_does_asks_why_and_does_it(staff, study):
    session = rows.join(study, 0)
    text = page(staff, "pause", study)
    assert "1 active session sees" in text
    assert not Pause.objects.exists()
    assert (
        "is paused. No time is lost" in staff.post(url("pause", study), {"reason": WHY}, follow=True).content.decode()
    )
    held = Pause.objects.get()
    assert (held.session, held.reason, held.ended_at) == (None, WHY, None)
    session.refresh_from_db()
    assert session.paused_at is not None
    again = staff.post(url("pause", study), {"reason": WHY}, follow=True).content.decode()
    assert "Not paused: it is paused already" in again


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201])
def test_a_pause_without_a_fitting_reason_is_asked_again(staff, study, reason):
    response = staff.post(url("pause", study), {"reason": reason})
    assert response.status_code == 400
    assert "Please say why" in response.content.decode()
    assert not Pause.objects.exists()


def test_a_paused_study_is_shown_as_that_with_since_and_why(staff, study):
    rows.join(study, 0)
    mark = '<span class="state paused">paused</span>'
    staff.post(session_url("pause", study), {"reason": "only p0"})
    assert mark not in staff.get(LIST).content.decode()
    staff.post(url("pause", study), {"reason": WHY})
    assert mark in staff.get(LIST).content.decode()
    staff.post(session_url("resume", study))
    for name in ("study", "pause"):
        text = page(staff, name, study)
        assert Pause.objects.get(ended_at=None).started_at.strftime("%H:%M:%S UTC") in text
        assert "the assistant is &lt;down&gt;" in text
        assert url("resume", study) in text
    assert live(staff, study).lines[0].is_paused


def test_going_on_is_one_button_and_only_by_post(staff, study):
    session = rows.join(study, 0)
    staff.post(url("pause", study), {"reason": WHY})
    assert staff.get(url("resume", study)).status_code == 302
    assert Pause.objects.get().ended_at is None
    assert "goes on, with the time given back" in staff.post(url("resume", study), follow=True).content.decode()
    session.refresh_from_db()
    assert session.paused_at is None
    assert "Not resumed: it is not paused" in staff.post(url("resume", study), follow=True).content.decode()


def test_one_session_is_paused_and_goes_on_by_its_row(staff, study):
    rows.join(study, 0)
    rows.join(study, 1)
    assert "Pause the session of p0?" in staff.get(session_url("pause", study)).content.decode()
    staff.post(session_url("pause", study), {"reason": WHY})
    assert Pause.objects.get().session.participant.pseudonym == "p0"
    lines = {line.pseudonym: line for line in live(staff, study).lines}
    assert (lines["p0"].is_paused, lines["p1"].is_paused) == (True, False)
    assert lines["p0"].own_pause.endswith(f"ago: {WHY}")
    text = page(staff, "live", study)
    assert "ago: the assistant is &lt;down&gt;" in text
    assert live(staff, study).pause is None
    staff.post(session_url("resume", study))
    assert not live(staff, study).lines[0].is_paused


def test_only_an_active_session_can_be_paused(staff, study):
    rows.join(study, 0, state="completed")
    assert session_url("pause", study) not in page(staff, "live", study)
    assert "only an active one can be paused" in staff.get(session_url("pause", study)).content.decode()
    refused = staff.post(session_url("pause", study), {"reason": WHY}, follow=True).content.decode()
    assert "Not paused: this session is completed" in refused


def test_a_session_that_is_not_there_is_a_friendly_page(staff, study):
    for name in ("pause", "resume"):
        response = staff.post(session_url(name, study, "nobody"), {"reason": WHY})
        assert response.status_code == 404
        assert "has no session of nobody" in response.content.decode()


@pytest.mark.parametrize("state", ["draft", "closed"])
def test_a_study_without_people_is_not_paused(staff, study, state):
    study.state = state
    study.save(update_fields=["state"])
    assert url("pause", study) not in page(staff, "study", study)
    assert "there is nothing to pause" in page(staff, "pause", study)
    assert "nothing to pause" in staff.post(url("pause", study), {"reason": WHY}, follow=True).content.decode()


def test_the_live_part_loads_the_page_again_when_the_study_was_paused_or_goes_on(staff, study):
    rows.join(study, 0)
    assert 'state=open"' in page(staff, "study", study)
    staff.post(url("pause", study), {"reason": WHY})
    assert staff.get(url("live", study), {"state": "open"}).headers["HX-Refresh"] == "true"
    assert "HX-Refresh" not in staff.get(url("live", study), {"state": live(staff, study).state}).headers
    assert f'state={live(staff, study).state}"' in page(staff, "study", study)


def test_posts_need_the_forms_own_token(ada, study):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ada)
    assert strict.post(url("pause", study), {"reason": WHY}).status_code == 403
    assert not Pause.objects.exists()


def test_failed_replies_are_counted_and_those_of_the_last_minutes_called_out(staff, study):
    trial = next(t for t in rows.join(study, 0).trials.all() if t.condition.name == "chat")
    assert "failed" not in page(staff, "live", study)
    rows.chat(trial, "One", "Two", "Three", state="failed", error="unreachable")
    Reply.objects.filter(message__number=3).update(error_code="rate_limited")
    text = page(staff, "live", study)
    assert "3 failed replies of the assistant so far: unreachable 2, rate limited 1." in text
    assert "in the last 5 minutes" not in text
    Reply.objects.filter(message__number__gte=2).update(finished_at=timezone.now() - timedelta(minutes=4))
    text = page(staff, "live", study)
    assert "2 replies of the assistant failed in the last 5 minutes</strong> (unreachable 1, rate limited 1)" in text
    assert url("pause", study) in text
    Reply.objects.update(finished_at=timezone.now() - timedelta(minutes=6))
    assert "in the last 5 minutes" not in page(staff, "live", study)


def test_a_conversation_that_was_too_long_is_counted_and_not_called_out(staff, study):
    trial = next(t for t in rows.join(study, 0).trials.all() if t.condition.name == "chat")
    rows.chat(trial, "One", state="failed", error="capacity")
    Reply.objects.update(finished_at=timezone.now())
    text = page(staff, "live", study)
    assert "1 failed reply of the assistant so far: capacity 1." in text
    assert "in the last 5 minutes" not in text
