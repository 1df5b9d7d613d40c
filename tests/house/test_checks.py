"""`manage.py check --deploy` refuses what would lose data or let people in, and says what to set."""

import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.checks import CheckMessage, Tags, run_checks
from django.db import connection

from studies.checks import mounts
from tests import services
from tests.check_deploy import SCALED, check

POSTGRES = {"ENGINE": "django.db.backends.postgresql", "NAME": "x"}
MEMORY = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
Use = Callable[[dict[str, Any]], None]


def sqlite(name: Path | str, **options: str) -> dict[str, Any]:
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(name), "OPTIONS": options}


def redis(**config: Any) -> dict[str, Any]:
    return {"default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": config}}


@pytest.fixture
def database(settings, monkeypatch: pytest.MonkeyPatch) -> Use:
    return lambda described: monkeypatch.setitem(settings.DATABASES, "default", described)


@pytest.fixture
def sound(settings, tmp_path: Path, database: Use) -> Path:
    """A deployment on one machine that is as it should be, and its folder; each test breaks one thing."""
    tmp_path.chmod(0o700)
    settings.DATA_DIR = tmp_path
    settings.ALLOWED_HOSTS = ["study.example.org"]
    settings.BEHIND_TLS = settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.CSRF_TRUSTED_ORIGINS = ["https://study.example.org"]
    settings.SECRET_KEY = secrets.token_urlsafe(64)
    settings.CHANNEL_LAYERS, settings.CELERY_BROKER_URL = MEMORY, "memory://localhost/"
    database(sqlite(tmp_path / "x.sqlite3", transaction_mode="IMMEDIATE"))
    return tmp_path


def found() -> dict[str, CheckMessage]:
    """Our own findings by number."""
    said = run_checks(include_deployment_checks=True)
    return {each.id: each for each in said if each.id and each.id.startswith("studies.")}


def test_a_sound_deployment_is_accepted(sound) -> None:
    assert found() == {}


@pytest.mark.parametrize(
    ("name", "value", "number", "hint"),
    [
        ("ALLOWED_HOSTS", ["study.example.org", "*"], "E001", "Set ALLOWED_HOSTS"),
        ("ALLOWED_HOSTS", [], "E002", "Set ALLOWED_HOSTS"),
        ("DEBUG", True, "E003", "Set DEBUG=no"),
        ("SECRET_KEY", "a-little-key", "E004", "Set SECRET_KEY"),
        ("SECRET_KEY", "ab" * 40, "E004", "Set SECRET_KEY"),
        ("SECRET_KEY", "django-insecure-" + "0123456789abcdef" * 4, "E004", "Set SECRET_KEY"),
        ("CSRF_TRUSTED_ORIGINS", [], "E007", "Set CSRF_TRUSTED_ORIGINS"),
        ("CSRF_TRUSTED_ORIGINS", ["http://study.example.org"], "E008", "Set CSRF_TRUSTED_ORIGINS"),
        ("CSRF_TRUSTED_ORIGINS", ["https://*"], "E008", "Set CSRF_TRUSTED_ORIGINS"),
        ("SESSION_COOKIE_SECURE", False, "E009", "BEHIND_TLS=yes switches it on"),
        ("CSRF_COOKIE_SECURE", False, "E009", "BEHIND_TLS=yes switches it on"),
        ("CHANNEL_LAYERS", redis(hosts=["redis://x"]), "E012", "socket_timeout"),
        ("CHANNEL_LAYERS", redis(hosts=[{"address": "redis://x"}]), "E012", "socket_timeout"),
        ("CHANNEL_LAYERS", redis(hosts=[{"address": "redis://x", "socket_timeout": 5}]), "E012", "socket_timeout"),
        ("CHANNEL_LAYERS", redis(), "E012", "socket_timeout"),
        ("USE_TZ", False, "E013", "USE_TZ = True"),
        ("REPLY_STALE_SECONDS", 1.0, "E014", "The default is 10"),
    ],
)
def test_a_dangerous_setting_is_refused_with_what_to_set(sound, settings, name, value, number, hint) -> None:
    setattr(settings, name, value)
    refusals = found()
    assert list(refusals) == [f"studies.{number}"]
    assert hint in (refusals[f"studies.{number}"].hint or "")
    assert refusals[f"studies.{number}"].is_serious()


def test_without_tls_no_origin_is_asked_for(sound, settings) -> None:
    settings.BEHIND_TLS = settings.SESSION_COOKIE_SECURE = False
    settings.CSRF_TRUSTED_ORIGINS = []
    assert found() == {}


@pytest.mark.parametrize("options", [{}, {"transaction_mode": "DEFERRED"}])
def test_sqlite_must_lock_when_a_transaction_begins(sound: Path, database: Use, options) -> None:
    database(sqlite(sound / "x.sqlite3", **options))
    assert list(found()) == ["studies.E016"]


def test_postgres_needs_a_layer_and_a_broker_between_processes(sound, settings, database: Use) -> None:
    database(POSTGRES)
    refusals = found()
    assert set(refusals) == {"studies.E010", "studies.E011"}
    assert all("Set REDIS_URL" in (refusal.hint or "") for refusal in refusals.values())
    settings.CHANNEL_LAYERS = redis(hosts=[{"address": "redis://x", "socket_timeout": None}])
    settings.CELERY_BROKER_URL = "redis://x"
    assert found() == {}


def test_the_secret_of_a_single_machine_is_not_for_several(sound: Path, settings, database: Use) -> None:
    (sound / "secret_key").write_text(settings.SECRET_KEY)
    (sound / "secret_key").chmod(0o600)
    assert found() == {}
    database(POSTGRES)
    assert "studies.E005" in found()


def test_a_secret_that_others_may_read_is_refused(sound: Path, settings) -> None:
    file = sound / "secret_key"
    file.write_text(settings.SECRET_KEY)
    file.chmod(0o640)
    assert f"chmod 600 {file}" in (found()["studies.E006"].hint or "")


def test_data_that_others_may_read_are_warned_of(sound: Path) -> None:
    (sound / "x.sqlite3").touch()
    (sound / "x.sqlite3").chmod(0o644)
    assert found() == {}  # nobody else gets into the folder
    sound.chmod(0o755)
    warnings = found()
    assert set(warnings) == {"studies.W002", "studies.W003"}
    assert not any(warning.is_serious() for warning in warnings.values())


def test_the_data_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    env = os.environ | {"OVERSIGHT_DATA": str(tmp_path / "new")}
    subprocess.run([sys.executable, "-c", "import oversight.settings"], env=env, check=True, timeout=60)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


MOUNTINFO = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /srv/data rw,relatime shared:2 - nfs4 server:/data rw
31 30 8:2 / /srv/data/fast rw - xfs /dev/sdb1 rw
32 22 0:41 / /mnt/with\\040blank rw - fuse.sshfs other: rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/oversight.sqlite3", "ext4"),
        ("/srv/data/oversight.sqlite3", "nfs4"),
        ("/srv/data/fast/oversight.sqlite3", "xfs"),
        ("/srv/database/oversight.sqlite3", "ext4"),
        ("/mnt/with blank/x", "fuse.sshfs"),
    ],
)
def test_the_innermost_mount_tells_the_file_system(path: str, kind: str) -> None:
    assert mounts.kind_in(MOUNTINFO, Path(path)) == kind


def test_sqlite_on_a_network_file_system_is_refused(sound: Path, database: Use, monkeypatch) -> None:
    (sound / "mountinfo").write_text(MOUNTINFO)
    monkeypatch.setattr(mounts, "MOUNTS", sound / "mountinfo")
    database(sqlite("/srv/data/oversight.sqlite3", transaction_mode="IMMEDIATE"))
    assert "(nfs4)" in found()["studies.E017"].msg
    database(sqlite("/srv/data/fast/oversight.sqlite3", transaction_mode="IMMEDIATE"))
    assert found() == {}


def asked() -> list[str]:
    """What the database itself is refused for."""
    said = run_checks(tags=[Tags.database], include_deployment_checks=True, databases=["default"])
    return [each.id or "" for each in said if (each.id or "").startswith("studies.")]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("wrong", ["synchronous=NORMAL", "synchronous=OFF", "journal_mode=DELETE"])
def test_sqlite_must_sync_every_commit(wrong: str) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("asks SQLite")
    assert asked() == []
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {wrong}")
    try:
        assert asked() == ["studies.E018"]
    finally:
        connection.close()  # the next one is set up anew


def told(url: str, folder: Path) -> str:
    """What `check --deploy --database default` says of the scaled profile on that database."""
    return check(SCALED | {"DATABASE_URL": url}, str(folder), "--database", "default")[1]


@pytest.mark.slow
def test_postgres_must_sync_every_commit(tmp_path: Path) -> None:
    try:
        server = services.postgres_url()
    except services.Missing as why:
        services.skip_or_fail("postgres", why)
    name = f"deploy_check_{os.getpid()}"
    url = f"{server.rsplit('/', 1)[0]}/{name}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        try:
            assert "synchronous_commit=off" not in told(url, tmp_path)
            admin.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
            said = told(url, tmp_path)
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    assert "studies.E019) PostgreSQL runs with synchronous_commit=off" in said
    assert "Set synchronous_commit = on in postgresql.conf" in said


@pytest.mark.slow
def test_a_database_that_does_not_answer_is_told(tmp_path: Path) -> None:
    said = told("postgres://nobody@127.0.0.1:9/nothing", tmp_path)
    assert "studies.E020) The database 'default' does not answer" in said
