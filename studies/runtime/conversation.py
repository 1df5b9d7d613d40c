"""From rows to what the model is asked: the turns of the current context, and the words around them."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from studies.assistant import prompts
from studies.assistant.prompts.questions import argue_for_stance
from studies.assistant.types import Request, Script, Turn
from studies.design.models import Assistant
from studies.design.spec import MODELS
from studies.questions.models import Passage
from studies.runtime.access import spec_of
from studies.runtime.models import Message, Participant, Reply, Trial
from studies.runtime.snapshot import reply_id as reply_id_of


@dataclass(frozen=True)
class Conversation:
    """One reply to be generated. `sent` is what the Reply row records of it."""

    reply_id: int
    session_id: int
    item_id: str
    assistant: Assistant
    request: Request
    deadline_at: datetime | None
    sent: dict[str, Any]


def prepare(reply_id: int) -> Conversation:
    """Read everything that one model call needs; four queries."""
    reply = Reply.objects.select_related(
        "message__trial__session__study",
        "message__trial__session__participant",
        "message__trial__question__passage",
        "message__trial__condition",
        "message__trial__assistant",
    ).get(pk=reply_id)
    message, trial = reply.message, reply.message.trial
    assistant = trial.assistant
    if assistant is None:
        raise ValueError(f"reply {reply_id}: trial {trial.pk} has no assistant")
    system = _system_prompt(trial, assistant)
    turns = (Turn("system", system.text), *_merged(_turns(trial, message)))
    limit = spec_of(trial.session).timing.reply_max_seconds
    sampling = _sampling(assistant)
    request = Request(turns=turns, seed=reply.seed, deadline_seconds=float(limit), script=_script(trial), **sampling)
    return Conversation(
        reply_id=reply.pk,
        session_id=trial.session_id,
        item_id=reply_id_of(reply, message),
        assistant=assistant,
        request=request,
        deadline_at=trial.deadline_at,
        sent={"prompt_version": system.version, "prompt_hash": system.sha256, "sampling": sampling},
    )


@dataclass(frozen=True)
class Opening:
    """What every conversation about the next trial's passage begins with."""

    assistant: Assistant
    turns: tuple[Turn, ...]


def opening(session_id: int) -> Opening | None:
    """The beginning of the chat of the session's next trial; None where it has no model or no passage to read."""
    following = Trial.objects.filter(session_id=session_id, session__state="active", state=Trial.State.PLANNED)
    trial = (
        following.select_related("question__passage", "condition", "assistant", "session__study")
        .order_by("position")
        .first()
    )
    if trial is None or trial.assistant is None or trial.assistant.backend not in MODELS:
        return None
    passage = trial.question.passage
    if passage is None or not is_given_first(trial, 0):
        return None
    system = _system_prompt(trial, trial.assistant)
    return Opening(trial.assistant, (Turn("system", system.text), Turn("user", passage_turn(passage))))


@dataclass(frozen=True)
class System:
    """The system prompt as sent; `version` names the prompt file, or says that the study file gave the text."""

    text: str
    version: str
    sha256: str


def _system_prompt(trial: Trial, assistant: Assistant) -> System:
    """The study's own system prompt, or the shipped one; for a prompted assistant the one that argues a stance."""
    question, own = trial.question, assistant.options.get("system_prompt", "")
    if assistant.options.get("unreliability") == "prompted" and trial.stance is not None:
        prompt = prompts.load("argue_for_stance")
        text = argue_for_stance(question.text, question.options, trial.stance)
        return System(text, f"{prompt.name}.v{prompt.version}", prompt.sha256)
    if own:
        return System(own, "study file", hashlib.sha256(own.encode()).hexdigest())
    prompt = prompts.load("chat_system")
    return System(prompt.text, f"{prompt.name}.v{prompt.version}", prompt.sha256)


def _sampling(assistant: Assistant) -> dict[str, Any]:
    return {key: assistant.options[key] for key in ("temperature", "top_p", "max_tokens") if key in assistant.options}


def _script(trial: Trial) -> Script | None:
    """What the scripted assistant argues about; pace 0 in sessions of bots."""
    if trial.assistant is None or trial.assistant.backend != "scripted" or trial.stance is None:
        return None
    is_bot = trial.session.participant.kind == Participant.Kind.BOT
    passage = trial.question.passage
    return Script(
        question=trial.question.text,
        options=tuple(trial.question.options),
        stance=trial.stance,
        passage=passage.text if passage else "",
        pace_words_per_second=0.0 if is_bot else float(trial.assistant.options.get("words_per_second", 7)),
    )


def _turns(trial: Trial, last: Message) -> list[Turn]:
    """The turns of the last message's context: the passage first where the condition says so, then what was said."""
    passage = trial.question.passage
    turns: list[Turn] = []
    if passage and is_given_first(trial, last.context_number):
        turns.append(Turn("user", passage_turn(passage)))
    messages = trial.messages.filter(context_number=last.context_number, number__lte=last.number)
    for message in messages.prefetch_related("replies").order_by("number"):
        turns.append(Turn("user", message.text))
        replied = [reply.text for reply in message.replies.all() if reply.text and reply.state != Reply.State.STREAMING]
        if message.pk != last.pk and replied:
            turns.append(Turn("assistant", replied[-1]))
    return turns


def is_given_first(trial: Trial, context_number: int) -> bool:
    """Whether the passage is the first turn of that context, by the trial's condition."""
    return trial.condition.passage_first_turn and (context_number == 0 or trial.condition.passage_after_reset)


def has_passage(trial: Trial, context_number: int) -> bool:
    """Whether the trial's assistant has the passage in that context; a scripted one always has it, in its script."""
    if trial.assistant is None or trial.question.passage_id is None:
        return False
    return trial.assistant.backend == "scripted" or is_given_first(trial, context_number)


def passage_turn(passage: Passage) -> str:
    """The passage as the conversation's first turn; the same bytes for everybody, so that the engine can reuse it."""
    return f"{passage.title}\n\n{passage.text}".strip()


def _merged(turns: list[Turn]) -> list[Turn]:
    """Turns of one side that follow each other as one: chat templates want the sides to alternate."""
    merged: list[Turn] = []
    for turn in turns:
        if merged and merged[-1].role == turn.role:
            merged[-1] = Turn(turn.role, f"{merged[-1].text}\n\n{turn.text}")
        else:
            merged.append(turn)
    return merged
