"""`manage.py simulate_participants STUDY`: bots that play whole sessions on a running server."""

import asyncio
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from tqdm import tqdm

from studies.design import access as design
from studies.design import probes
from studies.design.models import Study
from studies.management.bots import crowd
from studies.management.bots.bot import BotStuck, NoReply
from studies.management.bots.mind import Mind
from studies.management.study_argument import add_study
from studies.reports.registration import registered
from studies.runtime.models import Participant


class Command(BaseCommand):
    help = "Let simulated participants take a study through the real pages and the real socket of a running server."

    def add_arguments(self, parser: CommandParser) -> None:
        add_study(parser)
        parser.add_argument("--people", type=int, default=4, help="how many bots (default 4)")
        parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same answers (default 1)")
        parser.add_argument("--url", default="http://127.0.0.1:8000", help="the running server")
        parser.add_argument("--alone", type=float, default=0.45, help="accuracy without help (default 0.45)")
        parser.add_argument("--gain", type=float, default=0.25, help="planted gain with the assistant (default 0.25)")
        parser.add_argument("--at-once", type=int, default=8, help="how many bots play together (default 8)")
        parser.add_argument(
            "--among-people", action="store_true", help="also in a study that people joined or that is preregistered"
        )

    def handle(
        self,
        *args: Any,
        study: str,
        study_version: int | None,
        people: int,
        seed: int,
        url: str,
        alone: float,
        gain: float,
        at_once: int,
        among_people: bool = False,
        **options: Any,
    ) -> None:
        if not 0 < alone < 1:
            raise CommandError(f"--alone {alone:g}: use a probability between 0 and 1")
        try:
            found = design.study_by_name(study, study_version)
            if not among_people:
                require_nobody(found)
            require_assistants(found)
            accuracy = crowd.assistant_accuracy(found)
            mind = (
                Mind(seed, alone, 0.5)
                if accuracy is None
                else Mind.planted(seed=seed, alone=alone, gain=gain, assistant_accuracy=accuracy)
            )
            bots = crowd.make_crowd(study=found, people=people, mind=mind, url=url.rstrip("/"))
        except (design.NotFound, ValueError) as error:
            raise CommandError(str(error)) from error
        trials = sum(found.slots.get(number=part.slot).plans.count() for part in bots.parts)
        connection.close()
        with tqdm(total=trials, unit="trial", disable=not self.stderr.isatty()) as bar:
            try:
                codes = asyncio.run(bots.play(at_once=max(1, at_once), trial_done=bar.update))
            except NoReply as stuck:
                raise CommandError(f"{stuck} More about the assistant: {check(found)}") from stuck
            except BotStuck as stuck:
                raise CommandError(f"{stuck}. Is the server running at {url}?") from stuck
        self.stdout.write(f"{len(codes)} simulated participants finished {trials} trials of {found}.")


def require_nobody(study: Study) -> None:
    """Bots stay among a study's sessions for good. Raises CommandError for one whose people count."""
    people = study.participants.filter(kind=Participant.Kind.PERSON).count()
    if people:
        why = "1 person has joined it" if people == 1 else f"{people} people have joined it"
    elif registered(study):
        why = "it is preregistered"
    else:
        return
    raise CommandError(
        f"{study}: {why}, and bots would stay among its sessions for good. Let them take a copy: create_study with "
        f"--set study.name={study.name}-pilot --launch. If you mean it: --among-people."
    )


def require_assistants(study: Study) -> None:
    """A bot that gets no reply is stuck and keeps its slot. Raises CommandError."""
    if found := probes.away(study):
        raise CommandError(f"{study}: {'; '.join(found)}\nNo bot was sent. More about it: {check(study)}")


def check(study: Study) -> str:
    return f"manage.py check_assistant {study.name} --study-version {study.version}"
