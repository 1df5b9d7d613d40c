"""Rows → the tables of `studies.analysis.schema`, with exactly its columns: the contract is written down there only.

A cell is a text, a number or None for missing. Options are letters from A; shares are probabilities.
"""

import json
import re

import pandas as pd

from studies.analysis import schema
from studies.design.assignment import ROTATING
from studies.design.models import Condition
from studies.reports.exclusions import decided_by
from studies.reports.source import Source, letter
from studies.reports.table import about_question, assistance, confidence_of, frame
from studies.reports.trials import trials
from studies.runtime.models import ParticipantSession

FEEDBACK = {Condition.Feedback.END_OF_BLOCK: "end of block"}
STRATUM = re.compile(r"(?:r(?P<rotation>\d+))?(?:s(?P<order>\d+))?")  # as design.assignment names its lists


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


def model_answers(source: Source) -> pd.DataFrame:
    """The model alone: one row per question, protocol and sample of every finished baseline run.

    What a protocol combines from its samples, as a majority, follows as a protocol of its own.
    """
    return frame(
        schema.MODEL_ANSWERS,
        (
            {
                "question": fact.identity,
                "protocol": protocol,
                "sample": answer.sample,
                "answer": letter(answer.option),
                "confidence": confidence_of(answer),
                "correct": int(answer.option == fact.key),
                "place": answer.raw.get("place"),
                "scored": json.dumps(scored, ensure_ascii=False) if (scored := answer.raw.get("scored")) else None,
                **{f"p_{letter(index)}": share for index, share in enumerate(answer.probabilities or [])},
            }
            for protocol, answers in sorted(source.alone().items())
            for answer in answers
            for fact in [source.questions[answer.question_id]]
        ),
    )


def questions(source: Source) -> pd.DataFrame:
    """One row per question of the manifest."""
    return frame(
        schema.QUESTIONS,
        (
            about_question(fact) | {"bank": fact.bank, "split": fact.split, "content_hash": fact.content_hash}
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
                    "check_attempts": session.check_attempts or None,
                    "excluded": int(session.is_excluded),
                    "exclusion_reason": session.exclusion_reason or None,
                    "post_hoc": int(session.is_exclusion_post_hoc) if session.is_excluded else None,
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
                "condition": assistance(condition),
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
                "condition": assistance(condition),
                "arm": condition.name,
                "list": plan.slot.list_name,
                "round": _round(plan.slot.number, source),
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
                "decided_by": decided_by(session),
                "decided_at": session.exclusion_decided_at.isoformat() if session.exclusion_decided_at else None,
                "post_hoc": int(session.is_exclusion_post_hoc),
            }
            for session in source.sessions
            if session.is_excluded and session.state != ParticipantSession.State.WITHDRAWN
        ),
    )


def _round(slot: int, source: Source) -> str | None:
    """Where samples rotate, each rotation is dealt once to as many slots as there are conditions (see assignment)."""
    if source.spec.assignment.method not in ROTATING:
        return None
    return str((slot - 1) // len(source.conditions) + 1)


def _stratum(list_name: str, conditions: int) -> dict[str, object]:
    """Rotation and order of a list, as far as it has them. Only two conditions are swapped; of more, `list` tells."""
    match = STRATUM.fullmatch(list_name)
    if match is None:
        return {}
    rotation, order = match["rotation"], match["order"]
    return {
        "rotation": None if rotation is None else int(rotation),
        "order_swap": int(order) if order is not None and conditions == 2 else None,
    }
