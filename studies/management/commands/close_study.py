"""`manage.py close_study NAME`: end taking participants."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from studies.design.access import NotFound, study_by_name
from studies.design.operations import close_study
from studies.design.problems import DesignError
from studies.management.study_argument import add_study


class Command(BaseCommand):
    help = "End taking participants; who is in the middle may finish."

    def add_arguments(self, parser: CommandParser) -> None:
        add_study(parser)

    def handle(self, *args: Any, study: str, study_version: int | None, **options: Any) -> None:
        try:
            found = study_by_name(study, study_version)
            closed = close_study(study_id=found.pk, now=timezone.now())
        except (NotFound, DesignError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{closed} is closed.")
