"""Where the sockets are."""

from studies.participant.routing import websocket_urlpatterns

__all__ = ["websocket_urlpatterns"]
