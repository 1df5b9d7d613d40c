"""The check questions after the instructions: answered together, a few times at most; then on to the study, or out.

What is right stays on the server. After an attempt people are told which of their answers were not right, and can read
the instructions again. Nobody has met a question of the study when they are screened out, nor a condition.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from studies.design import access as design
from studies.design import operations as design_operations
from studies.design.models import Study
from studies.design.spec import CheckTable
from studies.runtime import sessions, snapshot
from studies.runtime.access import spec_of
from studies.runtime.change import Change, change
from studies.runtime.models import Event, ParticipantSession
from studies.runtime.operations import require_active
from studies.runtime.rules import Refusal

ATTEMPT = "check"  # the event's type; its data: attempt, chosen {name: option, from 0}, wrong [names]
Stage, State = ParticipantSession.Stage, ParticipantSession.State


@dataclass(frozen=True)
class Attempt:
    """The last answers to the check questions: the option chosen for each by name (0-based), and what was wrong."""

    chosen: dict[str, int] = field(default_factory=dict)
    wrong: frozenset[str] = frozenset()


def answer(*, session_id: int, attempt: int, command_id: UUID, chosen: Sequence[int | None], now: datetime) -> None:
    """One attempt, with an option for each check question in the file's order.

    `attempt` counts from 1 and must be the next one, so that two windows do not use up two; a form that is sent twice
    changes nothing the second time. All right: the questions of the study begin. Not all right at the last attempt:
    screened out.
    """
    with change(session_id=session_id, now=now, command_id=command_id) as made:
        session = made.session
        if made.is_repeated:
            return
        require_active(session)
        if session.stage != Stage.CHECK:
            raise Refusal("wrong_stage")
        if attempt != session.check_attempts + 1:
            raise Refusal("check_outdated")
        spec = spec_of(session)
        options = _options(spec.checks, chosen)
        wrong = [check.name for check, option in zip(spec.checks, options, strict=True) if not _is_right(check, option)]
        session.check_attempts = attempt
        session.save(update_fields=["check_attempts"])
        names = [check.name for check in spec.checks]
        made.event(ATTEMPT, attempt=attempt, chosen=dict(zip(names, options, strict=True)), wrong=wrong)
        if not wrong:
            sessions.start_trials(made)
        elif attempt >= spec.screening.attempts:
            _screen_out(made)


def _options(checks: Sequence[CheckTable], chosen: Sequence[int | None]) -> list[int]:
    """An option for every question, each one that exists."""
    options = [option for option in chosen if option is not None]
    if len(options) != len(checks):
        raise Refusal("check_missing")
    if any(not 0 <= option < len(check.options) for check, option in zip(checks, options, strict=True)):
        raise Refusal("option_unknown")
    return options


def _is_right(check: CheckTable, option: int) -> bool:
    return check.options[option] == check.correct


def _screen_out(made: Change) -> None:
    """The place is free again. The code lets a platform pay for the time until here; what was answered stays."""
    session = made.session
    session.state, session.finished_at, session.completion_code = State.SCREENED_OUT, made.now, sessions.new_code()
    session.save(update_fields=["state", "finished_at", "completion_code"])
    design_operations.give_back_slot(slot_id=session.slot_id)
    made.event("screened_out", attempts=session.check_attempts)
    made.show("page", snapshot.page(session, None))


def is_screened_out(session: ParticipantSession) -> bool:
    """Whether the check questions ended the session, also when the person withdrew after that."""
    return session.stage == Stage.CHECK and session.completion_code != ""


def last_attempt(session: ParticipantSession) -> Attempt:
    """What the person answered last; nothing before the first attempt, and after an erasure."""
    if not session.check_attempts:
        return Attempt()
    event = session.events.filter(type=ATTEMPT).order_by("-seq").first()
    if event is None or event.data is None:
        return Attempt()
    return Attempt(event.data["chosen"], frozenset(event.data["wrong"]))


@dataclass(frozen=True)
class Tally:
    """How the check questions went in one study: people by the attempt that they passed at, and those screened out.

    `wrong_at_first`: for each check question by name, how many people had it wrong at their first attempt, of `known`;
    a question that most people miss is badly put, or the instructions are. Of erased sessions no answer is known.
    """

    passed: dict[int, int]
    screened_out: int
    tried: int
    known: int
    wrong_at_first: dict[str, int]


def tally(study: Study) -> Tally:
    """Two queries. Bots count as people do."""
    passed: Counter[int] = Counter()
    screened_out = tried = 0
    rows = ParticipantSession.objects.filter(study=study, check_attempts__gt=0)
    for session in rows.only("check_attempts", "stage", "completion_code"):
        tried += 1
        passed[session.check_attempts] += session.stage != Stage.CHECK
        screened_out += is_screened_out(session)
    wrong = Counter({check.name: 0 for check in design.spec_of(study).checks})
    first = [
        event.data or {}
        for event in Event.objects.filter(session__study=study, type=ATTEMPT, data__attempt=1).only("data")
    ]
    for data in first:
        wrong.update(data["wrong"])
    return Tally(dict(sorted((+passed).items())), screened_out, tried, len(first), dict(wrong))
