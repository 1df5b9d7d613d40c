"""Read a setting from the environment, or say loudly which variable is wrong and what is allowed."""

import secrets
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()


def text(name: str, default: str) -> str:
    return str(env.str(name, default=default)).strip()


def names(name: str, default: list[str]) -> list[str]:
    """A comma-separated list, blanks dropped."""
    return [part.strip() for part in env.list(name, default=default) if part.strip()]


def number(name: str, default: float, *, low: float, high: float, unit: str) -> float:
    raw = text(name, str(default))
    try:
        value = float(raw)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise ImproperlyConfigured(f"{name}={raw!r}: use {unit}, {low:g} to {high:g}.")
    return value


def yes_or_no(name: str, default: bool) -> bool:
    raw = text(name, "yes" if default else "no").lower()
    allowed = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
    if raw not in allowed:
        raise ImproperlyConfigured(f"{name}={raw!r}: use yes or no.")
    return allowed[raw]


def url(name: str, default: str, *, schemes: tuple[str, ...]) -> str:
    raw = text(name, default)
    if raw and raw.split("://")[0] not in schemes:
        raise ImproperlyConfigured(f"{name}={raw!r}: use a URL that starts with one of {', '.join(schemes)} and ://.")
    return raw


def secret(name: str, keep_at: Path) -> str:
    """The secret from the environment, else one that is made at the first start and kept readable by the owner only."""
    given = text(name, "")
    if given:
        return given
    if not keep_at.exists():
        keep_at.parent.mkdir(parents=True, exist_ok=True)
        try:
            with keep_at.open("x", encoding="ascii") as file:
                keep_at.chmod(0o600)
                file.write(secrets.token_urlsafe(64))
        except FileExistsError:
            pass  # another process was first; its key is read below
    return keep_at.read_text(encoding="ascii")
