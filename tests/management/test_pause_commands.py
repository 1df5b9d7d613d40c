"""`pause_study` and `resume_study`: a running server brings the sessions along, and without one the command does."""

import threading
import time
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.utils import timezone

from studies.management import pausing
from studies.runtime import pauses, sessions, sweep
from studies.runtime.models import ParticipantSession, Pause
from tests.small_study import make_study

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pausing, "PATIENCE", timedelta(0))


def joined(number: int) -> list[ParticipantSession]:
    study = make_study()
    return [sessions.join(study=study, now=timezone.now())[0] for _ in range(number)]


def said(*command: Any, **options: Any) -> str:
    out = StringIO()
    call_command(*command, stdout=out, **options)
    return out.getvalue()


def paused() -> list[bool]:
    return [row.paused_at is not None for row in ParticipantSession.objects.order_by("pk")]


def test_a_study_is_paused_and_goes_on_without_a_server() -> None:
    joined(2)
    assert "small v1 is paused; time stands still for 2 now" in said("pause_study", "small", reason="a fire drill")
    assert paused() == [True, True]
    assert Pause.objects.get().reason == "a fire drill"
    assert "small v1 goes on." in said("resume_study", "small")
    assert paused() == [False, False]


def test_every_session_is_brought_along_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pauses, "AT_ONCE", 2)
    joined(5)
    assert "time stands still for 5 now" in said("pause_study", "small", reason="a fire drill")


def test_one_session_is_paused_by_its_pseudonym_and_told_when_it_stays_so() -> None:
    first, _ = joined(2)
    name = first.participant.pseudonym
    assert f"{name} of small v1 is paused" in said("pause_study", "small", session=name, reason="ill")
    assert paused() == [True, False]
    said("pause_study", "small", reason="a fire drill")
    goes_on = said("resume_study", "small")
    assert "small v1 goes on; time still stands for 1, who have a pause of their own" in goes_on
    said("resume_study", "small", session=name)
    assert paused() == [False, False]


def test_refusals_are_told() -> None:
    joined(1)
    for command, options, why in (
        ("pause_study", {"reason": " "}, "Not paused: the reason has 0 characters"),
        ("resume_study", {}, "Not resumed: it is not paused"),
        ("resume_study", {"session": "nobody"}, "has no session of 'nobody'"),
        ("pause_study", {"reason": "x", "study_version": 9}, "no version 9"),
    ):
        with pytest.raises(CommandError, match=why):
            said(command, "small", **options)
    assert not Pause.objects.exists()


def test_a_running_server_is_given_time_to_stop_the_sessions_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the server's process reaches the tabs of an in-memory layer."""
    [session] = joined(1)
    monkeypatch.setattr(pausing, "PATIENCE", timedelta(seconds=10))
    pauses.want_pause(study=session.study, session=None, reason="a test", now=timezone.now())
    swept: list[int] = []

    def server() -> None:
        time.sleep(0.3)
        swept.append(sweep.sweep(now=timezone.now())["followed"])
        connection.close()

    thread = threading.Thread(target=server)
    thread.start()
    assert pausing.settle(session.study, clock=timezone.now) == 0
    thread.join()
    assert swept == [1]
    assert paused() == [True]
