"""The database refuses what would bend the event log; erasure is the only update. The same on both databases."""

import pytest
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, transaction

from studies.checks.durability import the_log_is_guarded
from studies.runtime import log_guard, sessions
from studies.runtime.models import Event
from tests.runtime.conftest import Person
from tests.small_study import NOW, make_study

ROW = "(SELECT max(id) FROM studies_event)"
BENDINGS = [
    f"DELETE FROM studies_event WHERE id = {ROW}",
    "DELETE FROM studies_event",
    f"UPDATE studies_event SET seq = seq + 100 WHERE id = {ROW}",
    f"UPDATE studies_event SET id = id + 100 WHERE id = {ROW}",
    f"UPDATE studies_event SET type = 'draft' WHERE id = {ROW}",
    f"UPDATE studies_event SET at = '2026-01-01T00:00:00Z' WHERE id = {ROW}",
    f"UPDATE studies_event SET client_at = '2026-01-01T00:00:00Z' WHERE id = {ROW}",
    f"UPDATE studies_event SET hash = data_hash WHERE id = {ROW}",
    f"UPDATE studies_event SET data_hash = hash WHERE id = {ROW}",
    f"UPDATE studies_event SET data = '{{}}', salt = 'x' WHERE id = {ROW}",
    f"UPDATE studies_event SET data = NULL WHERE id = {ROW}",
    f"UPDATE studies_event SET salt = NULL WHERE id = {ROW}",
    f"UPDATE studies_event SET data = NULL, salt = NULL, type = 'draft' WHERE id = {ROW}",
    "UPDATE studies_event SET data = NULL, salt = NULL, trial_id = (SELECT min(id) FROM studies_trial)",
]


def execute(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def rows() -> list[tuple[object, ...]]:
    return list(Event.objects.order_by("pk").values_list())


@pytest.mark.parametrize("statement", BENDINGS)
def test_raw_sql_cannot_bend_the_log(person: Person, statement: str) -> None:
    before = rows()
    with pytest.raises(IntegrityError, match="append-only"):
        execute(statement)
    assert rows() == before


def test_a_row_cannot_be_replaced_by_inserting_over_it(person: Person) -> None:
    copied = "id, session_id, trial_id, seq, 'draft', at, client_at, command_id, data, data_hash, salt, hash"
    columns = copied.replace("'draft'", "type")
    verb = "INSERT OR REPLACE" if connection.vendor == "sqlite" else "INSERT"
    for numbered in (copied, copied.replace("id, session_id", "id + 1000, session_id", 1)):
        before = rows()
        with pytest.raises(IntegrityError):
            execute(f"{verb} INTO studies_event ({columns}) SELECT {numbered} FROM studies_event WHERE id = {ROW}")
        assert rows() == before


def test_the_orm_cannot_either(person: Person) -> None:
    event = Event.objects.latest("pk")
    with pytest.raises(IntegrityError), transaction.atomic():
        event.delete()
    event.type = "draft"
    with pytest.raises(IntegrityError), transaction.atomic():
        event.save()


def test_erasure_passes_once_and_takes_data_and_salt_alone(person: Person) -> None:
    event = Event.objects.latest("pk")
    Event.objects.filter(pk=event.pk).update(data=None, salt=None)
    erased = Event.objects.get(pk=event.pk)
    assert (erased.data, erased.salt) == (None, None)
    assert (erased.data_hash, erased.hash, erased.type) == (event.data_hash, event.hash, event.type)
    with pytest.raises(IntegrityError), transaction.atomic():
        Event.objects.filter(pk=event.pk).update(data=event.data, salt=event.salt)


def test_new_rows_are_welcome(person: Person) -> None:
    count = Event.objects.count()
    person.open(1)
    assert Event.objects.count() == count + 1


@pytest.mark.django_db(transaction=True)
def test_the_whole_table_cannot_be_emptied() -> None:
    command = "TRUNCATE studies_event CASCADE" if connection.vendor == "postgresql" else "DELETE FROM studies_event"
    sessions.join(study=make_study(), now=NOW)
    with pytest.raises(DatabaseError, match="append-only"):
        execute(command)
    assert Event.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_guard_comes_back_with_every_migrate(capsys: pytest.CaptureFixture[str]) -> None:
    log_guard.remove(connection)
    assert log_guard.missing(connection)
    [warning] = the_log_is_guarded(None, databases=["default"])
    assert "studies_event" in warning.msg
    call_command("migrate", verbosity=0)
    assert log_guard.missing(connection) == []
    assert the_log_is_guarded(None, databases=["default"]) == []
    assert the_log_is_guarded(None) == []  # no database was named: none is asked


@pytest.mark.django_db(transaction=True)
def test_the_guard_survives_a_table_that_is_made_anew() -> None:
    field = Event._meta.get_field("type")
    with connection.schema_editor() as editor:
        wider = field.clone()
        wider.max_length = 40
        wider.set_attributes_from_name("type")
        wider.model = Event
        editor.alter_field(Event, field, wider, strict=True)
    assert bool(log_guard.missing(connection)) == (connection.vendor == "sqlite")
    log_guard.install(connection)
    try:
        assert log_guard.missing(connection) == []
    finally:
        with connection.schema_editor() as editor:
            editor.alter_field(Event, wider, field, strict=True)
        log_guard.install(connection)
