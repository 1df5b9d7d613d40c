"""A study and its plan: conditions, assistants, the frozen question sample, stances, slots and their planned trials."""

from django.db import models

from studies.questions.models import Question


class Study(models.Model):
    """One version of a study file. Frozen at launch: a change makes a new version."""

    class State(models.TextChoices):
        DRAFT = "draft"
        OPEN = "open"
        CLOSED = "closed"

    name = models.SlugField(max_length=80)
    version = models.PositiveIntegerField(default=1)
    title = models.CharField(max_length=200)
    state = models.CharField(max_length=12, choices=State, default=State.DRAFT)
    join_code = models.CharField(max_length=32, unique=True)
    spec = models.JSONField()
    spec_text = models.TextField()
    spec_hash = models.CharField(max_length=64)
    deviations = models.JSONField(default=list)
    seed = models.BigIntegerField()
    created_at = models.DateTimeField()
    launched_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "studies"
        constraints = [models.UniqueConstraint(fields=["name", "version"], name="study_version_once")]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class Assistant(models.Model):
    """A configured model. `options` is the study file's table for it, without secrets.

    `probe`: what its endpoint honoured when it was last asked (probes.py); no part of the plan.
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="assistants")
    name = models.SlugField(max_length=80)
    backend = models.CharField(max_length=20)
    options = models.JSONField(default=dict)
    probe = models.JSONField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "name"], name="assistant_once_per_study")]

    def __str__(self) -> str:
        return self.name


class Condition(models.Model):
    """An arm. Participants never see its name."""

    class Assistance(models.TextChoices):
        NONE = "none"
        CHAT = "chat"

    class Feedback(models.TextChoices):
        NONE = "none"
        IMMEDIATE = "immediate"
        END_OF_BLOCK = "end_of_block"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="conditions")
    name = models.SlugField(max_length=80)
    position = models.PositiveSmallIntegerField()
    assistance = models.CharField(max_length=12, choices=Assistance)
    assistant = models.ForeignKey(Assistant, on_delete=models.PROTECT, null=True, blank=True)
    feedback = models.CharField(max_length=16, choices=Feedback)
    passage_first_turn = models.BooleanField(default=True)
    passage_after_reset = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "name"], name="condition_once_per_study"),
            models.CheckConstraint(
                condition=models.Q(assistance="none", assistant=None)
                | models.Q(assistance="chat", assistant__isnull=False),
                name="chat_has_an_assistant",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class StudyQuestion(models.Model):
    """The manifest: a question that the study uses, frozen. `source` is the study file's [questions.NAME]."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="manifest")
    question = models.ForeignKey(Question, on_delete=models.PROTECT)
    position = models.PositiveIntegerField()
    source = models.SlugField(max_length=80)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "question"], name="question_once_per_study"),
            models.UniqueConstraint(fields=["study", "position"], name="manifest_position_once"),
        ]


class Stance(models.Model):
    """The option that a controlled assistant argues for, drawn before launch. Never shown."""

    assistant = models.ForeignKey(Assistant, on_delete=models.PROTECT, related_name="stances")
    question = models.ForeignKey(Question, on_delete=models.PROTECT)
    option = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["assistant", "question"], name="stance_once")]


class Slot(models.Model):
    """A place in the assignment plan. `is_taken` changes by compare-and-set; `list_name` is its stratum (`r0s1`).

    `plan_hash` is the digest of its planned trials (design/frozen.py).
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="slots")
    number = models.PositiveIntegerField()
    list_name = models.CharField(max_length=40)
    is_taken = models.BooleanField(default=False)
    attempts = models.PositiveIntegerField(default=0)
    plan_hash = models.CharField(max_length=64, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "number"], name="slot_number_once")]


class TrialPlan(models.Model):
    """One planned trial of a slot: the question, the condition, the block, the time limit and the stance."""

    slot = models.ForeignKey(Slot, on_delete=models.PROTECT, related_name="plans")
    position = models.PositiveIntegerField()
    block = models.PositiveIntegerField()
    question = models.ForeignKey(Question, on_delete=models.PROTECT)
    condition = models.ForeignKey(Condition, on_delete=models.PROTECT)
    stance = models.PositiveSmallIntegerField(null=True, blank=True)
    time_limit_seconds = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["slot", "position"]
        constraints = [
            models.UniqueConstraint(fields=["slot", "position"], name="plan_position_once"),
            models.UniqueConstraint(fields=["slot", "question"], name="question_met_once"),
        ]
