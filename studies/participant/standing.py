"""Where a session stands: the rows that its pages are made of, each read when a page asks for it."""

from functools import cached_property

from studies.runtime import access, screening
from studies.runtime.models import ParticipantSession, Trial


class Standing:
    """A session with the trials around its present point, each read once."""

    def __init__(self, session: ParticipantSession) -> None:
        self.session = session

    @cached_property
    def total(self) -> int:
        return self.session.trials.count()

    @cached_property
    def trial(self) -> Trial | None:
        """The open trial, else the last closed one, else None before the first."""
        return access.current_trial(self.session)

    @cached_property
    def last_attempt(self) -> screening.Attempt:
        """The last answers to the check questions."""
        return screening.last_attempt(self.session)

    @cached_property
    def following(self) -> Trial | None:
        return access.next_trial(self.session)

    def of_block(self, block: int) -> list[Trial]:
        """All trials of one block, in order, with their questions and conditions."""
        found = self.session.trials.filter(block=block).select_related("question", "condition")
        return list(found.order_by("position"))
