"""`manage.py run_baseline`: works without a server, goes on after a failure, and says in words why it cannot."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from studies.baselines import operations
from studies.baselines.models import BaselineRun
from studies.baselines.totals import Totals
from studies.design import assistants
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
    assert "The study's primary baseline is scripted-stance; this one is reported beside it." in said
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
