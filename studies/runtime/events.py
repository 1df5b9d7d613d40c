"""The event log as rows: a new row's salt, and a session's rows as the chain's check reads them."""

import secrets

from studies.analysis.chain import Row, chained, data_hash, origin
from studies.runtime.models import Event, ParticipantSession

__all__ = ["chain_row", "chained", "data_hash", "new_salt", "origin", "origin_of"]


def new_salt() -> str:
    return secrets.token_hex(16)


def origin_of(session: ParticipantSession) -> str:
    """The head before the session's first event."""
    return origin(spec_hash=session.spec_hash, pseudonym=session.participant.pseudonym)


def chain_row(event: Event) -> Row:
    """The event for the chain's check; its trial is read with it (`select_related`)."""
    return Row(
        seq=event.seq,
        type=event.type,
        at=event.at,
        client_at=event.client_at,
        position=event.trial.position if event.trial else None,
        command_id=event.command_id,
        data=event.data,
        salt=event.salt,
        data_hash=event.data_hash,
        hash=event.hash,
    )
