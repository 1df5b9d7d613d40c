"""A baseline run asks each question once, goes on after any kind of end, and says why it cannot."""

import asyncio
import math
import signal
from datetime import timedelta

import pytest
from django.utils import timezone

from studies.assistant.types import BackendError, ContinuationScore, ErrorCode, Health
from studies.baselines import flight, operations
from studies.baselines.items import items, manifest, shots
from studies.baselines.models import BaselineAnswer, BaselineRun
from studies.baselines.protocols import PROTOCOLS, Shot
from studies.design import assistants, spec
from studies.jobs import operations as jobs
from studies.jobs.models import Job
from studies.questions.models import Question
from tests.assistant import peers
from tests.reports import rows

pytestmark = pytest.mark.django_db


class Model:
    """The model, which is outside the process: it keeps what it was asked, and fails when it is told to."""

    name = "model"

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fails_at: dict[int, BaseException] = {}
        self.health_now = Health(True, "openai", "tiny", "r1", can_score=True, dtype="bfloat16")
        self.times: dict[int, int] = {}  # how often it fails there; otherwise always
        self.seconds = 0.0
        self.flying = self.most = 0
        self.is_closed = False

    async def score(self, request):
        self.flying += 1
        self.most = max(self.most, self.flying)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.flying -= 1
        place = len(self.asked)
        if place in self.fails_at and self.times.get(place, 1):
            if place in self.times:
                self.times[place] -= 1
            if isinstance(self.fails_at[place], KeyboardInterrupt):  # as a terminal sends it
                signal.raise_signal(signal.SIGINT)
                await asyncio.sleep(60)
            raise self.fails_at[place]
        self.asked.append(request.turns[0].text)
        shares = (0.1, 0.7, 0.1, 0.1)
        return [ContinuationScore(c, math.log(p), 1) for c, p in zip(request.continuations, shares, strict=True)]

    async def health(self):
        return self.health_now

    async def aclose(self):
        self.is_closed = True


@pytest.fixture
def study():
    study = rows.make_study(slots=1)
    study.assistants.create(name="remote", backend="openai")
    return study


@pytest.fixture
def model(monkeypatch) -> Model:
    """Asked one question at a time and only once, so that a test can count; the tests of many at once undo this."""
    model = Model()
    monkeypatch.setattr(flight, "WAITS", ())
    monkeypatch.setattr(operations, "AT_ONCE", {})
    monkeypatch.setattr(assistants, "backend_of", lambda assistant: model)
    return model


def start(study, name: str = "remote", **options) -> BaselineRun:
    return operations.start_run(study=study, assistant_name=name, now=timezone.now(), **options)


def work(run: BaselineRun, **options) -> BaselineRun:
    operations.work_run(job_id=run.job_id, clock=timezone.now, **options)
    run.refresh_from_db()
    run.job.refresh_from_db()
    return run


def test_the_model_is_asked_every_question_and_everything_is_recorded(study, model):
    seen = []
    run = work(start(study), report=lambda done, total: seen.append((done, total)))
    assert run.job.state == "done"
    assert run.finished_at is not None
    assert (run.protocol, run.model, run.revision, run.dtype) == ("zero-shot", "tiny", "r1", "bfloat16")
    assert run.prompt_version == "zero_shot.v1, zero_shot_passage.v1"
    assert len(run.prompt_hash) == 64
    assert set(run.details["prompts"]) == {"zero_shot.v1", "zero_shot_passage.v1"}
    assert seen[0] == (0, 10)
    assert seen[-1] == (10, 10)
    assert (run.job.done, run.job.total) == (10, 10)
    answer = run.answers.first()
    assert answer.option == 1
    assert answer.probabilities == pytest.approx([0.1, 0.7, 0.1, 0.1])
    assert len(model.asked) == len(set(model.asked)) == 10
    assert model.is_closed


def test_a_passage_stands_before_its_question(study, model):
    work(start(study))
    assert sum("Once. Once." in text for text in model.asked) == 2


def test_planned_stances_are_the_scripted_assistants_answers(study):
    run = work(start(study, "helper"))
    assert run.protocol == "scripted-stance"
    stances = dict(study.assistants.get(name="helper").stances.values_list("question_id", "option"))
    assert dict(run.answers.values_list("question_id", "option")) == stances
    assert set(run.answers.values_list("probabilities", flat=True)) == {None}
    assert run.prompt_hash == ""


@pytest.mark.parametrize("end", [BackendError(ErrorCode.UNREACHABLE, "Nobody answers."), KeyboardInterrupt()])
def test_a_run_that_was_cut_goes_on_without_asking_twice(study, model, end):
    model.fails_at[4] = end
    run = start(study)
    if isinstance(end, KeyboardInterrupt):
        with pytest.raises(KeyboardInterrupt):
            work(run)
    else:
        work(run)
    assert run.answers.count() == 4
    assert BaselineRun.objects.get().finished_at is None
    model.fails_at.clear()
    again = start(study)
    assert again.pk == run.pk
    work(again)
    assert again.job.state == "done"
    assert again.answers.count() == 10
    assert len(model.asked) == len(set(model.asked)) == 10


def test_a_killed_run_is_taken_back_and_goes_on_without_asking_twice(study, model):
    """kill -9 leaves a running job and the answers so far; nothing else of the process is left."""
    model.fails_at[4] = SystemExit()
    run = start(study)
    with pytest.raises(SystemExit):
        work(run)
    silent_since = timezone.now() - timedelta(minutes=1)
    Job.objects.update(state="running", heartbeat_at=silent_since, claimed_at=silent_since, finished_at=None, error="")
    model.fails_at.clear()
    assert jobs.sweep(now=timezone.now()).requeued == 1
    work(run)
    assert run.job.state == "done"
    assert run.job.attempts == 2
    assert len(model.asked) == len(set(model.asked)) == 10


def test_a_backend_error_fails_the_job_with_its_sentence(study, model):
    model.fails_at[0] = BackendError(ErrorCode.RATE_LIMITED, "The quota is used up.")
    run = work(start(study))
    assert run.job.state == "failed"
    assert run.job.error == "Assistant 'remote': The quota is used up. (rate_limited)"
    assert model.is_closed


def test_an_assistant_that_is_down_is_not_asked(study, model):
    model.health_now = Health(False, "openai", "", sentence="Nothing listens at that address.")
    run = work(start(study))
    assert run.job.error == "Assistant 'remote' cannot be asked: Nothing listens at that address."
    assert model.asked == []


def test_an_endpoint_that_does_not_say_that_it_can_score_is_asked(study, model):
    model.health_now = Health(True, "openai", "tiny")
    assert work(start(study)).job.state == "done"


def test_an_endpoint_without_log_probabilities_is_told_what_to_do(study):
    with peers.serve(peers.llama_cpp(name="tiny")) as url:
        study.assistants.filter(name="remote").update(options={"model": "tiny", "base_url": url})
        run = work(start(study))
    assert run.job.state == "failed"
    assert "gives no log-probabilities of 'A', 'B', 'C', 'D'" in run.job.error
    assert "run_engine" in run.job.error


@pytest.mark.parametrize("peer", [peers.vllm(name="tiny"), peers.sglang(name="tiny")], ids=["vllm", "sglang"])
def test_a_run_against_another_server_has_its_likelihoods(study, peer):
    with peers.serve(peer) as url:
        study.assistants.filter(name="remote").update(options={"model": "tiny", "base_url": url})
        run = work(start(study))
    assert (run.job.state, run.model, run.answers.exclude(option=None).count()) == ("done", "tiny", 10)


def test_a_run_is_not_finished_by_another_model(study, model):
    model.fails_at[4] = BackendError(ErrorCode.TIMEOUT, "Too slow.")
    work(start(study))
    model.fails_at.clear()
    model.health_now = Health(True, "openai", "tiny", "r2", can_score=True)
    run = work(start(study))
    assert run.job.error == (
        f"Run {run.pk} was begun with model 'tiny r1 bfloat16'; the assistant now serves 'tiny r2'. Serve the first "
        "again, or start a fresh run with --again."
    )
    fresh = work(start(study, again=True))
    assert fresh.pk != run.pk
    assert (fresh.job.state, fresh.revision, fresh.answers.count()) == ("done", "r2", 10)


def test_a_finished_run_is_not_made_again_unless_asked(study):
    run = work(start(study, "helper"))
    assert start(study, "helper").pk == run.pk
    assert start(study, "helper").finished_at is not None
    assert start(study, "helper", again=True).pk != run.pk


def test_asking_twice_for_a_run_gives_one_job(study, model):
    assert start(study).job_id == start(study).job_id
    assert Job.objects.count() == 1


def test_giving_up_an_unfinished_run_cancels_its_job(study, model):
    first = start(study)
    second = start(study, again=True)
    assert Job.objects.get(pk=first.job_id).state == "cancelled"
    assert Job.objects.get(pk=second.job_id).state == "queued"


def test_a_task_that_is_delivered_twice_does_its_work_once(study, model):
    run = work(start(study))
    work(run)
    assert len(model.asked) == 10


def test_a_cancelled_run_stops_within_a_beat(study, model, monkeypatch):
    model.seconds = 60.0
    monkeypatch.setattr(operations, "BEAT_SECONDS", 0.02)
    monkeypatch.setattr("studies.jobs.work.BEAT", timedelta(seconds=0.1))
    run = start(study)
    began = timezone.now()

    def cancelling_clock():
        now = timezone.now()
        if now - began > timedelta(seconds=0.5):
            jobs.cancel(job_id=run.job_id, now=now)
        return now

    operations.work_run(job_id=run.job_id, clock=cancelling_clock)
    assert timezone.now() - began < timedelta(seconds=10)
    assert Job.objects.get().state == "cancelled"
    assert not BaselineAnswer.objects.exists()
    assert model.is_closed


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("nobody", {}, "assistant 'nobody': study 'planets' has helper, remote."),
        ("remote", {"protocol": "guess"}, "protocol 'guess': use one of zero-shot, 5-shot, "),
        ("remote", {"protocol": "scripted-stance"}, "only a scripted assistant has planned answers"),
        ("helper", {"protocol": "zero-shot"}, "no likelihoods of its own; use --protocol scripted-stance."),
    ],
)
def test_what_cannot_be_run_is_refused_in_words(study, name, options, words):
    with pytest.raises(operations.CannotRun, match=words.replace("(", r"\(")):
        start(study, name, **options)
    assert not BaselineRun.objects.exists()


def test_a_stance_that_is_drawn_per_trial_is_no_baseline(study):
    study.assistants.get(name="helper").stances.all().delete()
    with pytest.raises(operations.CannotRun, match="10 of 10 questions have no planned stance"):
        start(study, "helper")


def test_a_study_file_names_the_protocols_that_there_are():
    combined = {
        f"{each.name}-{made}" for each in PROTOCOLS.values() for made in (*each.combinations, *each.scored_combinations)
    }
    assert set(spec.PROTOCOLS) == set(PROTOCOLS) | combined


def test_many_are_asked_at_once_and_each_once(study, model, monkeypatch):
    monkeypatch.setattr(operations, "AT_ONCE", {"openai": 4})
    model.seconds = 0.01
    run = work(start(study))
    assert (run.job.state, run.answers.count(), model.most) == ("done", 10, 4)
    assert len(model.asked) == len(set(model.asked)) == 10


def test_what_was_answered_beside_a_failure_is_kept(study, model, monkeypatch):
    monkeypatch.setattr(operations, "AT_ONCE", {"openai": 4})
    model.fails_at[6] = BackendError(ErrorCode.REFUSED, "No.")
    run = work(start(study))
    assert run.job.error == "Assistant 'remote': No. (refused)"
    assert run.answers.count() == len(model.asked)
    model.fails_at.clear()
    work(start(study))
    assert len(model.asked) == len(set(model.asked)) == 10


def test_a_failure_that_may_pass_is_tried_again(study, model, monkeypatch):
    monkeypatch.setattr(flight, "WAITS", (0.01, 0.01))
    model.times = {3: 2}
    model.fails_at[3] = BackendError(ErrorCode.RATE_LIMITED, "Ask again soon.")
    assert work(start(study)).job.state == "done"
    model.times = {3: 3}
    model.asked.clear()
    run = work(start(study, again=True))
    assert run.job.error == "Assistant 'remote': Ask again soon. (rate_limited)"


def test_a_question_that_does_not_fit_the_model_has_no_answer_and_the_run_goes_on(study, model):
    model.times = {3: 1}
    model.fails_at[3] = BackendError(ErrorCode.CAPACITY, "Too long.")
    run = work(start(study))
    assert run.job.state == "done"
    silent = run.answers.get(option=None)
    assert silent.raw == {"error": "capacity", "sentence": "Too long."}
    assert run.answers.count() == 10


def test_samples_are_rows_of_their_own_with_seeds_that_do_not_change(study, model):
    run = work(start(study, protocol="rotations"))
    assert run.answers.count() == 40
    assert set(run.answers.values_list("sample", flat=True)) == {0, 1, 2, 3}
    # the model always likes the second place: rotated, that is another option each time
    assert {answer.sample: answer.option for answer in run.answers.filter(question=run.answers.first().question)} == {
        0: 1, 1: 2, 2: 3, 3: 0,
    }  # fmt: skip
    once, twice = (items(run, PROTOCOLS["rotations"]) for _ in range(2))
    assert once == twice
    assert len({item.sample.seed for item in once}) == 40


@pytest.mark.parametrize(
    ("protocol", "samples", "words"),
    [("zero-shot", 2, "protocol 'zero-shot' takes 1."), ("frequencies", 0, "protocol 'frequencies' takes 1 or more.")],
)
def test_a_number_of_samples_that_cannot_be_is_refused(study, protocol, samples, words):
    with pytest.raises(operations.CannotRun, match=words):
        start(study, protocol=protocol, samples=samples)


def test_a_run_that_was_begun_with_other_samples_is_not_gone_on_with(study, model):
    run = start(study, protocol="frequencies", samples=3)
    assert start(study, protocol="frequencies").pk == run.pk
    with pytest.raises(operations.CannotRun, match=f"samples 5: run {run.pk} was begun with 3; --again makes a fresh"):
        start(study, protocol="frequencies", samples=5)


def test_worked_examples_come_from_the_dev_split_and_else_from_others_of_the_subject(study):
    questions = [question for question in manifest(study) if not question.passage]
    first = shots(questions[0], 1, 5)
    assert first == shots(questions[0], 1, 5)
    assert all(shot.question != questions[0].text for shot in first)
    Question.objects.create(
        bank=questions[0].bank, split="dev", subject=questions[0].subject, text="Solved?", content_hash="c" * 64,
        options=["yes", "no", "maybe", "never"], key=2,
    )  # fmt: skip
    assert shots(questions[0], 1, 5)[0] == Shot("Solved?", ("yes", "no", "maybe", "never"), 2)
