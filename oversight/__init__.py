"""The project: its Celery application is loaded with it, so that tasks find it."""

from oversight.celery import app as celery_app

__all__ = ["celery_app"]
