"""`manage.py exclude_participant STUDY PSEUDONYM --reason WHY`: leave a person out of the figures, or `--undo` it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from studies.design.access import NotFound, study_by_name
from studies.management.study_argument import add_study
from studies.reports import exclusions
from studies.runtime.exclusions import REASON_MAX, CannotExclude


class Command(BaseCommand):
    help = "Leave a person out of the figures. What they gave stays; reports show the figures with and without."

    def add_arguments(self, parser: CommandParser) -> None:
        add_study(parser)
        parser.add_argument("pseudonym", help="the person's pseudonym in this study")
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument(
            "--reason",
            metavar="WHY",
            help=f"the rule, in at most {REASON_MAX} characters; one that was preregistered in the same words",
        )
        what.add_argument("--undo", action="store_true", help="take an exclusion back: the person counts again")

    def handle(
        self,
        *args: Any,
        study: str,
        pseudonym: str,
        study_version: int | None = None,
        reason: str | None = None,
        undo: bool = False,
        **options: Any,
    ) -> None:
        try:
            found = study_by_name(study, study_version)
        except NotFound as error:
            raise CommandError(str(error)) from error
        session = found.sessions.select_related("study").filter(participant__pseudonym=pseudonym).first()
        if session is None:
            raise CommandError(f"nobody in {found} has the pseudonym {pseudonym!r}; the console lists everybody's.")
        try:
            if undo:
                now_is = exclusions.take_back(session=session, by=None, now=timezone.now())
            else:
                now_is = exclusions.exclude(session=session, reason=reason or "", by=None, now=timezone.now())
        except CannotExclude as refusal:
            raise CommandError(f"{pseudonym} of {found}: {refusal}") from refusal
        self.stdout.write(f"{pseudonym} of {found} {exclusions.told(session, now_is)}")
