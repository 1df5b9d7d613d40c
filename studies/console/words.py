"""Times and shares in words, for people who watch a study."""

from datetime import datetime

DAY, HOUR, MINUTE = 86_400, 3_600, 60


def ago(then: datetime, now: datetime) -> str:
    """How long ago, in the largest unit that fits: `12 s ago`, `3 min ago`, `5 h ago`, `2 days ago`."""
    seconds = max(0, int((now - then).total_seconds()))
    if seconds < MINUTE:
        return f"{seconds} s ago"
    if seconds < HOUR:
        return f"{seconds // MINUTE} min ago"
    if seconds < DAY:
        return f"{seconds // HOUR} h ago"
    days = seconds // DAY
    return f"{days} day{'s' if days > 1 else ''} ago"


def minutes(seconds: float | None) -> str:
    """A time limit: `5 minutes`, `90 seconds`, `no time limit`."""
    if not seconds:
        return "no time limit"
    if seconds % MINUTE:
        return f"{seconds:g} seconds"
    return count(int(seconds // MINUTE), "minute")


def count(number: int, one: str) -> str:
    """`1 question`, `2 questions`."""
    return f"{number} {one}{'' if number == 1 else 's'}"


def percent(share: float) -> str:
    """A share with one decimal where it needs one: `85 %`, `83.3 %`, held together by a no-break space."""
    return f"{round(100 * share, 1):g}\u00a0%"
