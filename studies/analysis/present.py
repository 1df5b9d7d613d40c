"""Numbers as a person reads them: percent, points, intervals and p values, with a true minus and no breaks inside."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

from studies.analysis.estimate import Estimate

NONE = "–"
SPACE = "\N{NARROW NO-BREAK SPACE}"
FLAG_WORDS = {
    "degenerate": "nothing varies: no interval",
    "few_clusters": "fewer than 10 people or questions: wide on purpose",
    "temperature_at_bound": "the best temperature lies beyond 0.05 to 20",
    "needs_symmetry": "rests on symmetry: the order of the conditions was not drawn",
    "plan_from_trials": "the plan was read off the trials, not logged",
    "one_way": "clustered by people alone: says nothing about new questions",
    "ignores_clustering": "as if trials were independent, which they are not",
    "passages_as_independent": "questions of one passage are taken as independent",
    "singular": "a random effect is estimated as 0 (singular fit)",
    "not_every_question": "not on every question: too few people",
    "undefined_resamples": "some resamples had no such figure",
    "conservative": "conservative: wide on purpose",
    "model_not_asked_everywhere": "the model was not asked every question",
}


def percent(value: float | None, digits: int = 1) -> str:
    """0.724 → 72.4 %."""
    return NONE if value is None else f"{bare(value, digits)}{SPACE}%"


def bare(value: float | None, digits: int = 1) -> str:
    """0.724 → 72.4, for columns whose heading says percent."""
    return NONE if value is None else _minus(f"{100 * value:.{digits}f}")


def points(value: float | None, digits: int = 1) -> str:
    """0.141 → +14.1, for differences in percentage points."""
    return NONE if value is None else _minus(f"{100 * value:+.{digits}f}")


def number(value: float | None, digits: int = 3) -> str:
    """A plain number, such as a Brier score."""
    return NONE if value is None else _minus(f"{value:.{digits}f}")


def tenths(value: float | None) -> str:
    """A number with one decimal, such as seconds or messages."""
    return number(value, 1)


def count(value: float | int | None) -> str:
    """1234 → 1,234."""
    return NONE if value is None else f"{value:,.0f}"


WRITE: dict[str, Callable[[float | None], str]] = {"bare": bare, "points": points, "number": number, "tenths": tenths}
Kind = Literal["bare", "points", "number", "tenths"]


def between(found: Estimate | None, *, kind: Kind = "bare") -> str:
    """The 95 % interval, such as 63.5 to 81.4; a dash where there is none."""
    if found is None or found.low is None or found.high is None:
        return NONE
    return f"{WRITE[kind](found.low)} to {WRITE[kind](found.high)}"


def cut(found: Estimate, *, low: float = 0.0, high: float = 1.0) -> Estimate:
    """The figure with its interval cut where no share can be: for pictures and big figures, never for tables."""
    if found.low is None or found.high is None:
        return found
    return replace(found, low=max(low, found.low), high=min(high, found.high))


def interval(found: Estimate | None) -> str:
    """The same of a share, marked where it is the exact one because nothing varies."""
    is_exact = found is not None and found.low is not None and "degenerate" in found.flags
    return f"exact {between(found)}" if is_exact else between(found)


def with_interval(found: Estimate | None, *, kind: Kind = "bare") -> str:
    """A figure and its interval, such as +7.0 (−6.7 to +20.6); without interval only the figure."""
    if found is None or found.estimate is None:
        return NONE
    ends = between(found, kind=kind)
    return WRITE[kind](found.estimate) + (f" ({ends})" if ends != NONE else "")


def p_value(value: float | None) -> str:
    """p with three decimals; below .001 only that."""
    if value is None:
        return NONE
    if value < 0.0005:
        return f"<{SPACE}.001"
    return "1.000" if value >= 0.9995 else f"{value:.3f}".lstrip("0")


def p_words(value: float | None) -> str:
    """The same in a sentence: p < .001, p = .017."""
    text = p_value(value)
    return f"p{SPACE}{text}" if text.startswith("<") else f"p{SPACE}={SPACE}{text}"


def remarks(found: Estimate | None) -> str:
    """What qualifies a figure, in words."""
    if found is None:
        return ""
    words = [FLAG_WORDS[flag] for flag in found.flags if flag in FLAG_WORDS]
    return "; ".join(words) or (found.reason if found.estimate is None else "")


def moment(text: str) -> str:
    """2026-03-02T09:00:00+00:00 → 2026-03-02 09:00 UTC; anything else stays as it is."""
    try:
        return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M} UTC" if "T" in text else text
    except ValueError:
        return text


def listed(parts: list[str]) -> str:
    """a, b and c."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def _minus(text: str) -> str:
    is_zero = not text.strip("+-0.")
    return text.lstrip("+-") if is_zero else text.replace("-", "−")
