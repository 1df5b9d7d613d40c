"""The numbers that planning a study's size asks for, and what is allowed for each."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Field:
    """One number that is asked for: what it is, and what is allowed. `default` None: it may stay empty."""

    name: str
    label: str
    low: float
    high: float
    default: float | None
    hint: str = ""
    is_whole: bool = False

    @property
    def allowed(self) -> str:
        number = "a whole number" if self.is_whole else "a number"
        empty = ", or nothing" if self.default is None else ""
        return f"{number} from {self.low:g} to {self.high:g}{empty}"

    def read(self, text: str) -> float | None:
        """The number that a text holds; None where it is none, or not allowed."""
        try:
            value = float(text)
        except ValueError:
            return None
        is_fit = self.low <= value <= self.high and not (self.is_whole and value != int(value))
        return value if is_fit else None


FIELDS = (
    Field("people", "People", 2, 2_000, 60, is_whole=True),
    Field("questions", "Questions", 2, 5_000, 40, is_whole=True),
    Field("each", "Questions each", 2, 5_000, None, "nothing: all of them", is_whole=True),
    Field("accuracy", "Right alone", 0.02, 0.98, 0.6, "share of right answers of people alone"),
    Field("target", "Gain to find", -0.9, 0.9, 0.05, "share; 0.05 is five points more with the model"),
    Field("effect", "… or as a logit", -10, 10, None, "in place of the gain"),
    Field("person", "People differ", 0, 4, 0.5, "SD on the logit scale"),
    Field("question", "Questions differ", 0, 4, 1.0, "SD on the logit scale"),
    Field("person_effect", "The gain differs by person", 0, 4, 0.3, "SD on the logit scale"),
    Field("question_effect", "The gain differs by question", 0, 4, 0.6, "SD on the logit scale"),
    Field("margin", "Margin", 0.001, 0.5, None, "share; to show that nothing is lost"),
    Field("exclusions", "People left out", 0, 0.8, 0.0, "share"),
    Field("alpha", "Alpha", 0.0001, 0.5, 0.05, "two-sided"),
    Field("goal", "Power wanted", 0.5, 0.99, 0.8),
    Field("looks", "Looks", 1, 10, 1, "equally spaced over people, the last one included", is_whole=True),
    Field("replications", "Simulated studies", 100, 20_000, 1_000, is_whole=True),
    Field("seed", "Seed", 0, 2**31, 0, is_whole=True),
)
DESIGNS = {"within": "everybody works under both conditions", "between": "everybody works under one condition"}
REAL = "real"
NAMES = frozenset(field.name for field in FIELDS) | {"design"}


class Refused(ValueError):
    """Numbers that are not accepted: by name, what was given and what is allowed."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems = dict(problems)
        super().__init__("\n".join(self.problems.values()))
