"""What a check says: an error or a warning with its number, what is wrong, and what to set."""

from django.conf import settings
from django.core import checks

Found = list[checks.CheckMessage]


def error(number: int, what: str, hint: str) -> checks.CheckMessage:
    return checks.Error(what, hint=hint, id=f"studies.E{number:03}")


def warning(number: int, what: str, hint: str) -> checks.CheckMessage:
    return checks.Warning(what, hint=hint, id=f"studies.W{number:03}")


def is_sqlite() -> bool:
    return str(settings.DATABASES["default"]["ENGINE"]).endswith("sqlite3")
