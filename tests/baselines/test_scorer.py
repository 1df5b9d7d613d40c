"""A chain of thought with a scorer: every sample rated by another model, and the best one in the tables."""

import json
import math

import pytest
from django.utils import timezone

from studies.analysis import paper
from studies.assistant.types import ContinuationScore, Done, FinishReason, Health, Piece, Usage
from studies.baselines import operations, queries
from studies.baselines.models import BaselineRun
from studies.baselines.protocols import PROTOCOLS
from studies.design import assistants
from studies.design.spec import PROTOCOLS as PROTOCOL_NAMES
from studies.reports import source
from studies.reports.files import bundle_files
from tests.reports import rows

pytestmark = pytest.mark.django_db


class Thinker:
    """Chooses (B) in three of four samples and (C) in the last one."""

    def __init__(self) -> None:
        self.number = 0

    async def stream(self, request):
        self.number += 1
        yield Piece(f"thought {self.number}")
        yield Done(FinishReason.STOP, Usage(10, 2), "thinker")

    async def score(self, request):
        shares = (0.1, 0.1, 0.7, 0.1) if int(request.turns[1].text.split()[1]) % 4 == 0 else (0.1, 0.7, 0.1, 0.1)
        pairs = zip(request.continuations, shares, strict=True)
        return [ContinuationScore(text, math.log(share), 1, context_tokens=20) for text, share in pairs]

    async def health(self):
        return Health(True, "openai", "thinker", "r1", can_score=True, dtype="float32")

    async def aclose(self):
        pass


class Judge(Thinker):
    """Believes in (C) alone."""

    model = "judge"

    async def score(self, request):
        is_right = "Proposed Answer: (C)" in request.turns[0].text
        shares = (0.9, 0.1) if is_right else (0.2, 0.8)
        pairs = zip(request.continuations, shares, strict=True)
        return [ContinuationScore(text, math.log(share), 1, context_tokens=50) for text, share in pairs]

    async def health(self):
        return Health(True, "openai", self.model, "", can_score=True)


@pytest.fixture
def study(monkeypatch):
    study = rows.make_study(slots=1)
    for name in ("remote", "judge"):
        study.assistants.create(name=name, backend="openai")
    backends = {"remote": Thinker(), "judge": Judge()}
    monkeypatch.setattr(operations, "AT_ONCE", {})
    monkeypatch.setattr(assistants, "backend_of", lambda assistant: backends[assistant.name])
    return study


def start(study, **options) -> BaselineRun:
    given = {"assistant_name": "remote", "protocol": "chain-of-thought", "samples": 4, "now": timezone.now()}
    return operations.start_run(study=study, **(given | options))


def work(run: BaselineRun) -> BaselineRun:
    operations.work_run(job_id=run.job_id, clock=timezone.now)
    run.refresh_from_db()
    return run


def test_the_best_rated_sample_counts_where_the_majority_said_something_else(study):
    plain, rated = work(start(study)), work(start(study, scorer="judge"))
    assert (plain.job.state, rated.job.state) == ("done", "done")
    alone = source.read(rows.close(study)).alone()
    options = {name: {answer.option for answer in answers} for name, answers in alone.items()}
    assert options["chain-of-thought-majority@remote"] == {1}
    assert options["chain-of-thought-best-of-n@remote"] == {2}
    assert options["chain-of-thought@remote"] == options["chain-of-thought-scored@remote"] == {1, 2}
    assert set(queries.finished(study).protocols) == {"chain-of-thought@remote", "chain-of-thought-scored@remote"}


def test_who_rated_with_which_words_and_how_many_tokens_is_kept(study):
    run = work(start(study, scorer="judge"))
    assert (run.details["scorer"], run.details["scorer_model"]) == ("judge", "judge")
    assert "score_reasoning.v1" in run.details["prompts"]
    assert run.details["scorer_tokens"] == 40 * 52
    assert (run.prompt_tokens, run.completion_tokens) == (40 * (10 + 24), 40 * 2)
    assert run.title == "chain-of-thought, rated by judge"


def test_a_run_with_another_scorer_is_another_run(study):
    first = work(start(study, scorer="judge"))
    assert start(study, scorer="judge").pk == first.pk
    assert len({first.pk, start(study).pk, start(study, scorer="remote").pk}) == 3


def test_half_a_run_rated_by_another_model_is_refused(study, monkeypatch):
    run = work(start(study, scorer="judge"))
    run.answers.filter(sample=3).delete()
    BaselineRun.objects.update(finished_at=None)
    monkeypatch.setattr(Judge, "model", "other")
    again = work(start(study, scorer="judge"))
    assert again.pk == run.pk
    assert again.job.error.startswith(f"Run {run.pk} was begun with the scorer 'judge'; 'judge' now serves 'other'.")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"scorer": "nobody"}, "assistant 'nobody': study 'planets' has"),
        ({"scorer": "helper"}, "scorer 'helper': a scripted assistant cannot rate"),
        ({"scorer": "judge", "protocol": "free-text", "samples": 1}, "has no samples to rate; use chain-of-thought"),
    ],
)
def test_a_scorer_that_cannot_rate_is_refused_in_words(study, options, words):
    with pytest.raises(operations.CannotRun, match=words):
        start(study, **options)


def test_the_bundle_says_what_was_combined_otherwise_than_in_the_paper(study):
    work(start(study))
    work(start(study, scorer="judge"))
    work(start(study, protocol="frequencies"))
    work(start(study, protocol="free-text", samples=None))
    told = {
        each["protocol"]: each["deviations"] for each in json.loads(bundle_files(source.read(study))["baselines.json"])
    }
    best = "the best of 20 samples by a preference model"
    assert told == {
        "chain-of-thought@remote": {
            "chain-of-thought-majority@remote": {"paper": best, "done": "the majority of 4 samples (self-consistency)"}
        },
        "chain-of-thought-scored@remote": {
            "chain-of-thought-best-of-n@remote": {
                "paper": best,
                "done": "the best of 4 samples by the P(True) of a model that rates each",
            }
        },
        "frequencies@remote": {
            "frequencies-majority@remote": {
                "paper": "the letter with the highest likelihood",
                "done": "the option named most often in 4 sampled replies",
            }
        },
        "free-text@remote": {},
    }


def test_every_protocol_that_fills_or_deviates_from_the_paper_is_one_of_a_study():
    named = {name for _, ways in paper.FILLED_BY for name in ways} | set(paper.OTHERWISE)
    assert named <= set(PROTOCOL_NAMES)
    assert {other.samples for other in paper.OTHERWISE.values()} <= {*PROTOCOLS, "chain-of-thought-scored"}
