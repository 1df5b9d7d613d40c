"""What a participant's tab knows: a snapshot, and the parts of it that events replace. Never the key, never the stance.

A snapshot is {seq, page, clock, draft, chat, items}. `page` names what the server's page shows: when it changes, the
tab loads the page again. `items` are the chat's turns in order. An event frame is {after, seq, set, items}: `set`
replaces sections, `items` replaces or adds turns by id. Applying it to the snapshot at `after` gives that at `seq`.
"""

from datetime import datetime
from typing import Any

from studies.runtime import markup
from studies.runtime.access import current_trial, is_assisted, spec_of
from studies.runtime.models import Message, ParticipantSession, Reply, Trial

FAILURES = {
    "unreachable": "The assistant cannot be reached right now.",
    "timeout": "The assistant took too long.",
    "rate_limited": "The assistant is busy right now.",
    "capacity": "The conversation is too long for the assistant. Reset the chat and ask again.",
    "interrupted": "The assistant was interrupted.",
}
OTHER_FAILURE = "The assistant could not reply."


def milliseconds(at: datetime | None) -> int | None:
    """An instant on the wire: milliseconds since 1970, UTC."""
    return None if at is None else round(at.timestamp() * 1000)


def page(session: ParticipantSession, trial: Trial | None) -> dict[str, Any]:
    return {
        "state": session.state,
        "stage": session.stage,
        "position": trial.position if trial else None,
        "trial": trial.state if trial else None,
        "is_paused": session.paused_at is not None and session.state == ParticipantSession.State.ACTIVE,
    }


def clock(session: ParticipantSession, trial: Trial | None) -> dict[str, Any]:
    """Instants and the grace, all in milliseconds."""
    return {
        "opened_at": milliseconds(trial.opened_at) if trial else None,
        "deadline_at": milliseconds(trial.deadline_at) if trial else None,
        "grace": round(spec_of(session).timing.grace_seconds * 1000),
    }


def draft(trial: Trial | None) -> dict[str, Any]:
    is_open = trial is not None and trial.state == Trial.State.OPEN
    return {
        "option": trial.draft_option if trial and is_open else None,
        "confidence": trial.draft_confidence if trial and is_open else None,
    }


def chat(trial: Trial | None) -> dict[str, Any]:
    return {"is_assisted": bool(trial and is_assisted(trial)), "context": trial.context_number if trial else 0}


def message_item(message: Message) -> dict[str, Any]:
    return {"id": f"m{message.number}", "kind": "message", "context": message.context_number, "text": message.text}


def reply_id(reply: Reply, message: Message) -> str:
    """What a reply is called on the wire."""
    return f"r{message.number}.{reply.attempt}"


def reply_item(reply: Reply, message: Message) -> dict[str, Any]:
    is_over = reply.state in (Reply.State.DONE, Reply.State.STOPPED, Reply.State.FAILED)
    failure = FAILURES.get(reply.error_code, OTHER_FAILURE) if reply.state == Reply.State.FAILED else ""
    return {
        "id": reply_id(reply, message),
        "kind": "reply",
        "context": message.context_number,
        "state": reply.state,
        "text": reply.text,
        "html": markup.render(reply.text) if is_over else "",
        "reason": reply.finish_reason,
        "failure": failure,
    }


def items(trial: Trial | None) -> list[dict[str, Any]]:
    """The conversation in order; two queries."""
    if trial is None or not is_assisted(trial):
        return []
    shown: list[dict[str, Any]] = []
    for message in trial.messages.prefetch_related("replies").order_by("number"):
        shown.append(message_item(message))
        shown += [reply_item(reply, message) for reply in message.replies.all()]
    return shown


def sections(session: ParticipantSession, trial: Trial | None) -> dict[str, Any]:
    """All that a tab shows, in at most two queries. While the session is paused the task is hidden and no time runs."""
    is_shown = session.paused_at is None
    return {
        "page": page(session, trial),
        "clock": clock(session, trial if is_shown else None),
        "draft": draft(trial if is_shown else None),
        "chat": chat(trial if is_shown else None),
        "items": items(trial if is_shown else None),
    }


def snapshot(session: ParticipantSession) -> dict[str, Any]:
    """Everything that a tab needs after connecting, in at most three queries; read in one transaction by the caller."""
    return {"seq": session.last_seq, **sections(session, current_trial(session))}


def apply(state: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    """What the browser does with an event (static/js/state.js has the same lines): old ones are known, a gap raises."""
    if event["seq"] <= state["seq"]:
        return state
    if event["after"] != state["seq"]:
        raise ValueError(f"event follows {event['after']}, the snapshot is at {state['seq']}: resync")
    merged = {**state, **event["set"], "seq": event["seq"]}
    turns = {item["id"]: item for item in merged["items"]}
    turns.update({item["id"]: item for item in event["items"]})
    return {**merged, "items": list(turns.values())}
