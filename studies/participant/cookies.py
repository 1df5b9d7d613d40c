"""The HttpOnly cookie that says which session a browser belongs to; its token is stored only as a hash."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.http.cookie import parse_cookie

NAME = "oversight_session"
LIFE = timedelta(days=60)


def put(response: HttpResponseBase, token: str) -> None:
    response.set_cookie(
        NAME, token, max_age=LIFE, httponly=True, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE, path="/"
    )


def token_of(request: HttpRequest) -> str:
    return request.COOKIES.get(NAME, "")


def token_in_scope(scope: dict[str, Any]) -> str:
    """The token from a socket's handshake headers; empty when there is none."""
    for name, value in scope.get("headers", []):
        if name == b"cookie":
            return parse_cookie(value.decode("latin-1")).get(NAME, "")  # as the pages read it
    return ""
