"""The Celery application: a worker thread in the server process by default, worker processes in the scaled profile."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oversight.settings")

app = Celery("oversight")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["studies"])


@worker_init.connect
def refuse_dangerous_settings(**_: Any) -> None:
    """As the web process does. SystemExit, because Celery only logs what else a handler raises."""
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    from studies.checks.start import require_sound

    try:
        require_sound(behind_tls=settings.BEHIND_TLS)
    except ImproperlyConfigured as refusal:
        raise SystemExit(str(refusal)) from None
