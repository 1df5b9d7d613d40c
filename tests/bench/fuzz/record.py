"""What happened in a fuzz: inputs by attack, answers, closings, and everything that should not have been."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Record:
    """`wrong` are sentences about what the server did and should not have; `target` is the number of inputs wanted."""

    target: int
    inputs: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    closings: Counter[str] = field(default_factory=Counter)
    replies: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.inputs.total()

    @property
    def share(self) -> float:
        """How much of the fuzz is done, 0 to 1."""
        return min(1.0, self.total / self.target)

    @property
    def is_over(self) -> bool:
        return self.total >= self.target

    def errors_500(self) -> int:
        return sum(number for status, number in self.statuses.items() if status.startswith("5"))
