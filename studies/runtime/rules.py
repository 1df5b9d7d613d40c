"""What may happen to a trial at an instant. Pure: a frozen picture of the row and `now` in, a decision out."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

MAX_MESSAGE_CHARACTERS = 8_000
MAX_SURVEY_CHARACTERS = 4_000

SENTENCES = {
    "not_open": "This question is not open.",
    "already_closed": "This question is already answered.",
    "too_late": "The time for this question is over.",
    "another_open": "Another question is open; answer it first.",
    "nothing_left": "There are no more questions.",
    "questions_left": "Some questions are not answered yet.",
    "wrong_question": "This is not the question that is open now.",
    "paused": "The study is paused; time stands still until it goes on.",
    "draft_outdated": "You chose something newer in another window; it is shown now.",
    "wrong_stage": "That is not possible at this point of the study.",
    "check_missing": "Answer every question on this page.",
    "check_outdated": "You answered these questions in another window; what is left to answer is shown now.",
    "option_missing": "Choose one of the options.",
    "option_unknown": "That option does not exist.",
    "confidence_missing": "Say how confident you are.",
    "confidence_unknown": "Choose one of the confidence values on the scale.",
    "no_assistant": "There is no assistant for this question.",
    "message_empty": "Write a message first.",
    "message_too_long": f"A message can have at most {MAX_MESSAGE_CHARACTERS:,} characters.",
    "reply_running": "The assistant is still replying.",
    "nothing_to_retry": "There is no reply to ask for again.",
    "unknown_event": "The browser reported something that is not logged here.",
    "survey_incomplete": "This was not sent yet. Please look at the questions that are marked.",
    "survey_unanswered": "Please answer this question.",
    "survey_too_long": f"An answer can have at most {MAX_SURVEY_CHARACTERS:,} characters.",
    "survey_unreadable": "This answer holds a character that cannot be stored; please write it again.",
    "session_over": "This session has ended.",
}


class Refusal(Exception):
    """A command that the rules do not allow. `code` is for machines, `sentence` for people."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
        self.sentence = SENTENCES[code]


@dataclass(frozen=True)
class TrialState:
    """What the rules need to know of a trial; times are aware instants, the grace is a duration."""

    state: str
    deadline_at: datetime | None
    grace: timedelta
    option_count: int
    confidence_scale: tuple[float, ...]
    draft_option: int | None = None
    draft_confidence: float | None = None
    draft_in_grace: bool = False
    draft_writer: UUID | None = None
    draft_number: int = 0
    draft_seq: int = 0
    is_paused: bool = False


@dataclass(frozen=True)
class DraftMark:
    """Which browser made a draft, its own rising count, and the last event that it had seen. No writer: as it comes."""

    writer: UUID | None = None
    number: int = 0
    base: int = 0


@dataclass(frozen=True)
class Draft:
    """An accepted draft: an unsubmitted choice."""

    option: int | None
    confidence: float | None
    in_grace: bool


@dataclass(frozen=True)
class Closing:
    """How a trial closes: `answer` None is a timeout; then the confidence is None and nobody submitted it."""

    answer: int | None
    confidence: float | None
    submitted_by: str
    in_grace: bool


def deadline(*, opened_at: datetime, limit_seconds: int | None) -> datetime | None:
    """The absolute instant at which the browser locks, or None without a limit."""
    return None if limit_seconds is None else opened_at + timedelta(seconds=limit_seconds)


def is_past_grace(trial: TrialState, now: datetime) -> bool:
    """Whether nothing more is accepted: later than deadline + grace. The instant itself still counts."""
    return trial.deadline_at is not None and now > trial.deadline_at + trial.grace


def is_in_grace(trial: TrialState, now: datetime) -> bool:
    """Whether something accepted now is recorded as late by at most the grace."""
    return trial.deadline_at is not None and trial.deadline_at < now <= trial.deadline_at + trial.grace


def is_due(trial: TrialState, now: datetime) -> bool:
    """Whether the server must close this trial now."""
    return trial.state == "open" and not trial.is_paused and is_past_grace(trial, now)


def require_open(trial: TrialState, now: datetime) -> None:
    """Refuse unless the trial takes drafts, answers and messages at this instant."""
    if trial.is_paused:
        raise Refusal("paused")
    if trial.state == "planned":
        raise Refusal("not_open")
    if is_past_grace(trial, now):
        raise Refusal("too_late")
    if trial.state != "open":
        raise Refusal("already_closed")


def _checked_option(trial: TrialState, option: int | None) -> int | None:
    if option is not None and not 0 <= option < trial.option_count:
        raise Refusal("option_unknown")
    return option


def _checked_confidence(trial: TrialState, confidence: float | None) -> float | None:
    """The scale's own value nearest to what came, so that no float noise is stored."""
    if confidence is None:
        return None
    for value in trial.confidence_scale:
        if abs(value - confidence) < 1e-6:
            return value
    raise Refusal("confidence_unknown")


def draft(trial: TrialState, *, option: int | None, confidence: float | None, now: datetime) -> Draft:
    """Accept an unsubmitted choice, complete or not."""
    require_open(trial, now)
    return Draft(_checked_option(trial, option), _checked_confidence(trial, confidence), is_in_grace(trial, now))


def is_newer(trial: TrialState, mark: DraftMark) -> bool:
    """Whether a draft replaces the one that is kept. False: the same browser has sent a newer one before.

    Refused when it comes from another browser that had not seen the kept one: it waited there, and is older.
    """
    if trial.draft_writer is None or mark.writer is None:
        return True
    if mark.writer == trial.draft_writer:
        return mark.number > trial.draft_number
    if mark.base < trial.draft_seq:
        raise Refusal("draft_outdated")
    return True


def submission(trial: TrialState, *, option: int | None, confidence: float | None, now: datetime) -> Closing:
    """Accept the person's answer; both the option and the confidence are required."""
    accepted = draft(trial, option=option, confidence=confidence, now=now)
    if accepted.option is None:
        raise Refusal("option_missing")
    if accepted.confidence is None:
        raise Refusal("confidence_missing")
    return Closing(accepted.option, accepted.confidence, "person", accepted.in_grace)


def expiry(trial: TrialState) -> Closing:
    """How the server closes an overdue trial: with the last draft's choice, or as a timeout without an answer."""
    if trial.draft_option is None:
        return Closing(None, None, "", False)
    return Closing(trial.draft_option, trial.draft_confidence, "timer", trial.draft_in_grace)


def message(trial: TrialState, *, text: str, is_assisted: bool, is_reply_running: bool, now: datetime) -> str:
    """Accept the person's message, exactly as typed; after the deadline itself there is no time for a reply."""
    require_open(trial, now)
    if not is_assisted:
        raise Refusal("no_assistant")
    if is_in_grace(trial, now):
        raise Refusal("too_late")
    if is_reply_running:
        raise Refusal("reply_running")
    if not text.strip():
        raise Refusal("message_empty")
    if len(text) > MAX_MESSAGE_CHARACTERS:
        raise Refusal("message_too_long")
    return text
