"""`manage.py cancel_baseline STUDY`: stop the model-alone runs that are queued or running, and keep their answers."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from studies.baselines import operations
from studies.design import access as design
from studies.management.study_argument import add_study


class Command(BaseCommand):
    help = "Stop asking a study's assistants alone. What was answered is kept: run_baseline goes on where it stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        add_study(parser)
        parser.add_argument("--assistant", default="", help="only runs of this assistant (default: of all)")
        parser.add_argument("--protocol", default="", help="only runs by this protocol (default: by all)")

    def handle(
        self, *args: Any, study: str, study_version: int | None, assistant: str, protocol: str, **options: Any
    ) -> None:
        try:
            found = design.study_by_name(study, study_version)
            cancelled = operations.cancel_runs(
                study=found, assistant_name=assistant, protocol=protocol, now=timezone.now()
            )
        except (design.NotFound, operations.CannotRun) as error:
            raise CommandError(str(error)) from error
        for run in cancelled:
            answers = run.answers.count()
            self.stdout.write(f"{found}: {run.assistant.name} by {run.title} is cancelled; its {answers} answers stay.")
        if not cancelled:
            self.stdout.write(f"{found}: no such run is queued or running; nothing was cancelled.")
