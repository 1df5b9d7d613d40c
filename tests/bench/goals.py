"""Goals of a bench: one line each, and whether all of them were met."""

from dataclasses import dataclass, field


@dataclass
class Goals:
    """Prints `GOAL name value limit ok|missed`; `missed` are the names that were not met."""

    missed: list[str] = field(default_factory=list)

    def at_least(self, name: str, value: float, limit: float) -> None:
        self._line(name, value, limit, value >= limit)

    def at_most(self, name: str, value: float, limit: float) -> None:
        self._line(name, value, limit, value <= limit)

    def _line(self, name: str, value: float, limit: float, is_met: bool) -> None:
        print(f"GOAL {name} {value:g} {limit:g} {'ok' if is_met else 'missed'}", flush=True)
        if not is_met:
            self.missed.append(name)
