"""A session that nobody has: a slot's planned trials as rows that are never saved, moved to any point for a preview."""

from datetime import datetime

from studies.design import access as design
from studies.design.frozen import plans_of, require_slot, require_specification
from studies.design.models import Slot, Study
from studies.participant.standing import Standing
from studies.participant.walk import Walk
from studies.questions.models import Question
from studies.runtime import rules
from studies.runtime.models import Participant, ParticipantSession, Trial
from studies.runtime.screening import Attempt
from studies.runtime.sessions import trial_of

CODE = "PREVIEW"
State, Stage = ParticipantSession.State, ParticipantSession.Stage


class Imagined(Standing):
    """Somebody in the slot, at the instructions. Whoever moves them on moves them once.

    Raises StudyChanged as joining does: what is shown is what was made. Each page takes the same few queries, however
    many questions the slot has.
    """

    def __init__(self, study: Study, slot: Slot, now: datetime) -> None:
        require_specification(study)
        plans = plans_of(slot)
        require_slot(study, slot, plans)
        somebody = Participant(study=study, pseudonym="preview", created_at=now)
        super().__init__(ParticipantSession(study=study, participant=somebody, slot=slot, spec_hash=study.spec_hash))
        self.now = now
        self.trials = [trial_of(self.session, plan) for plan in plans]
        self.total = len(self.trials)
        self.walk = Walk.through(design.spec_of(study), self.trials)
        self.trial: Trial | None = None
        self.last_attempt = Attempt()
        self.following: Trial | None = self.trials[0] if self.trials else None

    def check(self) -> None:
        """At the check questions, for the first time."""
        self.session.stage = Stage.CHECK

    def fail_check(self) -> None:
        """With the first option chosen everywhere and the first question wrong: once more, if there is a once more."""
        self.check()
        checks = design.spec_of(self.session.study).checks
        self.session.check_attempts = 1
        self.last_attempt = Attempt({check.name: 0 for check in checks}, frozenset({checks[0].name}))

    def screen_out(self) -> None:
        self.check()
        self.session.state, self.session.completion_code = State.SCREENED_OUT, CODE

    def begin(self) -> None:
        self.session.stage = Stage.TRIALS

    def open(self, position: int) -> None:
        trial = self._reach(position)
        trial.state, trial.opened_at = Trial.State.OPEN, self.now
        trial.deadline_at = rules.deadline(opened_at=self.now, limit_seconds=trial.time_limit_seconds)

    def close(self, position: int, *, option: int | None, by: str) -> None:
        """As answered with an option, or with None as not answered in time. One that is not there is the first."""
        trial = self._reach(position)
        if option is None:
            trial.state = Trial.State.TIMED_OUT
            return
        trial.state, trial.submitted_by = Trial.State.ANSWERED, by
        trial.answer = option if option < len(trial.question.options) else 0

    def pause(self) -> None:
        self.begin()
        self.session.paused_at = self.now

    def survey(self) -> None:
        if self.trials:
            self._reach(self.total)
        self.session.stage = Stage.SURVEY

    def finish(self) -> None:
        if self.trials:
            self._reach(self.total)
        self.session.stage, self.session.state, self.session.completion_code = Stage.DEBRIEF, State.COMPLETED, CODE

    def withdraw(self, *, erases: bool) -> None:
        self.begin()
        self.session.state = State.WITHDRAWN
        self.session.erased_at = self.now if erases else None

    def of_block(self, block: int) -> list[Trial]:
        """The block's trials with their questions' texts; their conditions came with the plan."""
        found = [trial for trial in self.trials if trial.block == block]
        questions = Question.objects.in_bulk([trial.question_id for trial in found])
        for trial in found:
            trial.question = questions[trial.question_id]
        return found

    def _reach(self, position: int) -> Trial:
        """Stand at a trial, with the first option chosen in all before it."""
        self.begin()
        for earlier in self.trials[: position - 1]:
            earlier.state, earlier.answer, earlier.submitted_by = Trial.State.ANSWERED, 0, Trial.SubmittedBy.PERSON
        self.trial = trial = self.trials[position - 1]
        self.following = self.trials[position] if position < self.total else None
        trial.question = Question.objects.select_related("passage").get(pk=trial.question_id)
        return trial
