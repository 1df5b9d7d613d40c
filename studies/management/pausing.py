"""Pausing from a command: the row says what is wanted, and a running server stops the sessions and tells their tabs."""

import time
from datetime import timedelta

from django.core.management.base import CommandError, CommandParser

from studies.design.access import NotFound, study_by_name
from studies.design.models import Study
from studies.jobs.work import Clock
from studies.management.study_argument import add_study
from studies.runtime import pauses
from studies.runtime.models import ParticipantSession

PATIENCE = timedelta(seconds=3)  # a server sweeps every second
POLL_SECONDS = 0.1


def add_arguments(parser: CommandParser) -> None:
    add_study(parser)
    parser.add_argument("--session", metavar="PSEUDONYM", help="only this participant's session, not the whole study")


def wanted(study: str, version: int | None, pseudonym: str | None) -> tuple[Study, ParticipantSession | None]:
    """The study and, if one was named, the session. Raises CommandError."""
    try:
        found = study_by_name(study, version)
    except NotFound as error:
        raise CommandError(str(error)) from error
    if pseudonym is None:
        return found, None
    session = found.sessions.select_related("study").filter(participant__pseudonym=pseudonym).first()
    if session is None:
        raise CommandError(f"{found} has no session of {pseudonym!r}; the study's page in the console lists them.")
    return found, session


def settle(study: Study, *, clock: Clock) -> int:
    """Return when every session stands as its pauses say; how many had to be brought along here, without a server."""
    limit = clock() + PATIENCE
    while pauses.behind(study).exists() and clock() < limit:
        time.sleep(POLL_SECONDS)
    followed = 0
    while more := pauses.follow_all(now=clock(), study=study):
        followed += more
    return followed
