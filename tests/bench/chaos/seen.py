"""From the diary's facts to what each person knows: their commands with the server's word on them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.bench.chaos.diary import Fact

Place = tuple[str, int]  # (entry, position)


@dataclass
class Command:
    """One thing that a person did. Instants in seconds; `sent_at` is just before the first sending, if any."""

    id: str
    kind: str
    entry: str
    position: int | None
    tab: str
    writer: str
    number: int
    values: dict[str, Any]
    sent_at: float | None = None
    sendings: int = 0
    acked_at: float | None = None
    refused: str = ""

    def precedes(self, other: "Command") -> bool:
        """Whether this was surely done before the other: earlier in the same browser, or acknowledged before it."""
        if self.writer == other.writer:
            return self.number < other.number
        return self.acked_at is not None and other.sent_at is not None and self.acked_at < other.sent_at


@dataclass(frozen=True)
class Outage:
    service: str
    since: float
    until: float


@dataclass
class Seen:
    commands: dict[str, Command] = field(default_factory=dict)
    deadlines: dict[Place, set[tuple[int | None, int]]] = field(default_factory=dict)
    joined: set[str] = field(default_factory=set)
    codes: dict[str, set[str]] = field(default_factory=dict)
    statuses: list[tuple[float, int, str]] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)
    stuck: list[tuple[str, str]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def of(self, kind: str, *, is_acked: bool = False) -> list[Command]:
        return [
            each for each in self.commands.values() if each.kind == kind and (each.acked_at is not None or not is_acked)
        ]


def seen(facts: Iterable[Fact]) -> Seen:
    found, down = Seen(), dict[str, float]()
    for fact in facts:
        found.counts[fact["what"]] += 1
        match fact["what"]:
            case "make":
                values = {key: fact[key] for key in ("option", "confidence", "text") if key in fact}
                about = {
                    name: fact.get(name) for name in ("id", "kind", "entry", "position", "tab", "writer", "number")
                }
                found.commands[fact["id"]] = Command(values=values, **about)
            case "send":
                command = found.commands[fact["id"]]
                command.sent_at = command.sent_at or fact["at"]
                command.sendings += 1
            case "ack":
                found.commands[fact["id"]].acked_at = fact["at"]
            case "refused" if fact["id"] is not None:
                found.commands[fact["id"]].refused = fact["code"]
            case "page":
                place = (fact["entry"], fact["position"])
                found.deadlines.setdefault(place, set()).add((fact["deadline"], fact["grace"]))
            case "joined":
                found.joined.add(fact["entry"])
            case "code":
                found.codes.setdefault(fact["entry"], set()).add(fact["code"])
            case "status":
                found.statuses.append((fact["at"], fact["status"], fact["path"]))
            case "stuck":
                found.stuck.append((fact["entry"], fact["why"]))
            case "down" | "ended":
                down[fact["service"]] = fact["at"]
            case "up":
                found.outages.append(Outage(fact["service"], down.pop(fact["service"]), fact["at"]))
    found.outages += [Outage(service, since, float("inf")) for service, since in down.items()]
    return found
