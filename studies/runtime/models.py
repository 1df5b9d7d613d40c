"""Participants, their sessions, pauses, trials, messages, replies, survey answers and events."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from studies.design.models import Assistant, Condition, Slot, Study
from studies.questions.models import Question


class Participant(models.Model):
    """A person or a bot in one study, known by a random pseudonym."""

    class Kind(models.TextChoices):
        PERSON = "person"
        BOT = "bot"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="participants")
    pseudonym = models.CharField(max_length=32)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.PERSON)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "pseudonym"], name="pseudonym_once_per_study")]


class ParticipantIdentity(models.Model):
    """Who a participant is elsewhere (a recruitment platform's id). Never exported."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT)
    participant = models.OneToOneField(Participant, on_delete=models.CASCADE, related_name="identity")
    source = models.CharField(max_length=40)
    entry_id = models.CharField(max_length=200)

    class Meta:
        verbose_name_plural = "participant identities"
        constraints = [models.UniqueConstraint(fields=["study", "source", "entry_id"], name="identity_once_per_study")]


class ParticipantSession(models.Model):
    """One person's run through a slot. `last_seq` and `head` are the end of its event chain.

    `check_attempts` is how often the check questions after the instructions were answered.
    `paused_at` is since when time stands still; `erased_at` marks a tombstone: what the person gave is gone.
    `exclusion_decided_at`, `_by` and `is_exclusion_post_hoc` are of the last decision, also of one that took it back.
    """

    class State(models.TextChoices):
        ACTIVE = "active"
        COMPLETED = "completed"
        ABANDONED = "abandoned"
        SCREENED_OUT = "screened_out"
        WITHDRAWN = "withdrawn"

    class Stage(models.TextChoices):
        INSTRUCTIONS = "instructions"
        CHECK = "check"
        TRIALS = "trials"
        SURVEY = "survey"
        DEBRIEF = "debrief"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="sessions")
    participant = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="sessions")
    slot = models.ForeignKey(Slot, on_delete=models.PROTECT, related_name="sessions")
    attempt = models.PositiveIntegerField()
    token_nonce = models.CharField(max_length=64)
    token_hash = models.CharField(max_length=64, unique=True)
    spec_hash = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=State, default=State.ACTIVE, db_index=True)
    stage = models.CharField(max_length=16, choices=Stage, default=Stage.INSTRUCTIONS)
    consent_version = models.CharField(max_length=64)
    consented_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    last_seen_at = models.DateTimeField()
    check_attempts = models.PositiveSmallIntegerField(default=0)
    completion_code = models.CharField(max_length=32, blank=True)
    join_key = models.UUIDField(null=True, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)
    last_seq = models.PositiveIntegerField(default=0)
    head = models.CharField(max_length=64, blank=True)
    is_excluded = models.BooleanField(default=False)
    exclusion_reason = models.CharField(max_length=300, blank=True)
    is_exclusion_post_hoc = models.BooleanField(default=False)
    exclusion_decided_at = models.DateTimeField(null=True, blank=True)
    exclusion_decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(is_excluded=False) | Q(exclusion_decided_at=None) | ~Q(exclusion_reason=""),
                name="exclusion_has_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(exclusion_decided_by=None) | Q(exclusion_decided_at__isnull=False),
                name="exclusion_has_a_time",
            ),
            models.UniqueConstraint(fields=["slot", "attempt"], name="attempt_once_per_slot"),
            models.UniqueConstraint(fields=["study", "join_key"], name="consented_once"),
        ]


class Pause(models.Model):
    """An interval in which time stands still for a session or, where `session` is empty, for the whole study."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="pauses")
    session = models.ForeignKey(
        ParticipantSession, on_delete=models.PROTECT, null=True, blank=True, related_name="pauses"
    )
    reason = models.CharField(max_length=200)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["study"], condition=Q(session=None, ended_at=None), name="one_open_pause_per_study"
            ),
            models.UniqueConstraint(
                fields=["session"], condition=Q(session__isnull=False, ended_at=None), name="one_open_pause_per_session"
            ),
        ]


class Trial(models.Model):
    """One question to one person under one condition. Options are 0-based indices; confidence is a probability.

    `draft_writer` is the browser that made the draft, `draft_number` its own count, `draft_seq` the event that kept it.
    `paused_seconds` were given back for pauses, `compensated_seconds` for outages of the assistant.
    """

    class State(models.TextChoices):
        PLANNED = "planned"
        OPEN = "open"
        ANSWERED = "answered"
        TIMED_OUT = "timed_out"

    class SubmittedBy(models.TextChoices):
        PERSON = "person"
        TIMER = "timer"

    session = models.ForeignKey(ParticipantSession, on_delete=models.PROTECT, related_name="trials")
    position = models.PositiveIntegerField()
    block = models.PositiveIntegerField()
    question = models.ForeignKey(Question, on_delete=models.PROTECT)
    condition = models.ForeignKey(Condition, on_delete=models.PROTECT)
    assistant = models.ForeignKey(Assistant, on_delete=models.PROTECT, null=True, blank=True)
    stance = models.PositiveSmallIntegerField(null=True, blank=True)
    time_limit_seconds = models.PositiveIntegerField(null=True, blank=True)
    state = models.CharField(max_length=12, choices=State, default=State.PLANNED)
    opened_at = models.DateTimeField(null=True, blank=True)
    deadline_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    draft_option = models.PositiveSmallIntegerField(null=True, blank=True)
    draft_confidence = models.FloatField(null=True, blank=True)
    draft_at = models.DateTimeField(null=True, blank=True)
    draft_in_grace = models.BooleanField(default=False)
    draft_writer = models.UUIDField(null=True, blank=True)
    draft_number = models.BigIntegerField(default=0)
    draft_seq = models.PositiveIntegerField(default=0)
    answer = models.PositiveSmallIntegerField(null=True, blank=True)
    confidence = models.FloatField(null=True, blank=True)
    submitted_by = models.CharField(max_length=8, choices=SubmittedBy, blank=True)
    in_grace = models.BooleanField(default=False)
    paused_seconds = models.FloatField(default=0.0)
    compensated_seconds = models.FloatField(default=0.0)
    is_erased = models.BooleanField(default=False)
    context_number = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["session", "position"]
        constraints = [
            models.UniqueConstraint(fields=["session", "position"], name="trial_position_once"),
            models.UniqueConstraint(fields=["session", "question"], name="trial_question_met_once"),
            models.UniqueConstraint(fields=["session"], condition=Q(state="open"), name="one_open_trial"),
            models.CheckConstraint(
                condition=~Q(state="planned") | Q(opened_at=None, closed_at=None, answer=None), name="planned_is_blank"
            ),
            models.CheckConstraint(
                condition=~Q(state="open") | Q(opened_at__isnull=False, closed_at=None, answer=None),
                name="open_has_started",
            ),
            models.CheckConstraint(
                condition=~Q(state="answered")
                | Q(closed_at__isnull=False, submitted_by__in=["person", "timer"])
                & (Q(answer__isnull=False, is_erased=False) | Q(answer=None, confidence=None, is_erased=True)),
                name="answered_has_an_answer",
            ),
            models.CheckConstraint(
                condition=~Q(state="timed_out")
                | Q(closed_at__isnull=False, answer=None, confidence=None, submitted_by=""),
                name="timed_out_has_no_answer",
            ),
            models.CheckConstraint(
                condition=Q(confidence=None) | Q(confidence__gte=0, confidence__lte=1), name="confidence_in_0_1"
            ),
        ]


class Message(models.Model):
    """The person's turn, as typed. `context_number` counts the resets before it."""

    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="messages")
    number = models.PositiveIntegerField()
    client_id = models.UUIDField()
    text = models.TextField()
    context_number = models.PositiveIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["trial", "number"]
        constraints = [
            models.UniqueConstraint(fields=["trial", "client_id"], name="message_once"),
            models.UniqueConstraint(fields=["trial", "number"], name="message_number_once"),
        ]


class Reply(models.Model):
    """The assistant's turn: one model call and everything that made it."""

    class State(models.TextChoices):
        QUEUED = "queued"
        STREAMING = "streaming"
        DONE = "done"
        FAILED = "failed"
        STOPPED = "stopped"

    message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="replies")
    attempt = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=12, choices=State, default=State.QUEUED)
    text = models.TextField(blank=True)
    queued_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    first_piece_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    is_stop_asked = models.BooleanField(default=False)
    finish_reason = models.CharField(max_length=20, blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    backend = models.CharField(max_length=20)
    model = models.CharField(max_length=200, blank=True)
    revision = models.CharField(max_length=100, blank=True)
    dtype = models.CharField(max_length=40, blank=True)
    prompt_version = models.CharField(max_length=80, blank=True)
    prompt_hash = models.CharField(max_length=64, blank=True)
    sampling = models.JSONField(default=dict)
    seed = models.BigIntegerField(null=True, blank=True)
    queue_seconds = models.FloatField(null=True, blank=True)
    prompt_tokens = models.PositiveIntegerField(null=True, blank=True)
    completion_tokens = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "replies"
        ordering = ["message", "attempt"]
        constraints = [
            models.UniqueConstraint(fields=["message", "attempt"], name="reply_attempt_once"),
            models.UniqueConstraint(
                fields=["message"], condition=Q(state__in=["queued", "streaming"]), name="one_running_reply"
            ),
        ]


class SurveyAnswer(models.Model):
    """A person's answer to one item of the survey (the study file's `survey.ITEM`); one that was left empty has no row.

    `number` is a point of a scale, from 1; `option` the 0-based index of a choice; `text` what was written.
    """

    class Kind(models.TextChoices):
        SCALE = "scale"
        CHOICE = "choice"
        TEXT = "text"

    session = models.ForeignKey(ParticipantSession, on_delete=models.PROTECT, related_name="survey_answers")
    item = models.CharField(max_length=80)
    kind = models.CharField(max_length=8, choices=Kind)
    number = models.PositiveSmallIntegerField(null=True, blank=True)
    option = models.PositiveSmallIntegerField(null=True, blank=True)
    text = models.TextField(blank=True)

    class Meta:
        ordering = ["session", "item"]
        constraints = [
            models.UniqueConstraint(fields=["session", "item"], name="survey_item_answered_once"),
            models.CheckConstraint(condition=~Q(item=""), name="survey_answer_has_an_item"),
            models.CheckConstraint(
                condition=Q(kind="scale", number__isnull=False, number__gte=1, number__lte=11, option=None, text="")
                | Q(kind="choice", number=None, option__isnull=False, option__gte=0, option__lte=19, text="")
                | Q(kind="text", number=None, option=None) & ~Q(text=""),
                name="survey_answer_is_of_its_kind",
            ),
        ]


class Event(models.Model):
    """An append-only log row, chained (runtime/events.py). Holds ids, not text but for why somebody was excluded.

    `command_id` is the browser's UUID of the command that made it: a command that is sent again is known by it.
    """

    session = models.ForeignKey(ParticipantSession, on_delete=models.PROTECT, related_name="events")
    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, null=True, blank=True, related_name="events")
    seq = models.PositiveIntegerField()
    type = models.CharField(max_length=32)
    at = models.DateTimeField()
    client_at = models.DateTimeField(null=True, blank=True)
    command_id = models.UUIDField(null=True, blank=True)
    data = models.JSONField(null=True)
    data_hash = models.CharField(max_length=64)
    salt = models.CharField(max_length=32, null=True)  # noqa: DJ001  null is the mark of an erased row
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["session", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["session", "seq"], name="event_seq_once"),
            models.UniqueConstraint(fields=["session", "command_id"], name="command_once"),
        ]
        indexes = [models.Index(fields=["session", "seq"], condition=Q(type="check"), name="check_events")]
