"""Where people come from: the parameter of a link that carries somebody's id, and what the source is called.

The id alone says whose session it is, so that the same link opens the same session in every browser.
"""

from dataclasses import dataclass

LONGEST = 200
UNFILLED = frozenset("{}\x00")


@dataclass(frozen=True)
class Platform:
    """`parameter` stands in the link as the platform writes it; `source` stands in ParticipantIdentity."""

    parameter: str
    source: str
    name: str


PLATFORMS = (
    Platform("PROLIFIC_PID", "prolific", "Prolific"),
    Platform("workerId", "mturk", "MTurk"),
    Platform("participantId", "cloudresearch", "CloudResearch Connect"),
    Platform("entry", "link", "own list"),
)
NAMES = {platform.source: platform.name for platform in PLATFORMS}


def is_id(value: str) -> bool:
    """Whether this can be somebody's id. `{{%PROLIFIC_PID%}}` or `${workerId}` is a place that nobody filled in.

    Taken for an id it would be everybody's, and each of them would be shown the first one's session.
    """
    return 0 < len(value) <= LONGEST and not UNFILLED & set(value)
