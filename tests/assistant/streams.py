"""Reading a backend's stream to its end, for tests."""

from __future__ import annotations

from contextlib import aclosing

from studies.assistant.types import Backend, Done, Event, Piece, Queued, Request


async def collect(backend: Backend, request: Request) -> list[Event]:
    async with aclosing(backend.stream(request)) as events:
        return [event async for event in events]


def text(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Piece))


def pieces(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Piece)]


def places(events: list[Event]) -> list[int]:
    return [event.position for event in events if isinstance(event, Queued)]


def done(events: list[Event]) -> Done:
    last = events[-1]
    assert isinstance(last, Done)
    return last
