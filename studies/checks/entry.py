"""Who could come in: hosts, debug pages, the secret, cookies, and other accounts of this machine."""

import stat
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks

from studies.checks.found import Found, error, is_sqlite, warning

SHORTEST_KEY = 50  # characters; what is made at the first start has 86
DISTINCT = 10  # characters in it


@checks.register(checks.Tags.security, deploy=True)
def hosts_are_listed(app_configs: Any, **kwargs: Any) -> Found:
    """A socket is accepted from ALLOWED_HOSTS only; a star lets any page in, an empty list nobody."""
    hint = "Set ALLOWED_HOSTS to the names people use, for example ALLOWED_HOSTS=study.example.org"
    if any(host in ("*", ".") for host in settings.ALLOWED_HOSTS):
        return [error(1, "ALLOWED_HOSTS='*' lets any web page open a participant's socket.", hint)]
    if not settings.ALLOWED_HOSTS:
        return [error(2, "ALLOWED_HOSTS is empty: nobody can reach the server.", hint)]
    return []


@checks.register(checks.Tags.security, deploy=True)
def debug_is_off(app_configs: Any, **kwargs: Any) -> Found:
    if not settings.DEBUG:
        return []
    return [error(3, "DEBUG=yes shows settings and rows to whoever meets an error.", "Set DEBUG=no or leave it out.")]


@checks.register(checks.Tags.security, deploy=True)
def the_secret_is_one(app_configs: Any, **kwargs: Any) -> Found:
    """Who knows or guesses SECRET_KEY can make a cookie for every session."""
    key, file = str(settings.SECRET_KEY), Path(settings.DATA_DIR) / "secret_key"
    hint = f"Set SECRET_KEY to {SHORTEST_KEY} random characters or more: python -c 'import secrets; "
    hint += "print(secrets.token_urlsafe(64))'"
    found: Found = []
    if len(key) < SHORTEST_KEY or len(set(key)) < DISTINCT or key.startswith("django-insecure"):
        found.append(error(4, f"SECRET_KEY has {len(key)} characters, or is one that can be guessed.", hint))
    if file.is_file():
        is_kept = file.read_text(encoding="utf-8", errors="replace") == key
        if is_kept and not is_sqlite():
            what = f"SECRET_KEY is the one that was made for a single machine ({file}); others would not know it."
            found.append(error(5, what, hint))
        if is_kept and file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            found.append(error(6, f"{file} holds SECRET_KEY and others may read it.", f"Run: chmod 600 {file}"))
    return found


@checks.register(checks.Tags.security, deploy=True)
def tls_is_whole(app_configs: Any, **kwargs: Any) -> Found:
    """Behind TLS: forms only from listed https pages, cookies only over https."""
    if not settings.BEHIND_TLS:
        return []
    hint = "Set CSRF_TRUSTED_ORIGINS to the addresses people see, for example https://study.example.org"
    found: Found = []
    if not settings.CSRF_TRUSTED_ORIGINS:
        found.append(error(7, "BEHIND_TLS=yes without CSRF_TRUSTED_ORIGINS.", hint))
    for origin in settings.CSRF_TRUSTED_ORIGINS:
        parts = urlsplit(origin)
        if parts.scheme != "https" or not parts.hostname or parts.netloc == "*":
            what = f"CSRF_TRUSTED_ORIGINS={origin!r} is no https address with a name."
            found.append(error(8, what, hint))
    for name in ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE"):
        if not getattr(settings, name):
            what = f"{name} is off although BEHIND_TLS=yes: the cookie would also go over http."
            found.append(error(9, what, f"Do not set {name} by hand; BEHIND_TLS=yes switches it on."))
    return found


@checks.register(checks.Tags.security, deploy=True)
def data_are_private(app_configs: Any, **kwargs: Any) -> Found:
    """Other accounts of this machine should read neither the folder nor the database file."""
    folder = Path(settings.DATA_DIR)
    found: Found = []
    if folder.is_dir() and folder.stat().st_mode & stat.S_IRWXO:
        found.append(warning(2, f"Every account of this machine may enter {folder}.", f"Run: chmod o-rwx {folder}"))
    file = Path(settings.DATABASES["default"]["NAME"]) if is_sqlite() else None
    is_reached = file is not None and file.is_file() and file.parent.stat().st_mode & stat.S_IXOTH
    if file is not None and is_reached and file.stat().st_mode & stat.S_IROTH:
        found.append(warning(3, f"Every account of this machine may read {file}.", f"Run: chmod o-rwx {file}"))
    return found
