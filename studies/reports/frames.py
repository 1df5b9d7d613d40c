"""Rows → the tables of `studies.analysis.schema`, with exactly its columns: the contract is written down there only.

A cell is a text, a number or None for missing. Options are letters from A; shares are probabilities.
"""

import re
from collections.abc import Iterable, Mapping

import pandas as pd

from studies.analysis import schema
from studies.analysis.schema import Table
from studies.assistant import answers
from studies.baselines.models import BaselineAnswer
from studies.design.models import Condition
from studies.reports.source import Chat, QuestionFacts, Source, letter
from studies.runtime.models import Participant, ParticipantSession, Trial

Row = Mapping[str, object]
CONDITIONS = {Condition.Assistance.NONE: schema.HUMAN, Condition.Assistance.CHAT: schema.HUMAN_MODEL}
FEEDBACK = {Condition.Feedback.END_OF_BLOCK: "end of block"}
STRATUM = re.compile(r"(?:r(?P<rotation>\d+))?s(?P<order>\d+)")  # as design.assignment names its lists


def tables(source: Source) -> dict[str, pd.DataFrame]:
    """Every table that a bundle always has, by name."""
    return {
        "trials": trials(source),
        "model_answers": model_answers(source),
        "questions": questions(source),
        "participants": participants(source),
        "conditions": conditions(source),
        "assignments": assignments(source),
        "exclusions": exclusions(source),
    }


def frame(table: Table, rows: Iterable[Row]) -> pd.DataFrame:
    """Rows as a DataFrame with the table's declared columns; a cell that a row leaves out is missing."""
    names = [column.name for column in table.columns]
    return pd.DataFrame([[row.get(name) for name in names] for row in rows], columns=names, dtype=object)


def trials(source: Source) -> pd.DataFrame:
    """One row per trial that was opened and is over, except of people who withdrew."""
    primary = source.runs.primary
    alone = {answer.question_id: answer for answer in source.answers.get(primary.pk, [])} if primary else {}
    sessions = {session.pk: session for session in source.sessions}
    return frame(
        schema.TRIALS,
        (
            _about_question(source.questions[trial.question_id])
            | _model(alone.get(trial.question_id), source.questions[trial.question_id])
            | _person(sessions[trial.session_id])
            | _answer(trial, source.questions[trial.question_id])
            | _assistance(trial, source)
            for trial in source.trials
        ),
    )


def model_answers(source: Source) -> pd.DataFrame:
    """The model alone: one row per question, protocol and sample of every finished baseline run."""
    return frame(
        schema.MODEL_ANSWERS,
        (
            {
                "question": fact.identity,
                "protocol": protocol,
                "sample": answer.sample,
                "answer": letter(answer.option),
                "confidence": _confidence(answer),
                "correct": int(answer.option == fact.key),
                **{f"p_{letter(index)}": share for index, share in enumerate(answer.probabilities or [])},
            }
            for protocol, run in sorted(source.runs.protocols.items())
            for answer in source.answers.get(run.pk, [])
            for fact in [source.questions[answer.question_id]]
        ),
    )


def questions(source: Source) -> pd.DataFrame:
    """One row per question of the manifest."""
    return frame(
        schema.QUESTIONS,
        (
            _about_question(fact) | {"bank": fact.bank, "split": fact.split, "content_hash": fact.content_hash}
            for fact in source.questions.values()
        ),
    )


def participants(source: Source) -> pd.DataFrame:
    """One row per session; of whoever withdrew only that it happened."""
    return frame(
        schema.PARTICIPANTS,
        (
            {
                "participant": session.participant.pseudonym,
                "kind": session.participant.kind,
                "state": session.state,
            }
            | (
                {}
                if session.state == ParticipantSession.State.WITHDRAWN
                else {
                    "list": session.slot.list_name,
                    "started_at": session.consented_at.isoformat(),
                    "finished_at": session.finished_at.isoformat() if session.finished_at else None,
                    "excluded": int(session.is_excluded),
                    "exclusion_reason": session.exclusion_reason or None,
                }
            )
            for session in source.sessions
        ),
    )


def conditions(source: Source) -> pd.DataFrame:
    """One row per arm, and per task and time limit that were planned under it."""
    planned = dict.fromkeys(
        (plan.condition_id, source.questions[plan.question_id].task, plan.time_limit_seconds or None)
        for plan in source.plans
    )
    return frame(
        schema.CONDITIONS_TABLE,
        (
            {
                "arm": condition.name,
                "condition": CONDITIONS[Condition.Assistance(condition.assistance)],
                "task": task,
                "limit_seconds": limit,
                "assistant": condition.assistant.name if condition.assistant else None,
                "feedback": FEEDBACK.get(Condition.Feedback(condition.feedback), condition.feedback),
            }
            for condition in source.conditions.values()
            for condition_id, task, limit in planned or [(condition.pk, None, None)]
            if condition_id == condition.pk
        ),
    )


def assignments(source: Source) -> pd.DataFrame:
    """The plan as it was drawn: every planned trial of every slot, once for each person who took the slot."""
    takers: dict[int, list[str | None]] = {}
    for session in source.sessions:
        takers.setdefault(session.slot_id, []).append(session.participant.pseudonym)
    return frame(
        schema.ASSIGNMENTS,
        (
            _stratum(plan.slot.list_name, len(source.conditions))
            | {
                "slot": str(plan.slot.number),
                "participant": participant,
                "question": source.questions[plan.question_id].identity,
                "condition": CONDITIONS[Condition.Assistance(condition.assistance)],
                "arm": condition.name,
                "list": plan.slot.list_name,
                "block": str(plan.block),
                "position": plan.position,
            }
            for plan in source.plans
            for condition in [source.conditions[plan.condition_id]]
            for participant in takers.get(plan.slot_id, [None])
        ),
    )


def exclusions(source: Source) -> pd.DataFrame:
    """One row per excluded session that was not withdrawn."""
    return frame(
        schema.EXCLUSIONS,
        (
            {
                "participant": session.participant.pseudonym,
                "rule": session.exclusion_reason or "no reason was given",
                "post_hoc": int(session.is_exclusion_post_hoc),
            }
            for session in source.sessions
            if session.is_excluded and session.state != ParticipantSession.State.WITHDRAWN
        ),
    )


def _about_question(fact: QuestionFacts) -> dict[str, object]:
    return {
        "question": fact.identity,
        "gold": letter(fact.key),
        "task": fact.task,
        "subject": fact.subject or None,
        "item_group": fact.item_group,
        "option_count": len(fact.options),
    }


def _model(alone: BaselineAnswer | None, fact: QuestionFacts) -> dict[str, object]:
    if alone is None:
        return {}
    return {
        "model_answer": letter(alone.option),
        "model_correct": int(alone.option == fact.key),
        "model_confidence": _confidence(alone),
    }


def _confidence(answer: BaselineAnswer) -> float | None:
    if answer.option is None or not answer.probabilities:
        return None
    return float(answer.probabilities[answer.option])


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
    seconds = (trial.closed_at - trial.opened_at).total_seconds() if trial.closed_at and trial.opened_at else None
    return {
        "answer": letter(trial.answer),
        "correct": int(is_answered and trial.answer == fact.key),
        "confidence": trial.confidence,
        "confidence_raw": None if trial.confidence is None else f"{trial.confidence:g}",
        "timed_out": int(not is_answered),
        "submitted_by": trial.submitted_by or None,
        "in_grace": int(trial.in_grace),
        "seconds": seconds,
        "block": str(trial.block),
        "position": trial.position,
    }


def _assistance(trial: Trial, source: Source) -> dict[str, object]:
    condition = source.conditions[trial.condition_id]
    named: dict[str, object] = {
        "condition": CONDITIONS[Condition.Assistance(condition.assistance)],
        "arm": condition.name,
    }
    if condition.assistance != Condition.Assistance.CHAT:
        return named
    chat = source.chats.get(trial.pk, Chat())
    return named | {
        "assistant_answer": letter(_advice(trial, chat, source.questions[trial.question_id])),
        "n_messages": chat.messages,
        "n_resets": chat.resets,
        "n_user_chars": chat.characters,
        "outage": int(chat.had_outage),
        "model_id": "; ".join(sorted(chat.models)) or None,
        "prompt_hash": "; ".join(sorted(chat.prompts)) or None,
    }


def _advice(trial: Trial, chat: Chat, fact: QuestionFacts) -> int | None:
    """The planned stance; without one the first option that a reply settled on."""
    if trial.stance is not None:
        return trial.stance
    found = (answers.extract(text, fact.options) for text in chat.replied)
    return next((option for option in found if option is not None), None)


def _stratum(list_name: str, conditions: int) -> dict[str, object]:
    """Rotation and order of a list. Only two conditions are swapped or not; of more, `list` names the order."""
    match = STRATUM.fullmatch(list_name)
    if match is None:
        return {}
    rotation = match["rotation"]
    return {
        "rotation": None if rotation is None else int(rotation),
        "order_swap": int(match["order"]) if conditions == 2 else None,
    }
