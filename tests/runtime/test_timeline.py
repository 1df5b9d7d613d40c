"""What happened in each trial can be rebuilt from its events alone, whatever order the commands came in."""

import random
from collections.abc import Callable
from uuid import uuid4

import pytest

from studies.runtime import chat, events, operations, pauses, reply_rows, sessions, sweep, timeline
from studies.runtime.models import Event, Message, ParticipantSession, Reply, Trial
from studies.runtime.pauses import CannotPause
from studies.runtime.reply_rows import Outcome
from studies.runtime.rules import Refusal
from studies.runtime.timeline import Timeline
from studies.runtime.verify import COMPARED
from tests.runtime.conftest import Person

STEPS = 60


def told(session_id: int) -> dict[int, Timeline]:
    rows = Event.objects.filter(session=session_id).select_related("trial").order_by("seq")
    return timeline.rebuild(events.chain_row(event) for event in rows)


def facts_of(trial: Trial) -> dict[str, object]:
    facts = {name: getattr(trial, name) for name in COMPARED if name not in ("messages", "replies")}
    replies = Reply.objects.filter(message__trial=trial).count()
    return facts | {"messages": Message.objects.filter(trial=trial).count(), "replies": replies}


class Walk:
    """A person, a model and an experimenter who do anything at any time; what the rules refuse changes nothing."""

    def __init__(self, person: Person, seed: int) -> None:
        self.person, self.random = person, random.Random(seed)
        self.done: set[str] = set()

    @property
    def trial(self) -> Trial | None:
        started = self.person.session.trials.exclude(state="planned")
        return started.order_by("-position").first()

    def step(self) -> None:
        weights = {self.open: 5, self.draft: 6, self.submit: 3, self.say: 6, self.model: 6, self.reset: 3}
        weights |= {self.retry: 2, self.stop: 1, self.pause: 1, self.resume: 9, self.wait: 4, self.sweep: 1}
        action = self.random.choices(list(weights), list(weights.values()))[0]
        self.person.later(self.random.choice((0, 0.1, 1.234567, 20)))
        try:
            action()
        except (Refusal, CannotPause):
            return
        self.done.add(action.__name__)

    def here(self) -> dict[str, object]:
        position = self.trial.position if self.trial else 1
        return {"session_id": self.person.session_id, "position": position, "now": self.person.now}

    def choice(self) -> dict[str, object]:
        chosen = {"option": self.random.choice((None, 0, 1, 2, 3)), "confidence": self.random.choice((None, 0.6, 1.0))}
        return self.here() | chosen | {"command_id": uuid4()}

    def open(self) -> None:
        position = (self.trial.position if self.trial else 0) + 1
        self.person.open(position)

    def draft(self) -> None:
        operations.save_draft(**self.choice())  # type: ignore[arg-type]

    def submit(self) -> None:
        operations.submit_answer(**self.choice())  # type: ignore[arg-type]

    def say(self) -> None:
        chat.send_message(**self.here(), command_id=uuid4(), text="Which one?")  # type: ignore[arg-type]

    def model(self) -> None:
        """The running reply begins, or ends in one of its ways."""
        reply = Reply.objects.filter(state__in=["queued", "streaming"]).first()
        if reply is None:
            raise Refusal("nothing_to_retry")
        if reply.state == "queued" and reply_rows.claim(reply_id=reply.pk, now=self.person.now, sent={}):
            return
        state = self.random.choice(("done", "failed", "stopped"))
        reply_rows.end(reply_id=reply.pk, outcome=Outcome(state, "B"), now=self.person.now)

    def reset(self) -> None:
        chat.reset_context(**self.here())  # type: ignore[arg-type]

    def retry(self) -> None:
        chat.retry_reply(**self.here())  # type: ignore[arg-type]

    def stop(self) -> None:
        if not chat.stop_reply(**self.here()):  # type: ignore[arg-type]
            raise Refusal("nothing_to_retry")

    def pause(self) -> None:
        session = self.random.choice((None, self.person.session))
        pauses.pause(study=self.person.session.study, session=session, reason="a test", now=self.person.now)

    def resume(self) -> None:
        session = self.random.choice((None, self.person.session))
        pauses.resume(study=self.person.session.study, session=session, now=self.person.now)

    def wait(self) -> None:
        """Sometimes right to the deadline, into the grace, or past it."""
        trial = self.trial
        if trial is None or trial.state != "open" or trial.deadline_at is None:
            raise Refusal("not_open")
        left = (trial.deadline_at - self.person.now).total_seconds()
        self.person.later(max(0.0, left + self.random.choice((-5, 0, 1, 1, 3))))

    def sweep(self) -> None:
        sweep.sweep(now=self.person.now)


@pytest.mark.parametrize("seed", range(12))
def test_the_events_tell_what_the_rows_hold(person: Person, seed: int) -> None:
    walk = Walk(person, seed)
    for _ in range(STEPS):
        walk.step()
    known = told(person.session_id)
    for trial in person.session.trials.all():
        found = known.get(trial.position, Timeline())
        assert {name: getattr(found, name) for name in COMPARED} == facts_of(trial), trial.position
        assert found.drafts == person.session.events.filter(trial=trial, type="draft").count()
    assert "open" in walk.done


def test_the_walks_do_everything(person: Person) -> None:
    walk = Walk(person, 99)
    for _ in range(6 * STEPS):
        walk.step()
    ways: list[Callable[[], None]] = [walk.open, walk.draft, walk.submit, walk.say, walk.model, walk.reset, walk.pause]
    assert {way.__name__ for way in [*ways, walk.resume, walk.wait, walk.sweep]} <= walk.done
    ends = set(person.session.trials.values_list("state", "submitted_by"))
    assert {("answered", "person"), ("answered", "timer")} & ends


def test_a_draft_in_the_grace_and_a_pause_are_told(person: Person) -> None:
    timed = person.answer_until("timed")
    pauses.pause(study=person.session.study, session=person.session, reason="a test", now=person.later(1.5).now)
    pauses.resume(study=person.session.study, session=person.session, now=person.later(100.25).now)
    person.later(300)
    person.draft(timed.position, 2)
    person.later(60)
    operations.close_if_due(session_id=person.session_id, now=person.now)
    found = told(person.session_id)[timed.position]
    assert (found.paused_seconds, found.draft_in_grace, found.in_grace) == (100.25, True, True)
    assert (found.state, found.submitted_by, found.answer) == ("answered", "timer", 2)
    assert {name: getattr(found, name) for name in COMPARED} == facts_of(person.trial(timed.position))


def test_a_trial_that_was_never_opened_has_no_timeline(person: Person) -> None:
    person.open(1)
    sessions.report(session_id=person.session_id, kind="blur", counts={"n": 1}, now=person.now)
    assert list(told(person.session_id)) == [1]
    assert ParticipantSession.objects.get(pk=person.session_id).last_seq == 4
