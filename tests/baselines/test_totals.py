"""What a run used: tokens and retries are counted with the answers, and priced only where the file names prices."""

import json
import zipfile

import pytest

from studies.assistant.types import BackendError, Done, ErrorCode, FinishReason, Piece, Usage
from studies.baselines import flight, operations
from studies.baselines.models import BaselineRun
from studies.baselines.totals import Totals, totals_of
from studies.design import assistants
from studies.reports.bundle import write_bundle
from tests.baselines.test_operations import Model, start, work
from tests.reports import rows

pytestmark = pytest.mark.django_db


class Writer(Model):
    """Writes an option and counts 100 tokens read and 7 written."""

    usage = Usage(100, 7)

    async def stream(self, request):
        place = len(self.asked)
        if self.times.get(place, 0):
            self.times[place] -= 1
            raise BackendError(ErrorCode.RATE_LIMITED, "Ask again soon.")
        self.asked.append(request.turns[0].text)
        yield Piece("(B)")
        yield Done(FinishReason.STOP, self.usage, "tiny")


@pytest.fixture
def writer(monkeypatch) -> Writer:
    writer = Writer()
    monkeypatch.setattr(flight, "WAITS", (0.0, 0.0))
    monkeypatch.setattr(operations, "AT_ONCE", {})
    monkeypatch.setattr(assistants, "backend_of", lambda assistant: writer)
    return writer


@pytest.fixture
def study():
    study = rows.make_study(slots=1)
    study.assistants.create(name="remote", backend="openai", options={"price_prompt": 2.5, "price_completion": 10.0})
    return study


def test_tokens_are_counted_with_the_answers_and_priced(study, writer):
    used = totals_of(work(start(study, protocol="free-text")))
    assert (used.prompt_tokens, used.completion_tokens) == (1000, 70)
    assert used.dollars == pytest.approx(0.0032)
    assert used.words == "1,000 tokens read, 70 written, $0.0032"


def test_a_run_that_goes_on_counts_on(study, writer):
    run = start(study, protocol="free-text")
    writer.times = {4: 3}
    assert work(run).job.state == "failed"
    assert run.answers.count() == 4
    assert run.prompt_tokens == 400
    writer.times = {6: 1}
    again = work(start(study, protocol="free-text"))
    assert again.pk == run.pk
    assert (again.prompt_tokens, again.completion_tokens, again.retries) == (1000, 70, 3)


def test_an_endpoint_that_does_not_count_has_no_totals_and_no_cost(study, writer):
    writer.usage = Usage(None, None)
    used = totals_of(work(start(study, protocol="free-text")))
    assert used == Totals(None, None, 0, None)
    assert used.words == ""


def test_letters_scored_where_nobody_counts_have_no_totals(study, writer):
    assert totals_of(work(start(study))) == Totals(None, None, 0, None)


def test_without_prices_there_is_no_cost(study, writer):
    study.assistants.filter(name="remote").update(options={})
    used = totals_of(work(start(study, protocol="free-text")))
    assert (used.prompt_tokens, used.dollars) == (1000, None)


def test_the_bundle_tells_them(study, writer, tmp_path):
    work(start(study, protocol="free-text"))
    BaselineRun.objects.update(retries=2)
    with zipfile.ZipFile(write_bundle(rows.close(study), tmp_path / "bundle.zip")) as archive:
        [told] = json.loads(archive.read("baselines.json"))
    assert told["tokens"] == {"prompt": 1000, "completion": 70}
    assert told["dollars"] == pytest.approx(0.0032)
    assert (told["retries"], told["scope"]) == (2, "study")
