"""The pages of a preview in the order in which a participant meets them, and those that can come at any time."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from studies.runtime.models import Trial

_KEY = re.compile(r"([a-z]+(?:-[a-z]+)*)(?:-([1-9][0-9]{0,5}))?", re.ASCII)
TITLES = {
    "consent": "Consent",
    "instructions": "Instructions",
    "start": "Before the first question",
    "question": "Question {0}",
    "answered": "After question {0}",
    "out-of-time": "After question {0}: not answered in time",
    "sent-by-timer": "After question {0}: sent by the timer",
    "survey": "Survey",
    "debrief": "Debrief and completion code",
    "declined": "No consent",
    "instructions-again": "Instructions, read again",
    "paused": "The study is paused",
    "withdraw": "Stop and withdraw?",
    "withdrawn": "Withdrawn",
}
FIRST = ("consent", "instructions", "start")
LAST = ("debrief",)
ANY_TIME = ("declined", "instructions-again", "paused", "withdraw", "withdrawn")
OF_QUESTION = ("question", "answered")
OF_TIMED = ("out-of-time", "sent-by-timer")


@dataclass(frozen=True)
class Step:
    """One page; `position` is that of its question, 0 for a page without one."""

    kind: str
    position: int = 0

    @property
    def key(self) -> str:
        """Its name in an address, such as `consent` or `question-3`."""
        return f"{self.kind}-{self.position}" if self.position else self.kind

    @property
    def title(self) -> str:
        return TITLES[self.kind].format(self.position)


def groups(trials: list[Trial], last: Sequence[str] = LAST) -> list[tuple[str, list[Step]]]:
    """All pages of a slot under headings; the condition's name is for the experimenter's eyes.

    `last`: the pages after the last question; so in the other functions.
    """
    return [
        ("Before the questions", [Step(kind) for kind in FIRST]),
        *((f"Question {trial.position}: {trial.condition.name}", _of(trial)) for trial in trials),
        ("The end", [Step(kind) for kind in last]),
        ("At any time", [Step(kind) for kind in ANY_TIME]),
    ]


def _of(trial: Trial) -> list[Step]:
    kinds = OF_QUESTION + (OF_TIMED if trial.time_limit_seconds else ())
    return [Step(kind, trial.position) for kind in kinds]


def neighbours(step: Step, total: int, last: Sequence[str] = LAST) -> tuple[Step | None, Step | None]:
    """The page before and the page after on the straight way; what can come at any time has none."""
    if step.kind in ANY_TIME:
        return None, None
    way = [Step(kind) for kind in FIRST]
    way += [Step(kind, position) for position in range(1, total + 1) for kind in OF_QUESTION]
    way += [Step(kind) for kind in last]
    place = way.index(Step("answered", step.position) if step.kind in OF_TIMED else step)
    return (way[place - 1] if place else None), (way[place + 1] if place + 1 < len(way) else None)


def read(key: str, trials: list[Trial], last: Sequence[str] = LAST) -> Step | None:
    """The page that an address names, if the slot has it."""
    found = _KEY.fullmatch(key)
    step = Step(found[1], int(found[2] or 0)) if found else None
    return step if any(step in steps for _, steps in groups(trials, last)) else None
