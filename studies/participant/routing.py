"""The participant's socket."""

from django.urls import path

from studies.participant.consumers import ParticipantConsumer

websocket_urlpatterns = [path("ws/session/", ParticipantConsumer.as_asgi())]
