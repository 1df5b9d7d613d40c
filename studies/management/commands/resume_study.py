"""`manage.py resume_study NAME`: let time run again, with what the pause took given back."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from studies.management import pausing
from studies.runtime import pauses


class Command(BaseCommand):
    help = "End a pause of a study, or of one of its sessions; every open question gets its time back."

    def add_arguments(self, parser: CommandParser) -> None:
        pausing.add_arguments(parser)

    def handle(self, *args: Any, study: str, study_version: int | None, session: str | None, **options: Any) -> None:
        found, one = pausing.wanted(study, study_version, session)
        try:
            pauses.want_resume(study=found, session=one, now=timezone.now())
        except pauses.CannotPause as refusal:
            raise CommandError(f"Not resumed: {refusal}") from refusal
        pausing.settle(found, clock=timezone.now)
        still = found.sessions.filter(state="active", paused_at__isnull=False).count()
        others = f"; time still stands for {still}, who have a pause of their own" if still and not one else ""
        self.stdout.write(f"{f'{session} of ' if one else ''}{found} goes on{others}.")
