"""From rows to the plain data that the participant's templates show. The key only where feedback is due."""

import re
import uuid
from datetime import datetime
from typing import Any

from studies.design.models import Condition
from studies.runtime import markup
from studies.runtime.access import current_trial, is_assisted, session_mark, spec_of
from studies.runtime.conversation import has_passage
from studies.runtime.models import ParticipantSession, Trial
from studies.runtime.snapshot import clock, milliseconds, page

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def session_page(session: ParticipantSession, now: datetime) -> dict[str, Any]:
    """What every page of a session has."""
    trial = current_trial(session)
    spec = spec_of(session)
    return {
        "study_title": session.study.title,
        "contact": spec.study.contact,
        "instructions": markup.render(spec.texts.instructions),
        "page": page(session, trial),
        "clock": clock(session, trial if session.paused_at is None else None),
        "server_at": milliseconds(now),
        "session_mark": session_mark(session),
        "seq": session.last_seq,
        "total": session.trials.count(),
        "position": trial.position if trial else 0,
        "is_bot": session.participant.kind == "bot",
    }


def leaving(session: ParticipantSession) -> dict[str, Any]:
    """What the pages about stopping, and after it, say."""
    return {
        "state": session.state,
        "is_active": session.state == ParticipantSession.State.ACTIVE,
        "erased_at": session.erased_at,
        "code": session.completion_code,
    }


def options(trial: Trial) -> list[dict[str, Any]]:
    return [
        {"index": index, "letter": LETTERS[index], "text": text} for index, text in enumerate(trial.question.options)
    ]


def trial_page(session: ParticipantSession, trial: Trial) -> dict[str, Any]:
    """An open question with everything that the person may see of it."""
    spec = spec_of(session)
    passage = trial.question.passage
    labels = spec.answers.confidence_labels
    return {
        "question": trial.question.text,
        "options": options(trial),
        "scale": [
            {"value": value, "percent": f"{value * 100:g} %", "label": labels[index] if index < len(labels) else ""}
            for index, value in enumerate(spec.answers.confidence)
        ],
        "draft_option": trial.draft_option,
        "draft_confidence": trial.draft_confidence,
        "passage": {"title": passage.title, "author": passage.author, "paragraphs": paragraphs(passage.text)}
        if passage
        else None,
        "is_assisted": is_assisted(trial),
        "assistant_text": assistant_text(trial),
        "limit_minutes": f"{trial.time_limit_seconds / 60:g}" if trial.time_limit_seconds else "",
        "command_id": uuid.uuid4(),
    }


def assistant_text(trial: Trial) -> str:
    """How long the assistant has the text that the person reads: always, until_reset or never; empty without a text."""
    if trial.question.passage_id is None or not is_assisted(trial):
        return ""
    if not has_passage(trial, 0):
        return "never"
    return "always" if has_passage(trial, 1) else "until_reset"


def paragraphs(text: str) -> list[str]:
    """The passage's paragraphs; hard line breaks inside one are spaces."""
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", text) if part.strip()]


def between_page(session: ParticipantSession, trial: Trial | None) -> dict[str, Any]:
    """The page before the first question, between two, and after the last."""
    following = (
        session.trials.filter(state=Trial.State.PLANNED).select_related("condition", "question").order_by("position")
    ).first()
    return {
        "last": outcome(trial) if trial else None,
        "feedback": feedback(session, trial, following) if trial else [],
        "next": {
            "position": following.position,
            "is_assisted": is_assisted(following),
            "has_passage": following.question.passage_id is not None,
            "limit_minutes": f"{following.time_limit_seconds / 60:g}" if following.time_limit_seconds else "",
            "is_new_block": trial is not None and trial.block != following.block,
        }
        if following
        else None,
    }


def outcome(trial: Trial) -> dict[str, Any]:
    return {"is_timed_out": trial.state == Trial.State.TIMED_OUT, "is_by_timer": trial.submitted_by == "timer"}


def feedback(session: ParticipantSession, trial: Trial, following: Trial | None) -> list[dict[str, Any]]:
    """The questions whose keys may be shown now, by the policy of the block that the closed trial belongs to."""
    policy = trial.condition.feedback
    if policy == Condition.Feedback.IMMEDIATE:
        return [marked(trial)]
    if policy == Condition.Feedback.END_OF_BLOCK and (following is None or following.block != trial.block):
        closed = session.trials.filter(block=trial.block).select_related("question").order_by("position")
        return [marked(each) for each in closed]
    return []


def marked(trial: Trial) -> dict[str, Any]:
    """A closed question with the person's answer and the key."""
    return {
        "position": trial.position,
        "question": trial.question.text,
        "is_correct": trial.answer == trial.question.key,
        "is_timed_out": trial.answer is None,
        "options": [
            {**option, "is_key": option["index"] == trial.question.key, "is_chosen": option["index"] == trial.answer}
            for option in options(trial)
        ],
    }
