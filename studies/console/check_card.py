"""What the study page says about the check questions: what is asked, and how people do. It shows no outcome."""

from dataclasses import dataclass

from studies.console import words
from studies.design.models import Study
from studies.design.spec import Spec
from studies.runtime import screening
from studies.runtime.screening import Tally


@dataclass(frozen=True)
class CheckLine:
    """One check question. `missed`: how many had it wrong at their first attempt, empty before anybody tried."""

    name: str
    text: str
    correct: str
    others: tuple[str, ...]
    missed: str


@dataclass(frozen=True)
class CheckCard:
    """All of them. `outcome`: how many passed at which attempt, and how many were screened out."""

    attempts: str
    lines: tuple[CheckLine, ...]
    outcome: str


def check_card(study: Study, spec: Spec) -> CheckCard | None:
    """Two queries; None, and no query, for a study without check questions."""
    if not spec.checks:
        return None
    tally = screening.tally(study)
    return CheckCard(
        attempts=words.count(spec.screening.attempts, "attempt"),
        lines=tuple(
            CheckLine(
                name=check.name,
                text=check.text,
                correct=check.correct,
                others=tuple(option for option in check.options if option != check.correct),
                missed=_missed(tally.wrong_at_first[check.name], tally.known),
            )
            for check in spec.checks
        ),
        outcome=_outcome(tally),
    )


def _missed(wrong: int, known: int) -> str:
    if not known:
        return ""
    return f"{wrong} of {known} had it wrong at first ({words.percent(wrong / known)})"


def _outcome(tally: Tally) -> str:
    if not tally.tried:
        return "Nobody has answered them yet."
    passed = [f"{number} at attempt {attempt}" for attempt, number in tally.passed.items()]
    return f"Passed: {', '.join(passed) or 'nobody'}. Screened out: {tally.screened_out}."
