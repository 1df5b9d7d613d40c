"""`manage.py play_demo`: the simulated participants, the model alone and the analysis of the demo; `demo` starts it."""

import time
from typing import Any

import httpx
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from studies.design import access as design
from studies.design import operations
from studies.design.models import Study
from studies.management import demo_studies

SEED = 20221104
PATIENCE_SECONDS = 120  # until the engine has loaded its model


class Command(BaseCommand):
    help = "Play the demo study on a running server: bots, the model alone, closing, the analysis."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--url", required=True, help="the running server")
        parser.add_argument("--people", type=int, default=24, help="how many simulated participants (default 24)")

    def handle(self, *args: Any, url: str, people: int, **options: Any) -> None:
        try:
            self.play(url, people)
        except KeyboardInterrupt:
            self.stdout.write("interrupted; the next `make demo` goes on from here")

    def play(self, url: str, people: int) -> None:
        study = design.study_by_name(demo_studies.FINISHED)
        missing = people - study.sessions.filter(state="completed").count()
        if study.state == Study.State.OPEN and missing > 0:
            call_command("simulate_participants", study.name, people=missing, seed=SEED, url=url, among_people=True)
        if not study.baseline_runs.exclude(finished_at=None).exists():
            call_command("run_baseline", study.name, assistant="helper")
        self.ask_model()
        if study.state == Study.State.OPEN:
            operations.close_study(study_id=study.pk, now=timezone.now())
        call_command("analyse_study", study.name)
        self.stdout.write(f"The demo study is finished: {url}/console/studies/{study.name}/results/")

    def ask_model(self) -> None:
        """The demo model alone, once its engine answers."""
        if design.study_by_name(demo_studies.MODEL).baseline_runs.exclude(finished_at=None).exists():
            return
        address = f"http://127.0.0.1:{demo_studies.engine_port()}/health"
        limit = time.monotonic() + PATIENCE_SECONDS
        while not answers(address):
            if time.monotonic() > limit:
                self.stdout.write(f"The demo model does not answer at {address}; it is not asked alone.")
                return
            time.sleep(0.5)
        call_command("run_baseline", demo_studies.MODEL, assistant="model")


def answers(address: str) -> bool:
    try:
        return httpx.get(address, trust_env=False, timeout=5).is_success
    except httpx.TransportError:
        return False
