"""`manage.py launch_study NAME`: open a draft for participants."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from studies.design.access import NotFound, study_by_name
from studies.design.operations import launch_study
from studies.design.problems import DesignError
from studies.management.probing import look_and_tell
from studies.management.study_argument import add_study


class Command(BaseCommand):
    help = "Open a study for participants; from then on it is frozen."

    def add_arguments(self, parser: CommandParser) -> None:
        add_study(parser)

    def handle(self, *args: Any, study: str, study_version: int | None, **options: Any) -> None:
        try:
            found = study_by_name(study, study_version)
            launched = launch_study(study_id=found.pk, now=timezone.now())
        except (NotFound, DesignError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{launched} is open. People join at /join/{launched.join_code}/")
        for line in look_and_tell(launched):
            self.stdout.write(line)
