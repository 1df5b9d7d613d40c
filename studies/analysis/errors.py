"""What is wrong with an input, cell by cell, so that the person who made the table can mend it."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One rejected cell. `row` counts as a spreadsheet does: the header is row 1, the first record row 2."""

    file: str
    row: int | None
    column: str
    value: str
    allowed: str

    def __str__(self) -> str:
        place = (
            self.file + (f", row {self.row}" if self.row else "") + (f", column {self.column}" if self.column else "")
        )
        shown = self.value if len(self.value) <= 80 else self.value[:77] + "…"
        return f"{place}: {shown!r} is not allowed; allowed: {self.allowed}"


class InputError(Exception):
    """The input cannot be analysed. `problems` lists every cell found; the text shows the first `SHOWN`."""

    SHOWN = 20

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        lines = [str(problem) for problem in self.problems[: self.SHOWN]]
        if len(self.problems) > self.SHOWN:
            lines.append(f"… and {len(self.problems) - self.SHOWN} more")
        super().__init__("\n".join(lines))
