"""What holds after every step, whatever the order of commands, clocks, duplicates and delays. The whole list.

`Told` is what one trial's person knows, kept apart from the rows: what was acknowledged, and when. A trial is a row or
anything with a row's names, so that the same list judges the pure rules and the real operations.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from django.db.models import F, Q

from studies.design.models import Slot
from studies.questions.models import Question
from studies.reports.queries import sums
from studies.runtime.models import Message, ParticipantSession, Reply, Trial
from studies.runtime.snapshot import snapshot
from studies.runtime.verify import lost_sessions, verify

Tab = dict[str, Any]


@dataclass(frozen=True)
class Accepted:
    """A draft or an answer that was acknowledged: when, and which deadline held at that instant."""

    option: int | None
    confidence: float | None
    at: datetime
    deadline_at: datetime | None


@dataclass
class Told:
    """What the person at one trial was told. `closed` is how the trial looked when it was first seen closed."""

    limit: timedelta | None
    grace: timedelta
    opened_at: datetime | None = None
    given_back: timedelta = timedelta(0)
    draft: Accepted | None = None
    drafts: int = 0
    answer: Accepted | None = None
    messages: list[tuple[UUID, str]] = field(default_factory=list)
    closed: dict[str, Any] | None = None
    is_erased: bool = False

    def erase(self) -> None:
        """The person's data are taken away; that there was an answer, and when, stays."""
        if self.answer is not None:
            self.answer = Accepted(None, None, self.answer.at, self.answer.deadline_at)
        self.messages = [(own, "") for own, _ in self.messages]
        self.draft, self.closed, self.is_erased = None, None, self.opened_at is not None

    @property
    def deadline_at(self) -> datetime | None:
        if self.opened_at is None or self.limit is None:
            return None
        return self.opened_at + self.limit + self.given_back


@dataclass
class Seen:
    """One session after a step: its rows, what its person was told, and what a tab knows that only heard events.

    `is_time_standing`: whether its pauses say so and were followed. `ended` is how it looked when it was first over.
    """

    session: ParticipantSession
    trials: list[Trial]
    told: dict[int, Told]
    tab: Tab
    commands: set[UUID]
    is_time_standing: bool
    ended: dict[str, Any] | None
    people: int


OPEN, ANSWERED, TIMED_OUT, PLANNED = "open", "answered", "timed_out", "planned"


# One trial, in rows or in the rules alone


def an_acknowledged_answer_is_stored(trial: Trial, told: Told) -> None:
    """What was acknowledged as submitted is the answer, and nothing else is the person's answer."""
    if told.answer is None:
        assert trial.submitted_by != "person"
    else:
        assert (trial.state, trial.submitted_by) == (ANSWERED, "person")
        assert (trial.answer, trial.confidence) == (told.answer.option, told.answer.confidence)


def the_newest_accepted_draft_is_kept(trial: Trial, told: Told) -> None:
    """The draft in the row is the last one that was accepted, or none."""
    kept = (told.draft.option, told.draft.confidence) if told.draft else (None, None)
    assert (trial.draft_option, trial.draft_confidence) == kept


def the_server_submits_the_last_draft(trial: Trial, told: Told) -> None:
    """An answer by the timer is the accepted draft's option, confidence and grace mark; confidence may be NULL."""
    if trial.submitted_by == "timer" and not told.is_erased:
        assert told.draft is not None
        assert (trial.answer, trial.confidence) == (told.draft.option, told.draft.confidence)
        assert (trial.answer is None, trial.in_grace) == (False, trial.draft_in_grace)


def nothing_late_is_stored(trial: Trial, told: Told) -> None:
    """Nothing that came after deadline + grace is a draft or an answer of the person."""
    for accepted in (told.draft, told.answer):
        if accepted is not None and accepted.deadline_at is not None:
            assert accepted.at <= accepted.deadline_at + told.grace


def what_came_in_the_grace_is_marked(trial: Trial, told: Told) -> None:
    """`in_grace` says exactly whether the draft or the answer came after the deadline that held then."""
    if told.draft is not None:
        assert trial.draft_in_grace == _is_after_deadline(told.draft)
    if told.answer is not None:
        assert trial.in_grace == _is_after_deadline(told.answer)


def _is_after_deadline(accepted: Accepted) -> bool:
    return accepted.deadline_at is not None and accepted.at > accepted.deadline_at


def a_timeout_has_nothing(trial: Trial, told: Told) -> None:
    """A trial that timed out has no answer, no confidence and no submitter, and its person had chosen nothing."""
    if trial.state == TIMED_OUT:
        assert (trial.answer, trial.confidence, trial.submitted_by, trial.in_grace) == (None, None, "", False)
        assert told.draft is None or told.draft.option is None


def the_deadline_is_opening_plus_limit_plus_pauses(trial: Trial, told: Told) -> None:
    """Neither reloads, nor clocks, nor commands move the deadline; pauses give back what they took."""
    assert trial.opened_at == told.opened_at
    assert trial.deadline_at == told.deadline_at
    assert trial.paused_seconds == pytest.approx(told.given_back.total_seconds())


def time_closes_only_what_is_due(trial: Trial, told: Told) -> None:
    """The server closes a trial only after deadline + grace, and never before it was opened."""
    if trial.closed_at is not None:
        assert told.opened_at is not None
        assert trial.closed_at >= told.opened_at
        if trial.submitted_by != "person":
            assert told.deadline_at is not None
            assert trial.closed_at > told.deadline_at + told.grace


def an_erased_trial_keeps_nothing(trial: Trial, told: Told) -> None:
    """After erasure there is no answer, no confidence and no draft, and the trial says that they were erased."""
    assert trial.is_erased == told.is_erased
    if told.is_erased:
        given = (trial.answer, trial.confidence, trial.draft_option, trial.draft_confidence, trial.draft_at)
        assert given == (None,) * 5


def a_closed_trial_never_changes(trial: Trial, told: Told) -> None:
    """Once closed, no field of a trial changes any more, except by erasure."""
    if told.closed is not None:
        assert fields_of(trial) == told.closed


TRIAL_INVARIANTS: tuple[Callable[[Trial, Told], None], ...] = (
    an_acknowledged_answer_is_stored,
    the_newest_accepted_draft_is_kept,
    the_server_submits_the_last_draft,
    nothing_late_is_stored,
    what_came_in_the_grace_is_marked,
    a_timeout_has_nothing,
    the_deadline_is_opening_plus_limit_plus_pauses,
    time_closes_only_what_is_due,
    an_erased_trial_keeps_nothing,
    a_closed_trial_never_changes,
)


# One session on rows


def at_most_one_trial_is_open(seen: Seen) -> None:
    """The plan is walked in order: over, then at most one open, then planned."""
    order = {ANSWERED: 0, TIMED_OUT: 0, OPEN: 1, PLANNED: 2}
    walked = [order[trial.state] for trial in seen.trials]
    assert walked == sorted(walked)
    assert walked.count(1) <= 1


def acknowledged_messages_are_stored_once(seen: Seen) -> None:
    """Every acknowledged message is there once, in order and exactly as typed; there are no others."""
    for trial in seen.trials:
        stored = Message.objects.filter(trial=trial).order_by("number")
        assert [(each.client_id, each.text) for each in stored] == seen.told[trial.position].messages
        assert [each.number for each in stored] == list(range(1, len(stored) + 1))


def every_command_is_done_once(seen: Seen) -> None:
    """However often a command comes, the log has it at most once, and as many of each kind as were acknowledged."""
    logged = [event.command_id for event in seen.session.events.all() if event.command_id]
    assert len(logged) == len(set(logged))
    assert set(logged) <= seen.commands
    count = {"draft": 0, "submit": 0, "message": 0, "opened": 0, "timeout": 0}
    for kind in seen.session.events.values_list("type", flat=True):
        if kind in count:
            count[kind] += 1
    told = seen.told.values()
    assert count["draft"] == sum(each.drafts for each in told)
    assert count["submit"] == sum(each.answer is not None for each in told)
    assert count["message"] == sum(len(each.messages) for each in told)
    assert count["opened"] == sum(each.opened_at is not None for each in told)
    assert count["timeout"] == sum(t.state in (ANSWERED, TIMED_OUT) and t.submitted_by != "person" for t in seen.trials)


def the_log_is_whole_and_tells_the_rows(seen: Seen) -> None:
    """Every log is numbered and chained without a gap, and from events alone follow the trials as their rows are."""
    assert {each.pseudonym: each.problems for each in verify(seen.session.study) if each.problems} == {}
    assert lost_sessions(seen.session.study) == []


def snapshot_then_events_is_a_fresh_snapshot(seen: Seen) -> None:
    """A tab that was told every event shows what a new tab would be shown."""
    assert _without_pieces(seen.tab) == _without_pieces(snapshot(seen.session))


def _without_pieces(tab: Tab) -> Tab:
    """The text of a reply under way reaches tabs as pieces, not as events."""
    return {**tab, "items": [{**i, "text": ""} if i.get("state") == "streaming" else i for i in tab["items"]]}


def the_snapshot_does_not_depend_on_key_or_stance(seen: Seen) -> None:
    """With another key and another stance in the rows, not a character of the snapshot is different."""
    shown = snapshot(seen.session)
    with transaction.atomic():
        Question.objects.filter(trial__session=seen.session).update(key=F("key") + 7)
        Trial.objects.filter(session=seen.session, stance__isnull=False).update(stance=F("stance") + 7)
        assert snapshot(seen.session) == shown
        transaction.set_rollback(True)


def a_paused_session_shows_nothing(seen: Seen) -> None:
    """While time stands still there is no clock, no draft and no conversation to see."""
    assert (seen.session.paused_at is not None) == seen.is_time_standing
    if seen.is_time_standing:
        tab = seen.tab
        assert (tab["clock"]["opened_at"], tab["clock"]["deadline_at"]) == (None, None)
        assert (tab["draft"], tab["items"]) == ({"option": None, "confidence": None}, [])
        assert tab["page"]["is_paused"] == (seen.session.state == ParticipantSession.State.ACTIVE)


def a_session_that_is_over_changes_no_more(seen: Seen) -> None:
    """After its end a session changes only by withdrawal and erasure; running replies still end."""
    if seen.ended is not None:
        assert lasting(seen) == seen.ended


def no_reply_outlives_its_trial_unasked(seen: Seen) -> None:
    """A reply that still runs belongs to the open trial of an active session, or was asked to stop."""
    running = Reply.objects.filter(message__trial__session=seen.session, state__in=["queued", "streaming"])
    for reply in running.select_related("message__trial"):
        is_live = reply.message.trial.state == OPEN and seen.session.state == ParticipantSession.State.ACTIVE
        assert is_live or reply.is_stop_asked


def both_sums_hold(seen: Seen) -> None:
    """Sessions assigned and trials planned are the sums of their ends, and every session has its whole plan."""
    found = sums(seen.session.study)
    people, trials = found.sessions, found.trials
    assert people.assigned == (
        people.active + people.completed + people.abandoned + people.screened_out + people.withdrawn
    )
    assert trials.planned == (
        trials.answered + trials.answered_by_timer + trials.timed_out + trials.open + trials.not_reached
    )
    assert (people.assigned, trials.planned) == (seen.people, seen.people * len(seen.trials))


def a_slot_is_held_by_one_person(seen: Seen) -> None:
    """A slot is taken while one of its sessions is active or was completed; every attempt is counted.

    Whoever is screened out has a code, and the slot is free again.
    """
    slot = Slot.objects.get(pk=seen.session.slot_id)
    attempts = ParticipantSession.objects.filter(slot=slot)
    was_completed = ~Q(completion_code="") & ~Q(stage=ParticipantSession.Stage.CHECK)
    held = attempts.filter(Q(state=ParticipantSession.State.ACTIVE) | was_completed)
    assert held.count() == slot.is_taken
    assert sorted(attempts.values_list("attempt", flat=True)) == list(range(1, slot.attempts + 1))


SESSION_INVARIANTS: tuple[Callable[[Seen], None], ...] = (
    at_most_one_trial_is_open,
    acknowledged_messages_are_stored_once,
    every_command_is_done_once,
    the_log_is_whole_and_tells_the_rows,
    snapshot_then_events_is_a_fresh_snapshot,
    the_snapshot_does_not_depend_on_key_or_stance,
    a_paused_session_shows_nothing,
    a_session_that_is_over_changes_no_more,
    no_reply_outlives_its_trial_unasked,
    both_sums_hold,
    a_slot_is_held_by_one_person,
)


def fields_of(row: Any) -> dict[str, Any]:
    """A row's (or a dataclass') own fields."""
    return {name: value for name, value in vars(row).items() if not name.startswith("_")}


def lasting(seen: Seen) -> dict[str, Any]:
    """What may not change after the end; a running reply's end still moves the log and the last sign of life."""
    moving = ("last_seq", "head", "last_seen_at")
    kept = {name: value for name, value in fields_of(seen.session).items() if name not in moving}
    return kept | {"trials": [fields_of(trial) for trial in seen.trials]}
