"""A participant's message answered by a real model in a real engine process, down to the row that says what made it."""

from collections.abc import Iterator

import pytest

from studies.design.models import Assistant
from studies.jobs.executor import on_database
from studies.runtime import backends, replies
from tests.assistant import tiny_model
from tests.assistant.conftest import running_engine
from tests.runtime.test_replies import ask, chatting, is_over, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tiny_model.build(tmp_path_factory.mktemp("model") / "tiny")
    with running_engine("--model", str(folder), "--device", "cpu", "--exit-with-stdin") as (_, line):
        yield line.removeprefix("engine ready ")


async def test_a_model_answers_in_the_chat(engine: str) -> None:
    trial = await on_database(chatting)
    options = {"base_url": engine, "max_tokens": 24, "temperature": 1.0}
    await on_database(Assistant.objects.filter(pk=trial.assistant_id).update, backend="engine", options=options)
    reply = await on_database(ask, trial)
    replies.start(reply.pk, trial.session_id)
    ended = await until(is_over(reply), seconds=30)
    assert (ended.state, ended.backend, ended.error_code) == ("done", "engine", "")
    assert ended.model
    assert ended.sampling == {"max_tokens": 24, "temperature": 1.0}
    assert 1 <= ended.completion_tokens <= 24
    assert ended.prompt_tokens > 10
    await replies.drain()
    await backends.close()
