"""System checks that refuse to start a deployment which would lose data or let people in."""

from typing import Any

from django.conf import settings
from django.core import checks


@checks.register(checks.Tags.security, deploy=True)
def origins_are_listed(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """A socket is accepted from ALLOWED_HOSTS only; a star lets any page in."""
    if "*" not in settings.ALLOWED_HOSTS:
        return []
    return [
        checks.Error(
            "ALLOWED_HOSTS='*' lets any web page open a participant's socket.",
            hint="Set ALLOWED_HOSTS to the names people use, for example ALLOWED_HOSTS=study.example.org",
            id="studies.E001",
        )
    ]
