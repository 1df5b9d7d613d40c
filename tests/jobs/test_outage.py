"""Which errors mean `try again`, and which mean that something is wrong."""

import pytest
import redis
from django.db import InterfaceError, OperationalError, ProgrammingError, connection

from studies.jobs.outage import is_outage


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("database is locked"),
        InterfaceError("connection already closed"),
        redis.ConnectionError("Connection closed by server."),
        redis.exceptions.BusyLoadingError("loading"),
        redis.TimeoutError("slow"),
    ],
)
def test_services_that_are_away_are_an_outage(error: Exception) -> None:
    assert is_outage(error)


@pytest.mark.parametrize(
    "error", [ProgrammingError("no such column"), ValueError("x"), redis.ResponseError("WRONGTYPE")]
)
def test_mistakes_are_not(error: Exception) -> None:
    assert not is_outage(error)


def test_only_a_lock_is_an_outage_of_sqlite() -> None:
    assert is_outage(OperationalError("server closed the connection unexpectedly")) == (connection.vendor != "sqlite")
