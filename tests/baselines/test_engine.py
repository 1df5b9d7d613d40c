"""The whole road once: the command, a real engine process with a tiny model, and its likelihoods in the rows."""

import asyncio
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from studies.assistant.prompts.questions import zero_shot
from studies.assistant.registry import AssistantConfig, make_backend
from studies.assistant.types import ScoreRequest
from studies.baselines.models import BaselineRun
from studies.jobs import run_here
from tests.assistant import tiny_model
from tests.baselines.engines import EngineProcess
from tests.reports import rows

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory) -> Path:
    return tiny_model.build(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def engine(model_folder) -> str:
    """The address of a running engine."""
    running = EngineProcess(model_folder)
    yield running.url
    running.stop()


@pytest.fixture
def study(monkeypatch):
    monkeypatch.setattr(run_here, "PATIENCE", timedelta(0))
    return rows.make_study(slots=1, questions=rows.make_questions(stories=0))


def test_the_engines_likelihoods_become_answers(study, engine, model_folder):
    study.assistants.create(name="tiny", backend="engine", options={"base_url": engine})
    out = StringIO()
    call_command("run_baseline", study.name, "--assistant", "tiny", stdout=out)
    assert "was asked 8 questions by zero-shot" in out.getvalue()
    run = BaselineRun.objects.get()
    assert run.model
    direct = make_backend(AssistantConfig(backend="in_process", model=str(model_folder)))
    answer = run.answers.select_related("question").first()
    question = answer.question
    request = ScoreRequest(continuations=("A", "B", "C", "D"), turns=zero_shot(question.text, question.options))
    scores = asyncio.run(direct.score(request))
    expected = [score.logprob for score in scores]
    assert list(answer.raw["logprobs"].values()) == pytest.approx(expected, abs=1e-4)
    assert {letter: scored["ids"] for letter, scored in answer.raw["scored"].items()} == {
        score.continuation: list(score.token_ids) for score in scores
    }
    assert answer.option == expected.index(max(expected))
    assert sum(answer.probabilities) == pytest.approx(1)


def test_an_engine_that_is_away_is_said_in_words(study):
    study.assistants.create(name="tiny", backend="engine", options={"base_url": "http://127.0.0.1:1/v1"})
    with pytest.raises(CommandError, match="Assistant 'tiny' cannot be asked") as refused:
        call_command("run_baseline", study.name, "--assistant", "tiny", stdout=StringIO())
    assert "Traceback" not in str(refused.value)
