"""`manage.py erase_participant STUDY PSEUDONYM --yes`: for people who write to the experimenter."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from studies.design.access import NotFound, study_by_name
from studies.management.study_argument import add_study
from studies.runtime import erasure
from studies.runtime.models import Event, Message, ParticipantSession, SurveyAnswer, Trial


class Command(BaseCommand):
    help = "Withdraw a person and erase what they gave. The pseudonym stands on the console's list of people."

    def add_arguments(self, parser: CommandParser) -> None:
        add_study(parser)
        parser.add_argument("pseudonym", help="the person's pseudonym in this study")
        parser.add_argument(
            "--yes", action="store_true", help="do it; without it the command says what would be erased"
        )

    def handle(
        self,
        *args: Any,
        study: str,
        pseudonym: str,
        study_version: int | None = None,
        yes: bool = False,
        **options: Any,
    ) -> None:
        try:
            found = study_by_name(study, study_version)
        except NotFound as error:
            raise CommandError(str(error)) from error
        sessions = list(ParticipantSession.objects.filter(study=found, participant__pseudonym=pseudonym))
        if not sessions:
            raise CommandError(f"nobody in {found} has the pseudonym {pseudonym!r}; the console lists everybody's.")
        if not yes:
            what = "; ".join(map(holdings, sessions))
            raise CommandError(f"{pseudonym} gave {what}. Erasing cannot be undone: add --yes to do it.")
        for session in sessions:
            is_new = erasure.erase(session_id=session.pk, now=timezone.now())
            what = "is erased" if is_new else f"was erased before, at {session.erased_at:%Y-%m-%d %H:%M} UTC"
            self.stdout.write(f"{pseudonym} (attempt {session.attempt}) {what}.")
        self.stdout.write(
            "Stored results that counted them are taken away: analyse again. Bundles that were exported before "
            "still hold what was given: delete or replace them."
        )


def holdings(session: ParticipantSession) -> str:
    answers = Trial.objects.filter(session=session, answer__isnull=False).count()
    messages = Message.objects.filter(trial__session=session).exclude(text="").count()
    events = Event.objects.filter(session=session, data__isnull=False).count()
    surveyed = SurveyAnswer.objects.filter(session=session).count()
    given = f"{answers} answers, {messages} messages" + (f", {surveyed} survey answers" if surveyed else "")
    return f"{given} and {events} events with data (the session is {session.state})"
