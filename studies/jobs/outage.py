"""What it looks like from inside when the database or Redis is away: errors after which the same call may succeed."""

import redis.exceptions
from django.db import InterfaceError, OperationalError, connection


def is_outage(error: BaseException) -> bool:
    """Whether to try again. On SQLite only a lock that was held for too long is one: there is nothing to be away."""
    if isinstance(error, redis.exceptions.ConnectionError | redis.exceptions.TimeoutError | InterfaceError):
        return True
    if not isinstance(error, OperationalError):
        return False
    return connection.vendor != "sqlite" or "locked" in str(error)
