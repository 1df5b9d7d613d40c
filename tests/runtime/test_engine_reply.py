"""A participant's message answered by a real model in a real engine process, down to the row that says what made it."""

from collections.abc import Iterator
from urllib.request import urlopen

import pytest

from studies.design.models import Assistant, Study
from studies.jobs.executor import on_database
from studies.questions.models import Passage
from studies.runtime import backends, conversation, operations, replies, sessions, warm
from studies.runtime.models import Trial
from tests.assistant import tiny_model
from tests.assistant.conftest import running_engine
from tests.runtime.test_replies import ask, chatting, is_over, until
from tests.small_study import NOW, make_study

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


def with_a_story_next() -> Trial:
    """A session whose next trial is a story with a chat, and whose passage is long enough to be worth reading ahead."""
    for _ in range(8):
        session, _ = sessions.join(study=make_study_once(), now=NOW)
        for trial in session.trials.select_related("question__passage", "condition").order_by("position"):
            if trial.question.passage and trial.condition.assistance == "chat":
                Trial.objects.filter(session=session, position__lt=trial.position).delete()
                return trial
    raise AssertionError("no slot has a story with a chat")


def make_study_once() -> Study:
    return Study.objects.first() or make_study()


def counted(url: str, name: str) -> float:
    text = urlopen(f"{url}/metrics", timeout=5).read().decode()
    return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(f"oversight_engine_{name} "))


async def test_the_next_story_is_read_before_anybody_asks_about_it(engine: str) -> None:
    trial = await on_database(with_a_story_next)
    options = {"base_url": engine, "max_tokens": 8, "temperature": 0.0}
    await on_database(Assistant.objects.filter(pk=trial.assistant_id).update, backend="engine", options=options)
    passage = trial.question.passage
    await on_database(
        Passage.objects.filter(pk=passage.pk).update, text="The ferry left the harbour while it rained. " * 6
    )
    opening = await on_database(conversation.opening, trial.session_id)
    assert opening is not None
    assert opening.turns[1].text.startswith(passage.title)
    before = counted(engine, "prompt_tokens_total")
    warm.start(trial.session_id)
    warm.start(trial.session_id)  # a second tab: not read again
    await until(lambda: counted(engine, "prompt_tokens_total") > before and not counted(engine, "running"), seconds=30)
    read = counted(engine, "prompt_tokens_total") - before
    assert 128 <= read <= 512
    await on_database(sessions.begin, session_id=trial.session_id, now=NOW)
    await on_database(operations.open_next_trial, session_id=trial.session_id, position=trial.position, now=NOW)
    await on_database(Trial.objects.filter(pk=trial.pk).update, deadline_at=None)
    assert await on_database(conversation.opening, trial.session_id) is None
    reused = counted(engine, "reused_tokens_total")
    reply = await on_database(ask, trial)
    replies.start(reply.pk, trial.session_id)
    assert (await until(is_over(reply), seconds=30)).state == "done"
    assert counted(engine, "reused_tokens_total") - reused >= 0.8 * (read - 32)
    await replies.drain()
    await backends.close()
