"""The pages of a preview in the order in which a participant meets them, and those that can come at any time."""

import re
from dataclasses import dataclass

from studies.design.spec import Spec
from studies.runtime.models import Trial

_KEY = re.compile(r"([a-z]+(?:-[a-z]+)*)(?:-([1-9][0-9]{0,5}))?", re.ASCII)
TITLES = {
    "consent": "Consent",
    "instructions": "Instructions",
    "check": "Check questions",
    "check-again": "Check questions, not all right",
    "start": "Before the first question",
    "question": "Question {0}",
    "answered": "After question {0}",
    "out-of-time": "After question {0}: not answered in time",
    "sent-by-timer": "After question {0}: sent by the timer",
    "survey": "Survey",
    "debrief": "Debrief and completion code",
    "declined": "No consent",
    "instructions-again": "Instructions, read again",
    "screened-out": "Screened out",
    "paused": "The study is paused",
    "withdraw": "Stop and withdraw?",
    "withdrawn": "Withdrawn",
}
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


@dataclass(frozen=True)
class Walk:
    """The pages of one slot: those of its planned trials, and what else its study has.

    `check_attempts`: how often its check questions may be answered, 0 where it has none.
    """

    trials: list[Trial]
    check_attempts: int
    has_survey: bool

    @classmethod
    def through(cls, spec: Spec, trials: list[Trial]) -> "Walk":
        return cls(trials, spec.screening.attempts if spec.checks else 0, bool(spec.survey))

    @property
    def first(self) -> list[Step]:
        """Before the first question."""
        check = ("check",) if self.check_attempts else ()
        return [Step(kind) for kind in ("consent", "instructions", *check, "start")]

    @property
    def last(self) -> list[Step]:
        """After the last question."""
        return [Step(kind) for kind in (*(("survey",) if self.has_survey else ()), "debrief")]

    @property
    def any_time(self) -> list[Step]:
        """What can come besides, and is not on the straight way."""
        again = ("check-again",) if self.check_attempts > 1 else ()
        out = ("screened-out",) if self.check_attempts else ()
        return [Step(kind) for kind in (*again, *out, *ANY_TIME)]

    def groups(self) -> list[tuple[str, list[Step]]]:
        """All pages under headings; the condition's name is for the experimenter's eyes."""
        return [
            ("Before the questions", self.first),
            *((f"Question {trial.position}: {trial.condition.name}", _of(trial)) for trial in self.trials),
            ("The end", self.last),
            ("At any time", self.any_time),
        ]

    def neighbours(self, step: Step) -> tuple[Step | None, Step | None]:
        """The page before and the page after on the straight way; what can come at any time has none."""
        if step in self.any_time:
            return None, None
        way = self.first
        way += [Step(kind, trial.position) for trial in self.trials for kind in OF_QUESTION]
        way += self.last
        place = way.index(Step("answered", step.position) if step.kind in OF_TIMED else step)
        return (way[place - 1] if place else None), (way[place + 1] if place + 1 < len(way) else None)

    def read(self, key: str) -> Step | None:
        """The page that an address names, if the slot has it."""
        found = _KEY.fullmatch(key)
        step = Step(found[1], int(found[2] or 0)) if found else None
        return step if any(step in steps for _, steps in self.groups()) else None


def _of(trial: Trial) -> list[Step]:
    kinds = OF_QUESTION + (OF_TIMED if trial.time_limit_seconds else ())
    return [Step(kind, trial.position) for kind in kinds]
