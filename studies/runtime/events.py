"""The event log's chain: what is hashed, and how a row follows from the one before."""

import hashlib
import json
import secrets
from datetime import datetime
from typing import Any


def new_salt() -> str:
    return secrets.token_hex(16)


def chained(
    *, head: str, seq: int, kind: str, at: datetime, client_at: datetime | None, data: dict[str, Any], salt: str
) -> str:
    """sha256 over the head before and (seq, type, times, sha256(salt + data)); hex, 64 characters."""
    body = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    data_hash = hashlib.sha256((salt + body).encode()).hexdigest()
    row = [head, seq, kind, at.isoformat(), client_at.isoformat() if client_at else None, data_hash]
    return hashlib.sha256(json.dumps(row).encode()).hexdigest()
