"""The table of trials: what a person answered to a question, with what help, beside the model alone."""

from collections import defaultdict
from collections.abc import Iterable
from statistics import fmean

import pandas as pd

from studies.analysis import schema
from studies.assistant import answers
from studies.baselines.models import BaselineAnswer
from studies.design.models import Condition
from studies.reports.source import Chat, QuestionFacts, Source, letter
from studies.reports.table import about_question, assistance, confidence_of, frame
from studies.runtime.models import Participant, ParticipantSession, Trial


def trials(source: Source) -> pd.DataFrame:
    """One row per trial that was opened and is over, except of people who withdrew."""
    alone: dict[int, list[BaselineAnswer]] = defaultdict(list)
    for answer in source.alone().get(source.runs.primary_protocol, []):
        alone[answer.question_id].append(answer)
    sessions = {session.pk: session for session in source.sessions}
    return frame(
        schema.TRIALS,
        (
            about_question(source.questions[trial.question_id])
            | _model(alone.get(trial.question_id, []), source.questions[trial.question_id])
            | _person(sessions[trial.session_id])
            | _answer(trial, source.questions[trial.question_id])
            | _assistance(trial, source)
            for trial in source.trials
        ),
    )


def _model(alone: list[BaselineAnswer], fact: QuestionFacts) -> dict[str, object]:
    """The primary baseline's answer; of several samples the means, and no one answer."""
    if not alone:
        return {}
    confidences = [confidence for each in alone if (confidence := confidence_of(each)) is not None]
    return {
        "model_answer": letter(alone[0].option) if len(alone) == 1 else None,
        "model_correct": fmean(each.option == fact.key for each in alone),
        "model_confidence": fmean(confidences) if confidences else None,
    }


def _person(session: ParticipantSession) -> dict[str, object]:
    return {
        "participant": session.participant.pseudonym,
        "list": session.slot.list_name,
        "excluded": int(session.is_excluded),
        "exclusion_reason": (session.exclusion_reason or None) if session.is_excluded else None,
        "post_hoc": int(session.is_exclusion_post_hoc) if session.is_excluded else None,
        "simulated": int(session.participant.kind == Participant.Kind.BOT),
        "assigned_at": session.consented_at.isoformat(),
    }


def _answer(trial: Trial, fact: QuestionFacts) -> dict[str, object]:
    is_answered = trial.state == Trial.State.ANSWERED
    return {
        "answer": letter(trial.answer),
        "correct": int(is_answered and trial.answer == fact.key),
        "confidence": trial.confidence,
        "confidence_raw": None if trial.confidence is None else f"{trial.confidence:g}",
        "timed_out": int(not is_answered),
        "submitted_by": trial.submitted_by or None,
        "in_grace": int(trial.in_grace),
        "seconds": _seconds(trial),
        "limit_seconds": trial.time_limit_seconds or None,
        "block": str(trial.block),
        "position": trial.position,
    }


def _seconds(trial: Trial) -> float | None:
    """From opening to the end, without the time that stood still."""
    if trial.opened_at is None or trial.closed_at is None:
        return None
    return (trial.closed_at - trial.opened_at).total_seconds() - trial.paused_seconds


def _assistance(trial: Trial, source: Source) -> dict[str, object]:
    condition = source.conditions[trial.condition_id]
    named: dict[str, object] = {
        "condition": assistance(condition),
        "arm": condition.name,
    }
    if condition.assistance != Condition.Assistance.CHAT:
        return named
    chat, fact = source.chats.get(trial.pk, Chat()), source.questions[trial.question_id]
    argued, stated = (_settled((turn[which] for turn in chat.turns), fact) for which in (1, 0))
    return named | {
        "assistant_answer": letter(trial.stance if trial.stance is not None else next(iter(argued), None)),
        "assistant_first": letter(next(iter(argued), None)),
        "stated_answer": letter(next(reversed(stated), None)),
        "assistant_last": letter(next(reversed(argued), None)),
        "n_messages": chat.messages,
        "n_resets": chat.resets,
        "n_user_chars": chat.characters,
        "compensated_seconds": trial.compensated_seconds,
        "outage": int(chat.had_outage),
        "model_id": "; ".join(sorted(chat.models)) or None,
        "prompt_hash": "; ".join(sorted(chat.prompts)) or None,
    }


def _settled(texts: Iterable[str], fact: QuestionFacts) -> list[int]:
    """The options that these texts settle on, one after the other; a text that settles on none is left out."""
    found = (answers.extract(text, fact.options) for text in texts)
    return [option for option in found if option is not None]
