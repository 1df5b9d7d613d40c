"""What a page costs: the same few queries for one session and for three hundred, and well under 100 ms."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db.backends.utils import CursorWrapper
from django.urls import reverse
from django.utils import timezone

from studies.design.models import Study
from studies.jobs import operations as jobs
from studies.reports.models import AnalysisRun, Look
from tests.console.test_studies import many_sessions, url
from tests.reports import rows

LOGIN = 2  # the login's session and its user, on every page
EXPECTED = {
    # the study; 9 of the live part; planned trials; stances per trial and per question; its newest result; versions;
    # preregistration
    "study": 16,  # two more where an operation made the study: its conditions and assistants are looked at
    # the study; sessions' sum, their plans, trials' sum; slots; manifest's size; baselines; pauses; failed replies;
    "live": 10,  # some sessions
    # the study; both sums, with the plans; is it sealed; the newest result and run; all looks; exclusions since
    "results": 9,
    "progress": 2,  # the study; the newest run
    "launch": 2,  # the study; its slots
    "close": 2,  # the study; who is active
    "people": 3,  # the study; how many sessions; a page of them
    "pause": 3,  # the study; its pause; who is active
}


@contextmanager
def all_queries(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every statement that Django sends, on whichever thread."""
    sent: list[str] = []
    execute = CursorWrapper.execute

    def noted(self, sql, params=None):
        sent.append(sql)
        return execute(self, sql, params)

    with monkeypatch.context() as patch:
        patch.setattr(CursorWrapper, "execute", noted)
        yield sent


def looked_at(study: Study) -> None:
    """A study whose outcomes are open and computed, with one more analysis under way: all parts of every page show."""
    now = timezone.now()
    Look.objects.create(study=study, at=now, how="results page", reason="pilot")
    AnalysisRun.objects.create(study=study, created_at=now, finished_at=now, fragment="<p>figures</p>", report="x")
    job = jobs.enqueue(task="studies.tasks.analyse", arguments={}, now=now)
    AnalysisRun.objects.create(study=study, created_at=now, job=job)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_number_of_queries_does_not_hang_on_the_number_of_sessions(staff, study, monkeypatch, name):
    looked_at(study)
    rows.join(study, 1, kind="bot")
    counts = []
    for more in (0, 300):
        if more:
            many_sessions(study, more)
        staff.get(url(name, study))
        with all_queries(monkeypatch) as sent:
            assert staff.get(url(name, study)).status_code == 200
        counts.append(len(sent))
    assert counts == [EXPECTED[name] + LOGIN] * 2, "\n".join(sent)


def test_the_list_needs_as_many_queries_for_thirty_studies(staff, study, monkeypatch):
    for number in range(30):
        Study.objects.create(
            name=f"s{number}", title="Another", join_code=str(number), spec={}, spec_text="", spec_hash="", seed=1,
            created_at=rows.START,
        )  # fmt: skip
    staff.get(reverse("console:studies"))
    with all_queries(monkeypatch) as sent:
        assert len(staff.get(reverse("console:studies")).context["cards"]) == 31
    assert len(sent) == 4 + LOGIN, "\n".join(sent)  # slots, sessions by state, who has bots, studies


@pytest.mark.parametrize("name", ["study", "live", "results", "people"])
@pytest.mark.parametrize("query", ["", "?sort=seen"])
def test_a_page_of_three_hundred_sessions_takes_less_than_a_tenth_of_a_second(staff, study, name, query):
    many_sessions(study, 300)
    address = url(name, study) + query
    staff.get(address)
    times = []
    for _ in range(5):
        before = time.process_time()  # of all threads; how long a busy machine makes us wait says nothing of the page
        staff.get(address)
        times.append(time.process_time() - before)
    assert min(times) < 0.1, times
