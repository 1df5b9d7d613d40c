"""The one Django app."""

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate


class StudiesConfig(AppConfig):
    name = "studies"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from studies import checks  # noqa: F401  registers the system checks
        from studies.reports import taken_away  # noqa: F401  hears of erasures

        post_migrate.connect(guard_the_log, sender=self)


def guard_the_log(*, using: str, **kwargs: Any) -> None:
    from studies.runtime import log_guard  # models are not ready when this module is loaded

    log_guard.install(connections[using])
