"""The console's login sessions in the database, looked up only by keys that could be one.

A cookie can bring anything; PostgreSQL raises on a NUL, which would make a page of ours fail.
"""

from django.contrib.sessions.backends import db


class SessionStore(db.SessionStore):
    def _validate_session_key(self, key: str) -> bool:
        is_long_enough = super()._validate_session_key(key)  # type: ignore[misc]  # django-stubs leave it out
        return is_long_enough and key.isascii() and key.isalnum()
