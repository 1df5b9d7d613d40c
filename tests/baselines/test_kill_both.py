"""kill -9 of worker and engine at random moments of a run: its answers are those of a run that nobody disturbed."""

import json
import random
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from studies.baselines.models import BaselineAnswer, BaselineRun
from studies.jobs.models import Job
from tests.assistant import tiny_model
from tests.baselines.engines import EngineProcess
from tests.baselines.test_kill import environment
from tests.reports import rows

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(400)]
QUESTIONS = 60
KILLS = ["worker", "engine", "worker", "engine"]


class Gate(BaseHTTPRequestHandler):
    """Stands before the engine at an address that stays, lets one scoring through at a time, and notes what is asked.

    Where the engine is dead the connection ends without an answer, as it would without the gate.
    """

    engine: EngineProcess
    asked: list[str]
    turn = threading.Lock()

    def do_GET(self) -> None:
        self.pass_on(None)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append(json.loads(body)["messages"][0]["content"])
        with self.turn:
            time.sleep(0.05)
        self.pass_on(body)

    def pass_on(self, body: bytes | None) -> None:
        address = self.engine.url.removesuffix("/v1") + self.path
        request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                content = answer.read()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:  # either side was killed
            self.close_connection = True

    def log_message(self, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 128


@pytest.fixture
def gate(tmp_path) -> Iterator[str]:
    folder = tiny_model.build(tmp_path / "tiny")
    Gate.asked, Gate.engine, Gate.folder = [], EngineProcess(folder), folder
    with Server(("127.0.0.1", 0), Gate) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()
    Gate.engine.stop()


class Worker:
    """The command in a process of its own, started again whenever it ends before the run does."""

    def __init__(self, *arguments: str) -> None:
        self.start(*arguments)

    def start(self, *arguments: str) -> None:
        manage = Path(settings.BASE_DIR) / "manage.py"
        command = [sys.executable, str(manage), "run_baseline", "planets", "--assistant", "tiny", *arguments]
        self.process = subprocess.Popen(
            command, env=environment(), cwd=settings.BASE_DIR, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        Job.objects.filter(state="running").update(heartbeat_at=timezone.now() - timedelta(minutes=1))
        self.start()

    def finish(self, runs: int) -> BaselineRun:
        wait_for(lambda: BaselineRun.objects.filter(finished_at__isnull=False).count() == runs, self)
        self.process.wait(timeout=60)
        return BaselineRun.objects.latest("pk")


def wait_for(is_reached, worker: Worker) -> None:
    until = time.monotonic() + 120
    while not is_reached():
        assert time.monotonic() < until, list(Job.objects.values_list("state", "done", "error"))
        if worker.process.poll() is not None:
            worker.start()
        time.sleep(0.02)


def given(run: BaselineRun) -> dict[str, tuple[int, list[float]]]:
    found = run.answers.values_list("question__text", "option", "probabilities")
    return {text: (option, shares) for text, option, shares in found}


def test_killing_worker_and_engine_changes_nothing_in_the_result(gate):
    study = rows.make_study(slots=1, questions=rows.make_questions(count=QUESTIONS, stories=0))
    study.assistants.create(name="tiny", backend="engine", options={"base_url": gate})
    undisturbed = given(Worker().finish(1))
    assert len(undisturbed) == len(Gate.asked) == QUESTIONS

    chance = random.Random(11)
    stored: list[tuple[int, dict[str, int]]] = []
    worker = Worker("--again")
    wait_for(lambda: BaselineRun.objects.count() == 2, worker)
    run = BaselineRun.objects.latest("pk")
    answers = BaselineAnswer.objects.filter(run=run)
    for victim in chance.sample(KILLS, len(KILLS)):
        goal = answers.count() + chance.randint(1, 10)
        wait_for(lambda goal=goal: answers.count() >= goal, worker)
        if victim == "engine":
            Gate.engine.kill()
        else:
            worker.kill()
        kept = dict(answers.values_list("question__text", "pk"))
        stored.append((len(Gate.asked), kept))
        assert len(kept) < QUESTIONS
        if victim == "engine":
            Gate.engine = EngineProcess(Gate.folder)
    assert worker.finish(2) == run

    disturbed = given(run)
    assert disturbed.keys() == undisturbed.keys()
    for text, (option, shares) in undisturbed.items():
        assert disturbed[text][0] == option
        assert disturbed[text][1] == pytest.approx(shares, abs=1e-5)
    in_the_end = dict(answers.values_list("question__text", "pk"))
    for asked_before, kept in stored:
        assert kept.items() <= in_the_end.items()
        again = Gate.asked[asked_before:]
        assert [text for text in kept if any(f"{text}\n" in prompt for prompt in again)] == []
