"""What the servers logged: every ERROR or traceback that no outage of PostgreSQL or Redis explains is a complaint."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.chaos.seen import Outage

_START = re.compile(r"^(?:\[)?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3})(?::| )\s?(\w+)")
_TROUBLE = re.compile(r"\b(ERROR|CRITICAL)\b|^Traceback|Unhandled|never retrieved", re.M)
# Between going away and being back at full strength: pools and brokers try again for a while.
AFTERMATH_SECONDS = 12.0
# A record's first line or its last exception must be one of these, and its service must have been away then.
ALLOWED = {
    "postgres": re.compile(r"(OperationalError|InterfaceError)\b|Service Unavailable: /"),
    "redis": re.compile(
        r"(redis\.exceptions\.(ConnectionError|BusyLoadingError|TimeoutError)|kombu\.exceptions\.OperationalError)\b"
        r"|Cannot connect to redis|celery\.beat: beat: Connection error"
        r"|celery\.beat\.SchedulingError: Couldn't apply scheduled task \w+: (Error \d+ connecting|Connection closed)"
        # kombu's own: the worker ends when it loses Redis with messages in hand; its service manager starts it again
        r"|(Unrecoverable error|Error on stopping Hub): AttributeError\(.'NoneType' object has no attribute 'hostname'"
    ),
}
_EXCEPTION = re.compile(r"^(?:[A-Za-z_][\w.]*)?(?:Error|Timeout|Shutdown|Exception|Interrupt|Exit)\b.*", re.M)


@dataclass(frozen=True)
class Record:
    """One log record with its traceback; `at` in seconds, 0 for output that has no time."""

    at: float
    text: str

    @property
    def is_trouble(self) -> bool:
        return _TROUBLE.search(self.text) is not None

    def is_explained(self, outages: list[Outage]) -> bool:
        told = "\n".join((self.text.splitlines()[0], *_EXCEPTION.findall(self.text)[-1:]))
        return any(
            outage.since - 0.5 <= self.at <= outage.until + AFTERMATH_SECONDS and ALLOWED[outage.service].search(told)
            for outage in outages
            if outage.service in ALLOWED
        )


def records(text: str) -> Iterator[Record]:
    """Lines joined to records; each begins with its time."""
    at, lines = 0.0, list[str]()
    for line in text.splitlines():
        start = _START.match(line)
        if start is not None:
            if lines:
                yield Record(at, "\n".join(lines))
            at = datetime.strptime(start[1], "%Y-%m-%d %H:%M:%S,%f").replace(tzinfo=UTC).timestamp()
            lines = []
        lines.append(line)
    if lines:
        yield Record(at, "\n".join(lines))


def unexplained(files: list[Path], outages: list[Outage]) -> list[str]:
    found = []
    for file in files:
        for record in records(file.read_text(errors="replace") if file.exists() else ""):
            if record.is_trouble and not record.is_explained(outages):
                found.append(f"{file.name}: {record.text}")
    return found
