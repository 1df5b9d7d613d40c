"""Where the sockets are."""

from collections.abc import Awaitable, Callable
from typing import Any

from django.urls import re_path

from studies.participant.routing import websocket_urlpatterns as participant

__all__ = ["websocket_urlpatterns"]


async def nowhere(scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
    """Refuse the handshake (403): without it an unknown address is an exception in channels, and a 500."""
    await receive()
    await send({"type": "websocket.close"})


websocket_urlpatterns = [*participant, re_path("", nowhere)]  # type: ignore[arg-type]  # django-stubs know no ASGI
