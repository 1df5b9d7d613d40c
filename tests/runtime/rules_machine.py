"""A state machine of one trial on the rules alone: fast, so that very many orders of times and commands are tried."""

from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from studies.runtime import rules
from studies.runtime.rules import DraftMark, Refusal, TrialState
from tests.runtime.clocks import BESIDE_A_DEADLINE, BROWSERS, CONFIDENCES, GRACE, LIMIT, MOMENT, OPTIONS, SCALE, STEPS
from tests.runtime.invariants import TRIAL_INVARIANTS, Accepted, Told, fields_of
from tests.small_study import NOW


@dataclass
class RulesTrial:
    """A trial with the names of a row, closed and drafted only as the rules say."""

    deadline_at: datetime | None
    opened_at: datetime = NOW
    state: str = "open"
    closed_at: datetime | None = None
    answer: int | None = None
    confidence: float | None = None
    submitted_by: str = ""
    in_grace: bool = False
    draft_option: int | None = None
    draft_confidence: float | None = None
    draft_in_grace: bool = False
    draft_writer: UUID | None = None
    draft_number: int = 0
    draft_seq: int = 0
    draft_at: datetime | None = None
    paused_seconds: float = 0.0
    is_erased: bool = False


class RulesMachine(RuleBasedStateMachine):
    """One open trial on the rules alone."""

    @initialize(limit=st.sampled_from([None, LIMIT, LIMIT]), grace=st.sampled_from([timedelta(0), GRACE]))
    def open(self, limit: timedelta | None, grace: timedelta) -> None:
        self.now, self.seq, self.paused_at = NOW, 0, None
        self.trial = RulesTrial(None if limit is None else NOW + limit)
        self.told = Told(limit, grace, opened_at=NOW)
        self.numbers = dict.fromkeys([UUID(int=1), UUID(int=2)], 0)
        self.delayed: list[tuple[DraftMark, int | None]] = []

    def state(self) -> TrialState:
        trial = self.trial
        drafted = {name: getattr(trial, name) for name in vars(trial) if name.startswith("draft_")}
        del drafted["draft_at"]
        return TrialState(
            state=trial.state,
            deadline_at=trial.deadline_at,
            grace=self.told.grace,
            option_count=4,
            confidence_scale=SCALE,
            is_paused=self.paused_at is not None,
            **drafted,
        )

    def closes(self, closing: rules.Closing) -> None:
        trial = self.trial
        trial.state = "timed_out" if closing.answer is None else "answered"
        trial.answer, trial.confidence = closing.answer, closing.confidence
        trial.submitted_by, trial.in_grace, trial.closed_at = closing.submitted_by, closing.in_grace, self.now
        self.told.closed = fields_of(trial)

    @rule(step=STEPS, beside=BESIDE_A_DEADLINE)
    def wait(self, step: timedelta, beside: timedelta | None) -> None:
        if beside is None or self.trial.deadline_at is None:
            self.now += step
        else:
            self.now = max(self.now, self.trial.deadline_at + beside)

    @rule(step=st.sampled_from([MOMENT, timedelta(seconds=1.3)]))
    def another_server_is_behind(self, step: timedelta) -> None:
        self.now = max(self.now - step, NOW)

    @rule(writer=BROWSERS, option=OPTIONS, confidence=CONFIDENCES, is_delayed=st.booleans())
    def draft(self, writer: UUID | None, option: int | None, confidence: float | None, is_delayed: bool) -> None:
        if writer is not None:
            self.numbers[writer] += 1
        mark = DraftMark(writer, self.numbers.get(writer, 0), self.seq) if writer else DraftMark()
        if is_delayed:
            self.delayed.append((mark, option))
        else:
            self.comes(mark, option, confidence)

    @precondition(lambda self: self.delayed)
    @rule(place=st.integers(0, 20))
    def a_delayed_draft_comes(self, place: int) -> None:
        mark, option = self.delayed[place % len(self.delayed)]
        self.comes(mark, option, 0.25)

    def comes(self, mark: DraftMark, option: int | None, confidence: float | None) -> None:
        before = self.state()
        try:
            accepted = rules.draft(before, option=option, confidence=confidence, now=self.now)
            if not rules.is_newer(before, mark):
                assert (mark.writer, mark.number <= before.draft_number) == (before.draft_writer, True)
                return
        except Refusal as refusal:
            if refusal.code == "draft_outdated":
                assert mark.writer != before.draft_writer
                assert mark.base < before.draft_seq
            return
        self.seq += 1
        self.trial.draft_option, self.trial.draft_confidence = accepted.option, accepted.confidence
        self.trial.draft_in_grace = accepted.in_grace
        self.trial.draft_writer, self.trial.draft_number, self.trial.draft_seq = mark.writer, mark.number, self.seq
        self.told.draft = Accepted(option, confidence, self.now, self.told.deadline_at)

    @rule(option=OPTIONS, confidence=CONFIDENCES)
    def submit(self, option: int | None, confidence: float | None) -> None:
        try:
            closing = rules.submission(self.state(), option=option, confidence=confidence, now=self.now)
        except Refusal:
            return
        self.told.answer = Accepted(option, confidence, self.now, self.told.deadline_at)
        self.closes(closing)

    @rule(text=st.sampled_from(["Why?", " ", "x" * 8001]), is_assisted=st.booleans(), is_running=st.booleans())
    def message(self, text: str, is_assisted: bool, is_running: bool) -> None:
        try:
            kept = rules.message(
                self.state(), text=text, is_assisted=is_assisted, is_reply_running=is_running, now=self.now
            )
        except Refusal:
            return
        assert (kept, is_assisted, is_running) == ("Why?", True, False)
        assert self.told.deadline_at is None or self.now <= self.told.deadline_at
        assert (self.trial.state, self.paused_at) == ("open", None)

    @rule(is_late=st.booleans())
    def somebody_looks_whether_it_is_due(self, is_late: bool = False) -> None:
        if is_late and self.trial.deadline_at is not None:
            self.now = max(self.now, self.trial.deadline_at + self.told.grace + MOMENT)
        if rules.is_due(self.state(), self.now):
            self.closes(rules.expiry(self.state()))

    @precondition(lambda self: self.paused_at is None)
    @rule()
    def pause(self) -> None:
        self.somebody_looks_whether_it_is_due()
        self.paused_at = self.now

    @precondition(lambda self: self.paused_at is not None)
    @rule()
    def resume(self) -> None:
        stood = max(self.now - self.paused_at, timedelta(0))
        self.paused_at = None
        if self.trial.state == "open":
            self.told.given_back += stood
            self.trial.paused_seconds += stood.total_seconds()
            self.trial.deadline_at = self.trial.deadline_at + stood if self.trial.deadline_at else None

    @invariant()
    def all_hold(self) -> None:
        for holds in TRIAL_INVARIANTS:
            holds(self.trial, self.told)

    @invariant()
    def either_the_person_or_the_timer_can_close_it(self) -> None:
        if self.trial.state != "open" or self.paused_at is not None:
            return
        is_due = rules.is_due(self.state(), self.now)
        refused = pytest.raises(Refusal, match="too_late") if is_due else nullcontext()
        with refused:
            rules.submission(self.state(), option=1, confidence=0.6, now=self.now)
