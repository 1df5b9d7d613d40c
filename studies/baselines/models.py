"""Baseline runs: the model alone on a study's questions or on their whole banks, by one protocol."""

from django.db import models

from studies.design.models import Assistant, Study
from studies.jobs.models import Job
from studies.questions.models import Question

# Keys of a run's details.
OTHER_MODEL = "other_model"  # of an imported run: whose answers these are, when no assistant's of the study
SCORER = "scorer"  # the name of the assistant that rated the samples


class BaselineRun(models.Model):
    """One protocol of one assistant over the questions of its scope; resumable, idempotent per (run, question, sample).

    `details`: samples per question, how many questions, the prompts' hashes, the scorer and its model. The tokens are
    those that the endpoint counted for the answers that are kept; NULL while it counted none.
    """

    class Scope(models.TextChoices):
        STUDY = "study", "the study's questions"
        BANK = "bank", "all questions of its banks"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="baseline_runs")
    assistant = models.ForeignKey(Assistant, on_delete=models.PROTECT, related_name="baseline_runs")
    protocol = models.CharField(max_length=40)
    scope = models.CharField(max_length=5, choices=Scope, default=Scope.STUDY)
    job = models.ForeignKey(Job, on_delete=models.PROTECT, null=True, blank=True)
    prompt_version = models.TextField(blank=True)  # names of all texts, however many a protocol has
    prompt_hash = models.CharField(max_length=64, blank=True)
    model = models.CharField(max_length=200, blank=True)
    revision = models.CharField(max_length=100, blank=True)
    dtype = models.CharField(max_length=40, blank=True)
    details = models.JSONField(default=dict)
    prompt_tokens = models.PositiveBigIntegerField(null=True, blank=True)
    completion_tokens = models.PositiveBigIntegerField(null=True, blank=True)
    retries = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    @property
    def title(self) -> str:
        """What people call the run: its protocol, who rates it, and that it asks more than the study's questions."""
        scorer = self.details.get(SCORER)
        rated = f"{self.protocol}, rated by {scorer}" if scorer else self.protocol
        return f"{rated} (whole bank)" if self.scope == self.Scope.BANK else rated


class BaselineAnswer(models.Model):
    """The model's answer to one question: the option (NULL when none could be told) and P(option) for each."""

    run = models.ForeignKey(BaselineRun, on_delete=models.PROTECT, related_name="answers")
    question = models.ForeignKey(Question, on_delete=models.PROTECT)
    sample = models.PositiveIntegerField(default=0)
    option = models.PositiveSmallIntegerField(null=True, blank=True)
    probabilities = models.JSONField(null=True, blank=True)
    raw = models.JSONField(default=dict)
    answered_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "question", "sample"], name="baseline_answer_once")]
