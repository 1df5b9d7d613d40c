"""Question banks, the passages that questions are about, and the questions with their keys."""

from django.db import models


class QuestionBank(models.Model):
    """A set of questions of one task, imported from files."""

    class Task(models.TextChoices):
        MMLU = "mmlu", "MMLU"
        QUALITY = "quality", "QuALITY"

    name = models.SlugField(max_length=80, unique=True)
    task = models.CharField(max_length=20, choices=Task)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Passage(models.Model):
    """A text that questions are about. `text` keeps the file's own line breaks."""

    bank = models.ForeignKey(QuestionBank, on_delete=models.PROTECT, related_name="passages")
    source_id = models.CharField(max_length=120)
    title = models.CharField(max_length=500, blank=True)
    author = models.CharField(max_length=500, blank=True)
    text = models.TextField()
    content_hash = models.CharField(max_length=64)
    extra = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["bank", "source_id"], name="passage_once_per_bank")]

    def __str__(self) -> str:
        return self.title or self.source_id


class Question(models.Model):
    """A multiple-choice question. `options` is the list of option texts, `key` the 0-based index of the correct one."""

    bank = models.ForeignKey(QuestionBank, on_delete=models.PROTECT, related_name="questions")
    split = models.CharField(max_length=20)
    subject = models.CharField(max_length=120, blank=True)
    content_hash = models.CharField(max_length=64, db_index=True)
    occurrence = models.PositiveIntegerField(default=0)
    source_id = models.CharField(max_length=200, blank=True)
    passage = models.ForeignKey(Passage, on_delete=models.PROTECT, null=True, blank=True, related_name="questions")
    text = models.TextField()
    options = models.JSONField()
    key = models.PositiveSmallIntegerField()
    extra = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["bank", "split", "subject", "content_hash", "occurrence"], name="question_identity"
            )
        ]

    def __str__(self) -> str:
        return f"{self.bank_id}:{self.split}:{self.pk}"
