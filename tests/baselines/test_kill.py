"""kill -9 in the middle of a run: what was answered stays, and is not asked again."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from studies.baselines.models import BaselineAnswer, BaselineRun
from studies.jobs.models import Job
from tests.reports import rows

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


class Endpoint(BaseHTTPRequestHandler):
    """An engine's two addresses, slow enough to be killed in between; it keeps what it answered."""

    answered: list[str]
    seconds = 0.1
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send({"object": "list", "data": [{"id": "stub", "object": "model", "can_score": True, "revision": "r"}]})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        time.sleep(self.seconds)
        self.send({"logprobs": [-1.0, -2.0, -3.0, -4.0], "tokens": [1, 1, 1, 1]})
        self.answered.append(body["messages"][0]["content"])

    def send(self, value: object) -> None:
        content = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def endpoint():
    Endpoint.answered = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()
    thread.join()


def environment() -> dict[str, str]:
    """For a process that uses the test's own database."""
    about = connection.settings_dict
    if connection.vendor == "sqlite":
        return os.environ | {"DATABASE_URL": f"sqlite:///{about['NAME']}"}
    address = f"postgres://{about['USER']}:{about['PASSWORD']}@{about['HOST']}:{about['PORT']}/{about['NAME']}"
    return os.environ | {"DATABASE_URL": address}


def wait_for_answers(count: int) -> None:
    until = time.monotonic() + 30
    while BaselineAnswer.objects.count() < count:
        assert time.monotonic() < until, f"{BaselineAnswer.objects.count()} answers after 30 s"
        time.sleep(0.02)


def test_a_run_that_was_killed_goes_on_without_asking_twice(endpoint):
    study = rows.make_study(slots=1, questions=rows.make_questions(count=30, stories=0))
    study.assistants.create(name="stub", backend="engine", options={"base_url": endpoint})
    manage = Path(settings.BASE_DIR) / "manage.py"
    command = [sys.executable, str(manage), "run_baseline", study.name, "--assistant", "stub"]
    process = subprocess.Popen(command, env=environment(), cwd=settings.BASE_DIR)
    try:
        wait_for_answers(5)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    job = Job.objects.get()
    kept = set(BaselineAnswer.objects.values_list("question__text", flat=True))
    assert 5 <= len(kept) < 30
    assert (job.state, job.done) == ("running", len(kept))
    silent_since = timezone.now() - timedelta(minutes=1)
    Job.objects.update(heartbeat_at=silent_since)  # a minute passes
    before = len(Endpoint.answered)
    call_command("run_baseline", study.name, "--assistant", "stub", stdout=StringIO())
    assert BaselineRun.objects.get().finished_at is not None
    assert Job.objects.get().attempts == 2
    asked_again = Endpoint.answered[before:]
    assert len(asked_again) == len(set(asked_again)) == 30 - len(kept)
    assert not any(text in prompt for text in kept for prompt in asked_again)
