"""What a participant can do in the chat: send a message, ask again, stop a reply, reset the context.

The message and its waiting Reply row are committed before any model is called (rule 4); `runtime.replies` then runs it.
"""

import hashlib
from datetime import datetime
from uuid import UUID

from studies.runtime import rules, snapshot
from studies.runtime.access import is_assisted, state_of
from studies.runtime.change import Change, change
from studies.runtime.models import Message, Reply, Trial
from studies.runtime.operations import close_if_due, locked_trial
from studies.runtime.rules import Refusal

RUNNING = (Reply.State.QUEUED, Reply.State.STREAMING)


def _running(trial: Trial) -> Reply | None:
    return Reply.objects.select_related("message").filter(message__trial=trial, state__in=RUNNING).first()


def _is_meant(reply: Reply, name: str | None) -> bool:
    """Whether a command means this reply; one without a name means whichever is the last."""
    return name is None or name == snapshot.reply_id(reply, reply.message)


def _seed(trial: Trial, message: Message, attempt: int) -> int:
    """The seed of one model call: it follows from the study's seed and the place in the plan, not from time."""
    session = trial.session
    name = f"{session.study.seed}:{session.slot_id}:{session.attempt}:{trial.position}:{message.number}:{attempt}"
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6])


def _new_reply(made: Change, trial: Trial, message: Message, attempt: int) -> Reply:
    assert trial.assistant is not None
    reply = Reply.objects.create(
        message=message,
        attempt=attempt,
        queued_at=made.now,
        heartbeat_at=made.now,
        backend=trial.assistant.backend,
        seed=_seed(trial, message, attempt),
    )
    made.event("reply_asked", trial=trial, message=message.number, attempt=attempt)
    made.put(snapshot.reply_item(reply, message))
    return reply


def send_message(
    *, session_id: int, position: int, command_id: UUID, text: str, now: datetime, client_at: datetime | None = None
) -> Reply | None:
    """Keep the person's turn and ask for a reply. None: this very message was kept before, nothing is to be done."""
    close_if_due(session_id=session_id, now=now)
    with change(session_id=session_id, now=now, command_id=command_id) as made:
        if made.is_repeated:
            return None
        trial = locked_trial(made, position)
        kept = rules.message(
            state_of(trial, made.session),
            text=text,
            is_assisted=is_assisted(trial),
            is_reply_running=_running(trial) is not None,
            now=now,
        )
        message = Message.objects.create(
            trial=trial,
            number=trial.messages.count() + 1,
            client_id=command_id,
            text=kept,
            context_number=trial.context_number,
            created_at=now,
        )
        made.event("message", trial=trial, client_at=client_at, message=message.number, characters=len(kept))
        made.put(snapshot.message_item(message))
        return _new_reply(made, trial, message, attempt=1)


def retry_reply(
    *, session_id: int, position: int, now: datetime, reply: str | None = None, command_id: UUID | None = None
) -> Reply | None:
    """Ask again for the last reply (named as in the snapshot), when it failed or was stopped. None: asked before."""
    close_if_due(session_id=session_id, now=now)
    with change(session_id=session_id, now=now, command_id=command_id) as made:
        if made.is_repeated:
            return None
        trial = locked_trial(made, position)
        rules.require_open(state_of(trial, made.session), now)
        message = trial.messages.order_by("-number").first()
        last = message.replies.order_by("-attempt").first() if message else None
        if message is None or last is None or message.context_number != trial.context_number:
            raise Refusal("nothing_to_retry")
        if not _is_meant(last, reply):
            raise Refusal("nothing_to_retry")
        if last.state in RUNNING:
            raise Refusal("reply_running")
        if last.state == Reply.State.DONE:
            raise Refusal("nothing_to_retry")
        return _new_reply(made, trial, message, attempt=last.attempt + 1)


def stop_reply(
    *, session_id: int, position: int, now: datetime, reply: str | None = None, command_id: UUID | None = None
) -> bool:
    """Ask the running reply (named as in the snapshot) to stop; its text so far stays. False: it is not running."""
    close_if_due(session_id=session_id, now=now)
    with change(session_id=session_id, now=now, command_id=command_id) as made:
        if made.is_repeated:
            return False
        return _ask_to_stop(made, locked_trial(made, position), reply)


def _ask_to_stop(made: Change, trial: Trial, name: str | None = None) -> bool:
    reply = _running(trial)
    if reply is None or not _is_meant(reply, name):
        return False
    Reply.objects.filter(pk=reply.pk).update(is_stop_asked=True)
    made.event("stop", trial=trial, message=reply.message.number, attempt=reply.attempt)
    return True


def reset_context(*, session_id: int, position: int, now: datetime, command_id: UUID | None = None) -> bool:
    """Clear the model's context; the person's scrollback stays. True: a running reply was asked to stop."""
    close_if_due(session_id=session_id, now=now)
    with change(session_id=session_id, now=now, command_id=command_id) as made:
        if made.is_repeated:
            return False
        trial = locked_trial(made, position)
        rules.require_open(state_of(trial, made.session), now)
        if not is_assisted(trial):
            raise Refusal("no_assistant")
        trial.context_number += 1
        trial.save(update_fields=["context_number"])
        made.event("reset", trial=trial, context=trial.context_number)
        made.show("chat", snapshot.chat(trial))
        return _ask_to_stop(made, trial)
