"""A reply while Redis or the database is away: what was read on the screen is what the row keeps."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import redis
from django.db import OperationalError

from studies.jobs.executor import on_database
from studies.runtime import backends, live, replies, reply_rows
from tests.runtime.test_replies import ask, chatting, is_over, row, until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
async def _clean(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    monkeypatch.setattr(replies, "RETRY_SECONDS", 0.02)
    yield
    await replies.drain()
    await backends.close()


def failing(times: int, real: Callable[..., Any]) -> Callable[..., Any]:
    left = [times]

    def call(*args: Any, **kwargs: Any) -> Any:
        if left[0] > 0:
            left[0] -= 1
            raise OperationalError("database is locked")
        return real(*args, **kwargs)

    return call


async def test_a_reply_goes_on_while_no_frame_can_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone(group: str, frame: object) -> None:
        raise redis.ConnectionError("Connection closed by server.")

    trial = await on_database(chatting)
    reply = await on_database(ask, trial)
    monkeypatch.setattr(live, "send", gone)
    replies.start(reply.pk, trial.session_id)
    ended = await until(is_over(reply))
    assert (ended.state, ended.error_code) == ("done", "")
    assert ended.text


@pytest.mark.parametrize("step", ["claim", "end"])
async def test_a_step_is_tried_again_while_the_database_is_away(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = await on_database(chatting)
    reply = await on_database(ask, trial)
    monkeypatch.setattr(reply_rows, step, failing(3, getattr(reply_rows, step)))
    replies.start(reply.pk, trial.session_id)
    ended = await until(is_over(reply))
    assert (ended.state, ended.error_code) == ("done", "")


async def test_a_database_that_stays_away_leaves_the_reply_to_the_sweep(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.REPLY_STALE_SECONDS = 0.1
    trial = await on_database(chatting)
    reply = await on_database(ask, trial)
    monkeypatch.setattr(reply_rows, "end", failing(1000, reply_rows.end))
    replies.start(reply.pk, trial.session_id)
    await replies._running[reply.pk].task
    assert (await on_database(row, reply)).state == "streaming"
