"""Model-alone runs from the console: started by a form, refused in words, counted rightly, cancelled by a button."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from studies.baselines import operations
from studies.baselines.models import BaselineAnswer, BaselineRun
from studies.jobs.models import Job
from tests.console.test_studies import page, url
from tests.reports import rows


@pytest.fixture
def study():
    study = rows.make_study()
    study.assistants.create(name="remote", backend="openai", options={"price_prompt": 3.0, "price_completion": 15.0})
    return study


def start(client, study, **values: object) -> str:
    wanted = {"assistant_name": "remote", "protocol": "", "samples": "", "scope": "study", **values}
    return client.post(url("start-baseline", study), wanted, follow=True).content.decode()


def cancel_url(study, run) -> str:
    return reverse("console:cancel-baseline", args=[study.name, study.version, run.pk])


def lines(client, study):
    return client.get(url("live", study)).context["live"].baselines


def answers(run, count: int) -> None:
    for number in range(count):
        question = run.study.manifest.all()[number % 10].question
        BaselineAnswer.objects.create(run=run, question=question, sample=number // 10, answered_at=rows.START)


def test_the_form_queues_a_run_and_the_page_does_not_ask_the_model(staff, study):
    text = start(staff, study, protocol="frequencies", samples="3")
    assert "remote by frequencies is queued" in text
    run = BaselineRun.objects.get()
    assert (run.protocol, run.scope, run.details["samples"]) == ("frequencies", "study", 3)
    assert Job.objects.get().state == "queued"
    assert not BaselineAnswer.objects.exists()


def test_the_form_offers_what_there_is(staff, study):
    text = page(staff, "study", study)
    for word in ("helper", "rotations", "chain-of-thought", "all questions of its banks"):
        assert f">{word}</option>" in text
    assert "Only chain-of-thought and frequencies can be asked" in text


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"protocol": "guess"}, "Not started: protocol &#x27;guess&#x27;: use one of zero-shot, "),
        (
            {"assistant_name": "nobody"},
            "Not started: assistant &#x27;nobody&#x27;: study &#x27;planets&#x27; has helper",
        ),
        ({"assistant_name": ""}, "Not started: Please choose an assistant."),
        ({"scope": ""}, "Not started: Please choose which questions."),
        ({"scope": "world"}, "Not started: scope &#x27;world&#x27;: use one of study, bank."),
        ({"samples": "many"}, "use a whole number from 1 to 1000"),
        ({"samples": "0"}, "use a whole number from 1 to 1000"),
        ({"samples": "2"}, "protocol &#x27;zero-shot&#x27; takes 1."),
        ({"assistant_name": "helper", "protocol": "zero-shot"}, "no likelihoods of its own"),
    ],
)
def test_what_cannot_be_run_is_refused_in_words_on_the_page(staff, study, values, words):
    assert words in start(staff, study, **values)
    assert not BaselineRun.objects.exists()


def test_a_finished_run_is_not_made_again_unless_asked(staff, study):
    start(staff, study)
    BaselineRun.objects.update(finished_at=rows.START)
    assert "remote by zero-shot is finished already" in start(staff, study)
    assert BaselineRun.objects.count() == 1
    assert "is queued" in start(staff, study, again="on")
    assert BaselineRun.objects.count() == 2


def test_progress_counts_every_sample_of_every_question(staff, study):
    start(staff, study, protocol="rotations")
    answers(BaselineRun.objects.get(), 12)
    [line] = lines(staff, study)
    assert (line.answered, line.wanted, line.is_running) == (12, 40, True)
    assert "12 of 40 answers" in page(staff, "live", study)


def test_a_run_over_the_banks_counts_their_questions_and_is_named(staff, study):
    bank = study.manifest.first().question
    bank.pk, bank.content_hash = None, "f" * 64
    bank.save()
    start(staff, study, scope="bank")
    [line] = lines(staff, study)
    assert (line.title, line.wanted) == ("zero-shot (whole bank)", 11)


def test_results_that_were_imported_of_another_model_go_by_its_name(staff, study):
    start(staff, study)
    BaselineRun.objects.update(details={"other_model": "elsewhere-7b"})
    assert lines(staff, study)[0].assistant == "elsewhere-7b"


def test_tokens_cost_and_retries_are_shown(staff, study):
    start(staff, study, protocol="free-text")
    BaselineRun.objects.update(prompt_tokens=2_000_000, completion_tokens=1000, retries=4)
    assert "2,000,000 tokens read, 1,000 written, $6.0150, 4 retries" in page(staff, "live", study)


def test_a_run_is_cancelled_after_a_question_and_can_go_on(staff, study):
    start(staff, study)
    run = BaselineRun.objects.get()
    answers(run, 3)
    assert cancel_url(study, run) in page(staff, "live", study)
    assert "3 of 10 answers are there" in staff.get(cancel_url(study, run)).content.decode()
    assert Job.objects.get().state == "queued"
    said = staff.post(cancel_url(study, run), follow=True).content.decode()
    assert "remote by zero-shot is cancelled. Its answers are kept" in said
    assert Job.objects.get().state == "cancelled"
    assert cancel_url(study, run) not in page(staff, "live", study)
    assert "This run is cancelled: there is nothing" in staff.get(cancel_url(study, run)).content.decode()
    assert "is not running" in staff.post(cancel_url(study, run), follow=True).content.decode()
    start(staff, study)
    assert BaselineRun.objects.get().job.state == "queued"
    assert run.answers.count() == 3


def test_another_studys_run_is_not_there(staff, study):
    run = operations.start_run(study=study, assistant_name="remote", now=timezone.now())
    other = study.__class__.objects.get(pk=study.pk)
    other.pk, other.version, other.join_code = None, 2, "other"
    other.save()
    response = staff.post(cancel_url(other, run))
    assert response.status_code == 404
    assert f"planets v2 has no baseline run {run.pk}" in response.content.decode()
    assert Job.objects.get().state == "queued"


def test_posts_need_the_forms_own_token(ada, study):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ada)
    assert strict.post(url("start-baseline", study), {"assistant_name": "remote"}).status_code == 403
    assert not BaselineRun.objects.exists()


def test_coming_back_from_the_login_starts_nothing(staff, study):
    assert staff.get(url("start-baseline", study)).status_code == 302
    assert not BaselineRun.objects.exists()
