"""How others reach sessions and trials: by the cookie's token, never by a number that somebody could guess."""

import hashlib
from datetime import timedelta

from django.utils.crypto import salted_hmac

from studies.design import access as design
from studies.design.models import Condition
from studies.runtime.models import ParticipantSession, Trial
from studies.runtime.rules import TrialState


def token_of(nonce: str) -> str:
    """The cookie's token: it follows from the row's nonce and SECRET_KEY, so that a second browser can have it too."""
    return salted_hmac("studies.participant-session", nonce, algorithm="sha256").hexdigest()


def session_mark(session: ParticipantSession) -> str:
    """Names the session to its own browser, so that one browser never mixes two; opens nothing."""
    return salted_hmac("studies.session-mark", session.token_nonce, algorithm="sha256").hexdigest()[:16]


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def session_by_token(token: str) -> ParticipantSession | None:
    """The session that a cookie belongs to, with its study and participant; None for an unknown cookie."""
    return (
        ParticipantSession.objects.select_related("study", "participant", "slot")
        .filter(token_hash=token_hash(token))
        .first()
    )


def last_seq(session_id: int) -> int:
    """The number of the session's last event."""
    return ParticipantSession.objects.values_list("last_seq", flat=True).get(pk=session_id)


def spec_of(session: ParticipantSession) -> design.Spec:
    """The specification that the person joined under. Raises StudyChanged when the study's row has another now."""
    if session.spec_hash != session.study.spec_hash:
        raise design.StudyChanged(f"{session.study}: its specification is not the one that session {session.pk} has.")
    return design.spec_of(session.study)


def current_trial(session: ParticipantSession) -> Trial | None:
    """The trial that the page is about: the open one, else the last closed one, else None before the first."""
    return (
        Trial.objects.select_related("condition", "question", "question__passage", "assistant")
        .filter(session=session)
        .exclude(state=Trial.State.PLANNED)
        .order_by("-position")
        .first()
    )


def next_trial(session: ParticipantSession) -> Trial | None:
    """The first trial that was not opened yet."""
    return (
        Trial.objects.select_related("condition", "question")
        .filter(session=session, state=Trial.State.PLANNED)
        .order_by("position")
        .first()
    )


def is_assisted(trial: Trial) -> bool:
    return trial.condition.assistance == Condition.Assistance.CHAT


def state_of(trial: Trial, session: ParticipantSession) -> TrialState:
    """The frozen picture that the rules decide on."""
    spec = spec_of(session)
    return TrialState(
        state=trial.state,
        deadline_at=trial.deadline_at,
        grace=timedelta(seconds=spec.timing.grace_seconds),
        option_count=len(trial.question.options),
        confidence_scale=tuple(spec.answers.confidence),
        draft_option=trial.draft_option,
        draft_confidence=trial.draft_confidence,
        draft_in_grace=trial.draft_in_grace,
        draft_writer=trial.draft_writer,
        draft_number=trial.draft_number,
        draft_seq=trial.draft_seq,
        is_paused=session.paused_at is not None,
    )
