"""The database itself keeps the event log: no row is deleted or replaced, and the only update is erasure.

Erasure takes `data` and `salt` from a row that has both and leaves every other column as it was. The triggers are
installed after every `migrate` (studies/apps.py), because SQLite loses them when a migration makes the table anew.
"""

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

TABLE = "studies_event"
ERASED = ("data", "salt")
REFUSAL = "the event log is append-only: rows are added, and erasure alone may empty data and salt"
POSTGRESQL = {
    "studies_event_rows": "BEFORE UPDATE OR DELETE ON studies_event FOR EACH ROW",
    "studies_event_truncate": "BEFORE TRUNCATE ON studies_event FOR EACH STATEMENT",
}
FUNCTION = f"""
CREATE OR REPLACE FUNCTION studies_event_guard() RETURNS trigger LANGUAGE plpgsql AS $guard$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.data IS NOT NULL AND OLD.salt IS NOT NULL AND NEW.data IS NULL AND NEW.salt IS NULL
           AND to_jsonb(NEW) - ARRAY['data', 'salt'] = to_jsonb(OLD) - ARRAY['data', 'salt'] THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation';
END $guard$
"""


def install(connection: BaseDatabaseWrapper) -> None:
    """Put the triggers in place as they should be; does nothing while there is no table. Safe to repeat."""
    with transaction.atomic(using=connection.alias):
        remove(connection)
        if TABLE not in connection.introspection.table_names():
            return
        with connection.cursor() as cursor:
            for statement in _statements(connection):
                cursor.execute(statement)


def remove(connection: BaseDatabaseWrapper) -> None:
    """Take the triggers away: for tests that empty every table, and for nothing else."""
    where = f" ON {TABLE}" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        for name in sorted(_names(connection)):
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{where}")


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """The triggers that should be there and are not, or are switched off; none while there is no table."""
    if TABLE not in connection.introspection.table_names():
        return []
    return sorted(_names(connection) - _installed(connection))


def _names(connection: BaseDatabaseWrapper) -> set[str]:
    return set(POSTGRESQL) if connection.vendor == "postgresql" else set(_sqlite_triggers(()))


def _installed(connection: BaseDatabaseWrapper) -> set[str]:
    query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    if connection.vendor == "postgresql":
        query = f"SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass('{TABLE}') AND tgenabled <> 'D'"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(query)
        return {name for (name,) in cursor.fetchall()} & _names(connection)


def _statements(connection: BaseDatabaseWrapper) -> list[str]:
    if connection.vendor == "postgresql":
        triggers = [
            f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION studies_event_guard()" for name, when in POSTGRESQL.items()
        ]
        return [FUNCTION, *triggers]
    if connection.vendor != "sqlite":
        raise NotImplementedError(f"the event log cannot be guarded on {connection.vendor}: use SQLite or PostgreSQL")
    with connection.cursor() as cursor:
        columns = [column.name for column in connection.introspection.get_table_description(cursor, TABLE)]
    return [
        f"CREATE TRIGGER {name} {when} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        for name, when in _sqlite_triggers(columns).items()
    ]


def _sqlite_triggers(columns: tuple[str, ...] | list[str]) -> dict[str, str]:
    """When each refuses. INSERT OR REPLACE deletes without asking the delete trigger, so inserting is watched too."""
    erased = [f"OLD.{name} IS NOT NULL AND NEW.{name} IS NULL" for name in ERASED]
    same = [f'NEW."{name}" IS OLD."{name}"' for name in columns if name not in ERASED]
    own = "session_id = NEW.session_id"
    taken = f"id = NEW.id OR ({own} AND seq = NEW.seq) OR ({own} AND command_id = NEW.command_id)"
    return {
        "studies_event_delete": f"BEFORE DELETE ON {TABLE}",
        "studies_event_update": f"BEFORE UPDATE ON {TABLE} WHEN NOT ({' AND '.join([*erased, *same])})",
        "studies_event_insert": f"BEFORE INSERT ON {TABLE} WHEN EXISTS (SELECT 1 FROM {TABLE} WHERE {taken})",  # noqa: S608
    }
