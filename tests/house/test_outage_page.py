"""A page while the database is away: kind words and when to come again, not a bare 500."""

import logging

import pytest
from django.db import OperationalError, ProgrammingError
from django.test import AsyncClient

from studies.participant import views

AWAY = OperationalError("database is locked")


def failing(error: Exception, monkeypatch: pytest.MonkeyPatch) -> AsyncClient:
    def fail(*args: object) -> None:
        raise error

    monkeypatch.setattr(views.access, "session_by_token", fail)
    return AsyncClient(raise_request_exception=False)


@pytest.mark.django_db(transaction=True)
async def test_a_page_answers_503_and_loads_itself_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = await failing(AWAY, monkeypatch).get("/session/")
    assert answered.status_code == 503
    assert (answered["Retry-After"], answered["Refresh"]) == ("3", "3")
    assert "What was saved is safe" in answered.content.decode()
    assert "default-src" in answered["Content-Security-Policy"]


@pytest.mark.django_db(transaction=True)
async def test_a_form_is_to_be_sent_again_by_the_person(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = await failing(AWAY, monkeypatch).post("/session/begin/")
    assert answered.status_code == 503
    assert "Refresh" not in answered
    assert "nothing is stored twice" in " ".join(answered.content.decode().split())


@pytest.mark.django_db(transaction=True)
async def test_a_mistake_stays_a_500(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.CRITICAL, logger="django.request"):
        answered = await failing(ProgrammingError("no such table"), monkeypatch).get("/session/")
    assert answered.status_code == 500
