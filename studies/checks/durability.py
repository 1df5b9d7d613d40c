"""Whether what the database acknowledges outlives a crash, and its event log keeps what was written."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks
from django.db import OperationalError, connections

from studies.checks import mounts
from studies.checks.found import Found, error, is_sqlite, warning
from studies.runtime import log_guard

FULL = 2  # SQLite's number for synchronous=FULL; 3 is EXTRA


@checks.register(checks.Tags.compatibility, deploy=True)
def sqlite_is_set_for_durability(app_configs: Any, **kwargs: Any) -> Found:
    """What can be told without opening the file: IMMEDIATE transactions, and a disk of this machine."""
    if not is_sqlite():
        return []
    database = settings.DATABASES["default"]
    found: Found = []
    mode = database.get("OPTIONS", {}).get("transaction_mode")
    if str(mode).upper() not in ("IMMEDIATE", "EXCLUSIVE"):
        what = f"SQLite's transaction_mode is {mode!r}: two writers would meet in `database is locked`."
        found.append(error(16, what, 'In DATABASES write OPTIONS = {"transaction_mode": "IMMEDIATE", …}.'))
    kind = mounts.network_kind(Path(database["NAME"]))
    if kind:
        what = f"{database['NAME']} lies on a network file system ({kind}), whose locks SQLite cannot trust."
        found.append(
            error(17, what, "Set OVERSIGHT_DATA or DATABASE_URL to a disk of this machine, or use PostgreSQL.")
        )
    return found


@checks.register(checks.Tags.database)
def the_log_is_guarded(app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any) -> Found:
    """A warning: `migrate` asks too, and is what puts the triggers back."""
    found: Found = []
    for alias in databases or ():
        try:
            missing = log_guard.missing(connections[alias])
        except OperationalError as failure:
            what = f"The database {alias!r} does not answer: {str(failure).strip().splitlines()[0]}"
            found.append(error(20, what, "Start it, and look at DATABASE_URL."))
            continue
        if missing:
            what = f"The event log of database {alias!r} can be changed: the triggers {', '.join(missing)} are missing."
            found.append(warning(1, what, "Run manage.py migrate, then manage.py verify_log for each study."))
    return found


@checks.register(checks.Tags.database, deploy=True)
def commits_are_durable(app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any) -> Found:
    """Ask the database whether what it acknowledges outlives a power cut."""
    found: Found = []
    for alias in databases or ():
        try:
            found += _durability(alias)
        except OperationalError:
            continue  # told by the check above
    return found


def _durability(alias: str) -> Iterator[checks.CheckMessage]:
    connection = connections[alias]
    with connection.cursor() as cursor:

        def ask(question: str) -> str:
            cursor.execute(question)
            return str(cursor.fetchone()[0])

        if connection.vendor == "sqlite":
            journal, synchronous = ask("PRAGMA journal_mode"), int(ask("PRAGMA synchronous"))
            if journal != "wal" or synchronous < FULL:
                yield error(
                    18,
                    f"SQLite runs with journal_mode={journal}, synchronous={synchronous}: a power cut could take "
                    "acknowledged answers.",
                    'In DATABASES write "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL" in OPTIONS; '
                    "where WAL is not to be had, move OVERSIGHT_DATA to another disk.",
                )
        elif connection.vendor == "postgresql":
            for name in ("fsync", "full_page_writes", "synchronous_commit"):
                if ask(f"SHOW {name}") == "off":
                    yield error(
                        19,
                        f"PostgreSQL runs with {name}=off: a crash could take acknowledged answers.",
                        f"Set {name} = on in postgresql.conf (and for the role and the database of DATABASE_URL).",
                    )
