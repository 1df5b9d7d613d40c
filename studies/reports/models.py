"""Stored analysis runs, and the looks that people took at outcomes before a study was closed."""

from django.conf import settings
from django.db import models

from studies.design.models import Study
from studies.jobs.models import Job


class AnalysisRun(models.Model):
    """One run of `python -m studies.analysis` over a study's tables; the rows keep what it wrote.

    Somebody's erasure takes away what runs before it wrote, but for the figures of no single person.
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="analysis_runs")
    job = models.ForeignKey(Job, on_delete=models.PROTECT, null=True, blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    results = models.JSONField(null=True, blank=True)
    fragment = models.TextField(blank=True)
    report = models.TextField(blank=True)
    error = models.TextField(blank=True)
    taken_away_at = models.DateTimeField(null=True, blank=True)


class Preregistration(models.Model):
    """What was fixed before a study's launch: the file's own text, which every bundle carries. One, and it stays."""

    study = models.OneToOneField(Study, on_delete=models.PROTECT, related_name="preregistration")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True)
    locked_at = models.DateTimeField()
    content = models.TextField()
    sha256 = models.CharField(max_length=64)


class Look(models.Model):
    """Somebody opened the outcomes of a study that was not closed. Printed in the report."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="looks")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True)
    at = models.DateTimeField()
    how = models.CharField(max_length=40)
    reason = models.TextField(blank=True)
