"""`manage.py pause_study NAME --reason WHY`: let time stand still for everybody, or for one person."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from studies.management import pausing
from studies.runtime import pauses


class Command(BaseCommand):
    help = "Hide the task and stop every clock, for a study or one of its sessions; nobody joins a paused study."

    def add_arguments(self, parser: CommandParser) -> None:
        pausing.add_arguments(parser)
        parser.add_argument("--reason", required=True, help="why; kept with the pause, not shown to participants")

    def handle(
        self, *args: Any, study: str, study_version: int | None, session: str | None, reason: str, **options: Any
    ) -> None:
        found, one = pausing.wanted(study, study_version, session)
        try:
            pauses.want_pause(study=found, session=one, reason=reason, now=timezone.now())
        except pauses.CannotPause as refusal:
            raise CommandError(f"Not paused: {refusal}") from refusal
        pausing.settle(found, clock=timezone.now)
        still = found.sessions.filter(state="active", paused_at__isnull=False).count()
        self.stdout.write(f"{f'{session} of ' if one else ''}{found} is paused; time stands still for {still} now.")
