"""`manage.py run_baseline`: works without a server, goes on after a failure, and says in words why it cannot."""

import math
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from studies.assistant.types import ContinuationScore, Done, FinishReason, Piece, Usage
from studies.baselines import operations
from studies.baselines.models import BaselineRun
from studies.baselines.totals import Totals
from studies.design import assistants
from studies.design.models import Study
from studies.jobs import run_here
from studies.jobs.models import Job
from studies.management.commands import run_baseline
from tests.baselines.test_operations import Model
from tests.reports import rows

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(run_here, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(run_here, "PATIENCE", timedelta(0))


@pytest.fixture
def study():
    study = rows.make_study(slots=1)
    study.assistants.create(name="remote", backend="openai")
    return study


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("run_baseline", *arguments, stdout=out)
    return out.getvalue()


def test_the_scripted_assistant_is_done_at_once(study):
    said = run("planets", "--assistant", "helper")
    assert "helper (scripted) was asked 10 questions by scripted-stance; 0 without a clear answer." in said
    assert BaselineRun.objects.get().finished_at is not None


def test_a_second_call_says_that_it_is_done(study):
    run("planets", "--assistant", "helper")
    assert "finished already; --again makes a fresh one" in run("planets", "--assistant", "helper")
    assert BaselineRun.objects.count() == 1


def test_a_failure_has_words_and_the_same_command_goes_on(study, monkeypatch):
    model = Model()
    model.fails_at[6] = ZeroDivisionError("of the model")
    monkeypatch.setattr(assistants, "backend_of", lambda assistant: model)
    with pytest.raises(ZeroDivisionError):
        run("planets", "--assistant", "remote")
    model.fails_at.clear()
    said = run("planets", "--assistant", "remote")
    assert "remote (openai, tiny) was asked 10 questions by zero-shot" in said
    beside = "this one is reported beside it, as zero-shot@remote."
    assert f"The study's primary baseline is scripted-stance; {beside}" in said
    assert len(model.asked) == 10


def test_a_model_that_is_down_ends_in_words_not_a_traceback(study, monkeypatch):
    model = Model()
    model.health_now = model.health_now.__class__(False, "openai", "", sentence="Nothing listens there.")
    monkeypatch.setattr(assistants, "backend_of", lambda assistant: model)
    with pytest.raises(CommandError, match=r"Nothing listens there\. Run the same command to go on\."):
        run("planets", "--assistant", "remote")


def test_control_c_keeps_the_answers_and_says_how_to_go_on(study, monkeypatch):
    model = Model()
    model.fails_at[6] = KeyboardInterrupt()
    monkeypatch.setattr(operations, "AT_ONCE", {})
    monkeypatch.setattr(assistants, "backend_of", lambda assistant: model)
    with pytest.raises(CommandError, match="Run it again to go on") as stopped:
        run("planets", "--assistant", "remote")
    assert stopped.value.returncode == 130
    model.fails_at.clear()
    run("planets", "--assistant", "remote")
    assert len(model.asked) == len(set(model.asked)) == 10


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("pluto", "--assistant", "helper"), "pluto"),
        (("planets", "--assistant", "nobody"), "study 'planets' has helper, remote"),
        (("planets", "--assistant", "helper", "--protocol", "guess"), "use one of zero-shot, 5-shot, chain-of-thought"),
    ],
)
def test_mistakes_are_named(study, arguments, words):
    with pytest.raises(CommandError, match=words):
        run(*arguments)


def cancel(*arguments: str) -> str:
    out = StringIO()
    call_command("cancel_baseline", *arguments, stdout=out)
    return out.getvalue()


def test_runs_are_cancelled_and_go_on_later(study, monkeypatch):
    model = Model()
    monkeypatch.setattr(assistants, "backend_of", lambda assistant: model)
    for protocol in ("zero-shot", "rotations"):
        operations.start_run(study=study, assistant_name="remote", protocol=protocol, now=timezone.now())
    said = cancel("planets", "--protocol", "rotations")
    assert said == "planets v1: remote by rotations is cancelled; its 0 answers stay.\n"
    assert list(Job.objects.order_by("pk").values_list("state", flat=True)) == ["queued", "cancelled"]
    assert "no such run is queued or running" in cancel("planets", "--assistant", "helper")
    assert "remote by zero-shot is cancelled" in cancel("planets")
    assert set(Job.objects.values_list("state", flat=True)) == {"cancelled"}
    run("planets", "--assistant", "remote")
    assert BaselineRun.objects.get(protocol="zero-shot").finished_at is not None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("pluto",), "pluto"),
        (("planets", "--assistant", "nobody"), "assistant 'nobody': study 'planets' has helper, remote"),
        (("planets", "--protocol", "guess"), "protocol 'guess': use one of zero-shot, "),
    ],
)
def test_mistakes_in_cancelling_are_named(study, arguments, words):
    with pytest.raises(CommandError, match=words):
        cancel(*arguments)


def test_the_whole_bank_is_asked_and_what_it_used_is_said(study, monkeypatch):
    model = Model()
    monkeypatch.setattr(assistants, "backend_of", lambda assistant: model)
    monkeypatch.setattr(run_baseline, "totals_of", lambda run: Totals(1200, 80, 1, None))
    said = run("planets", "--assistant", "remote", "--scope", "bank", "--protocol", "rotations")
    assert "was asked 10 questions by rotations (whole bank), 4 times each; 0 without a clear answer." in said
    assert "It used 1,200 tokens read, 80 written, 1 retry." in said
    assert "primary baseline" not in said


@pytest.mark.parametrize(
    ("primary", "protocol", "beside"),
    [
        ("rotations-mean", "rotations", ""),
        ("rotations", "rotations", ""),
        ("frequencies-majority", "frequencies", ""),
        ("chain-of-thought-majority", "chain-of-thought", ""),
        (
            "rotations-mean",
            "free-text",
            "primary baseline is rotations-mean; this one is reported beside it, as free-te",
        ),
        ("chain-of-thought-best-of-n", "chain-of-thought", "primary baseline is chain-of-thought-best-of-n; this one"),
    ],
)
def test_the_run_that_the_primary_baseline_is_combined_from_is_not_beside_it(monkeypatch, primary, protocol, beside):
    study = make_with_primary(primary)
    monkeypatch.setattr(assistants, "backend_of", lambda assistant: Writer())
    said = run(study.name, "--assistant", "helper", "--protocol", protocol)
    assert (beside in said) if beside else ("primary baseline" not in said)


def test_a_rated_run_is_the_primary_baselines_source_and_one_by_another_scorer_takes_its_place(monkeypatch):
    study = make_with_primary("chain-of-thought-best-of-n")
    study.assistants.create(name="judge", backend="openai")
    monkeypatch.setattr(assistants, "backend_of", lambda assistant: Writer())
    ask = (study.name, "--assistant", "helper", "--protocol", "chain-of-thought", "--samples", "2", "--scorer")
    assert "primary baseline" not in run(*ask, "helper")
    assert "primary baseline" not in run(*ask, "judge")
    assert "not in the tables: a newer run by chain-of-thought takes its place there" in run(*ask, "helper")


def make_with_primary(primary: str) -> Study:
    """A study whose chat assistant is a model, with this primary baseline."""
    scripted = 'backend = "scripted"\nunreliability = "scripted"\naccuracy = 0.7\n'
    model = rows.SPEC.replace(scripted, 'backend = "openai"\nmodel = "m"\nbase_url = "http://127.0.0.1:9/v1"\n')
    study = rows.make_study(slots=1, spec_text=model.replace('"scripted-stance"', f'"{primary}"'))
    study.assistants.update(backend="openai")
    return study


class Writer(Model):
    """Likes (B) best, and writes it."""

    async def score(self, request):
        shares = (0.1, 0.7, 0.1, 0.1)
        return [ContinuationScore(c, math.log(p), 1) for c, p in zip(request.continuations, shares, strict=False)]

    async def stream(self, request):
        yield Piece("(B)")
        yield Done(FinishReason.STOP, Usage(None, None), "tiny")
