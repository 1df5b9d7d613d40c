"""From rows to the plain data that the participant's templates show. The key only where feedback is due.

Nothing here knows whether the rows are stored: the preview (imagined.py) hands in some that never are.
"""

import re
import uuid
from datetime import datetime
from typing import Any

from django.urls import reverse

from studies.design import access as design
from studies.design.models import Condition
from studies.participant import survey_page
from studies.participant.standing import Standing
from studies.runtime import markup
from studies.runtime.access import is_assisted, session_mark, spec_of
from studies.runtime.conversation import has_passage
from studies.runtime.models import ParticipantSession, Trial
from studies.runtime.screening import is_screened_out
from studies.runtime.snapshot import clock, milliseconds, page

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LINKS = ("session", "begin", "check", "open", "answer", "finish", "survey", "instructions", "withdraw")
State, Stage = ParticipantSession.State, ParticipantSession.Stage
Page = tuple[str, dict[str, Any]]  # a template and what it shows


def page_of(standing: Standing, now: datetime) -> Page:
    """The page for where the session stands now."""
    session = standing.session
    shown = session_page(standing, now)
    if session.state == State.ACTIVE and session.paused_at is not None:
        return "participant/paused.html", shown
    if session.state not in (State.ACTIVE, State.COMPLETED):
        return "participant/ended.html", shown | leaving(session)
    if session.stage == Stage.INSTRUCTIONS:
        return "participant/instructions.html", shown
    if session.stage == Stage.CHECK:
        return "participant/check.html", shown | check_page(standing)
    if session.stage == Stage.SURVEY:
        return "participant/survey.html", shown | survey_page.shown(spec_of(session).survey)
    if session.stage == Stage.DEBRIEF:
        debrief = markup.render(spec_of(session).texts.debrief)
        return "participant/debrief.html", shown | {"debrief": debrief, "code": session.completion_code}
    trial = standing.trial
    if trial is not None and trial.state == Trial.State.OPEN:
        return "participant/trial.html", shown | trial_page(session, trial)
    return "participant/between.html", shown | between_page(standing)


def consent_page(study: design.Study, *, is_open: bool, carried: dict[str, str]) -> Page:
    """What somebody is asked before there is a session; `carried` is what their link brought."""
    spec = design.spec_of(study)
    return "participant/consent.html", {
        "study_title": study.title,
        "consent": markup.render(spec.texts.consent),
        "contact": spec.study.contact,
        "minutes": spec.study.expected_minutes,
        "is_open": is_open,
        "carried": carried,
        "join_key": uuid.uuid4(),
    }


def declined_page() -> Page:
    """What they are told who do not consent."""
    text = "Nothing was stored. You can close this page. Thank you."
    return "participant/notice.html", {"title": "You decided not to take part", "text": text}


def instructions_page(standing: Standing, now: datetime) -> Page:
    """The instructions once more."""
    return "participant/instructions_again.html", session_page(standing, now)


def withdraw_page(standing: Standing, now: datetime) -> Page:
    """The two ways to stop."""
    return "participant/withdraw.html", session_page(standing, now) | leaving(standing.session)


def session_page(standing: Standing, now: datetime) -> dict[str, Any]:
    """What every page of a session has; `to` is where its links and forms lead."""
    session, trial = standing.session, standing.trial
    spec = spec_of(session)
    return {
        "to": {name: reverse(f"participant:{name}") for name in LINKS},
        "study_title": session.study.title,
        "contact": spec.study.contact,
        "has_survey": bool(spec.survey),
        "instructions": markup.render(spec.texts.instructions),
        "page": page(session, trial),
        "clock": clock(session, trial if session.paused_at is None else None),
        "server_at": milliseconds(now),
        "session_mark": session_mark(session),
        "seq": session.last_seq,
        "total": standing.total,
        "position": trial.position if trial else 0,
        "is_bot": session.participant.kind == "bot",
    }


def check_page(standing: Standing) -> dict[str, Any]:
    """The check questions, with what was right the last time chosen again. Which option is right is not in it."""
    spec, last, attempt = spec_of(standing.session), standing.last_attempt, standing.session.check_attempts + 1
    return {
        "checks": [
            {
                "field": f"check-{number}",
                "text": check.text,
                "is_wrong": check.name in last.wrong,
                "options": [
                    {
                        "index": index,
                        "text": option,
                        "is_chosen": check.name not in last.wrong and last.chosen.get(check.name) == index,
                    }
                    for index, option in enumerate(check.options)
                ],
            }
            for number, check in enumerate(spec.checks, start=1)
        ],
        "attempt": attempt,
        "attempts_left": spec.screening.attempts - attempt + 1,
        "command_id": uuid.uuid4(),
    }


def leaving(session: ParticipantSession) -> dict[str, Any]:
    """What the pages about stopping, and after it, say."""
    return {
        "screened_out": markup.render(spec_of(session).screening.text) if session.state == State.SCREENED_OUT else "",
        "is_code_of_screening": is_screened_out(session),
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
        "whole_time": f"{trial.time_limit_seconds // 60}:{trial.time_limit_seconds % 60:02}"
        if trial.time_limit_seconds
        else "",
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


def between_page(standing: Standing) -> dict[str, Any]:
    """The page before the first question, between two, and after the last."""
    trial, following = standing.trial, standing.following
    shown = feedback(standing, trial) if trial else []
    return {
        "last": outcome(trial) | {"is_shown": trial in shown} if trial else None,
        "feedback": [marked(each) for each in shown],
        "next": {
            "position": following.position,
            "is_assisted": is_assisted(following),
            "is_change": trial is not None and is_assisted(trial) != is_assisted(following),
            "has_passage": following.question.passage_id is not None,
            "limit_minutes": f"{following.time_limit_seconds / 60:g}" if following.time_limit_seconds else "",
        }
        if following
        else None,
    }


def outcome(trial: Trial) -> dict[str, Any]:
    return {"is_timed_out": trial.state == Trial.State.TIMED_OUT, "is_by_timer": trial.submitted_by == "timer"}


def feedback(standing: Standing, trial: Trial) -> list[Trial]:
    """The trials whose keys may be shown now that this one is closed, each by the policy of its own condition.

    Where conditions are interleaved, a block holds trials of several: at its end only those are shown that waited for
    it, with the closed one itself where its key is shown at once.
    """
    shown = [trial] if trial.condition.feedback == Condition.Feedback.IMMEDIATE else []
    if is_end_of_block(standing, trial):
        of_block = standing.of_block(trial.block)
        shown += [each for each in of_block if each.condition.feedback == Condition.Feedback.END_OF_BLOCK]
    return shown


def is_end_of_block(standing: Standing, trial: Trial) -> bool:
    """Whether the trial is the last one of its block; nothing of the block is open or planned after it."""
    return standing.following is None or standing.following.block != trial.block


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
