"""A state machine of up to three people in one study, on the real operations and rows."""

from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from studies.design.models import Study
from studies.runtime import live, operations, pauses, reply_rows, sessions, sweep
from studies.runtime import snapshot as tabs
from studies.runtime.models import ParticipantSession, Pause, Reply, Trial
from studies.runtime.reply_rows import Outcome
from studies.runtime.rules import DraftMark, Refusal
from tests.runtime.clocks import BESIDE_A_DEADLINE, BROWSERS, CONFIDENCES, GRACE, MOMENT, OPTIONS, SKEWS, STEPS
from tests.runtime.invariants import SESSION_INVARIANTS, TRIAL_INVARIANTS, Accepted, Seen, Told, fields_of, lasting
from tests.runtime.people import OPERATIONS, WITHOUT_ID, Command, Person, Writes
from tests.small_study import NOW

PEOPLE = 3
WHO = st.sampled_from([0, 0, 0, 1, 2])
OFFSETS = st.sampled_from([1, 1, 1, 0, 2])
READY = st.sampled_from([True, True, True, False])
TEXTS = {"short": "Why?", "as typed": " B? \n", "empty": " ", "too long": "x" * 8001}
ENDS = {
    "done": Outcome(Reply.State.DONE, "**B**", "stop"),
    "failed": Outcome(Reply.State.FAILED, None, error_code="unreachable"),
    "stopped": Outcome(Reply.State.STOPPED, "It", "stopped"),
}


class RowsMachine(RuleBasedStateMachine):
    """Commands come at once, late, twice and through servers whose clocks differ; time, pauses and sweeps interfere."""

    commands = Bundle("commands")
    study: ClassVar[Study]
    listening: ClassVar["RowsMachine"]

    def __init__(self) -> None:
        super().__init__()
        self.writes = Writes()
        self.example = ExitStack()
        self.example.enter_context(transaction.atomic())
        self.example.enter_context(connection.execute_wrapper(self.writes))
        RowsMachine.listening = self
        self.now, self.made = NOW, 0
        self.people: list[Person] = []
        self.wanted: set[int | None] = set()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.example.close()

    @classmethod
    def hear(cls, group: str, frame: live.Frame) -> None:
        """Instead of live.publish: every tab hears every event, in order."""
        for person in cls.listening.people:
            if live.session_group(person.pk) == group:
                person.tab = tabs.apply(person.tab, frame)

    # People and time

    @initialize()
    def two_people_begin(self) -> None:
        for who in range(2):
            self.somebody_joins()
            self.comes(self.command(who, "begin"), timedelta(0))

    @precondition(lambda self: self.made > 20 and len(self.people) < PEOPLE and None not in self.wanted)
    @rule()
    def somebody_joins(self) -> None:
        session, _ = sessions.join(study=self.study, now=self.now)
        session.refresh_from_db()
        person = Person(session.pk, tabs.snapshot(session), self.writes)
        for trial in person.look().trials:
            limit = trial.time_limit_seconds
            person.told[trial.position] = Told(None if limit is None else timedelta(seconds=limit), GRACE)
        self.people.append(person)

    @rule(who=WHO, step=STEPS, beside=BESIDE_A_DEADLINE)
    def wait(self, who: int, step: timedelta, beside: timedelta | None) -> None:
        """A while, or (with `beside`) until the person's deadline and that much longer."""
        deadline_at = self.person(who).deadline_at()
        if beside is None or deadline_at is None:
            self.now += step
        else:
            self.now = max(self.now, deadline_at + beside)

    # Commands: made once, sent any number of times

    def person(self, who: int) -> Person:
        return self.people[who % len(self.people)]

    def command(self, who: int, kind: str, /, **values: Any) -> Command:
        self.made += 1
        made = Command(who % len(self.people), kind, UUID(int=1000 + self.made), values)
        self.people[made.who].commands.add(made.id)
        return made

    def here(self, who: int, offset: int = 0) -> int:
        """The position that the person's tab shows, or one beside it."""
        return max(1, (self.person(who).tab["page"]["position"] or 0) + offset)

    def ready(self, who: int, is_ready: bool, beside: timedelta | None = None) -> None:
        """Bring the person to an open question first, and perhaps to its deadline, so that most commands matter."""
        person = self.person(who)
        if is_ready and person.standing_since is not None:
            self.wanted -= {None, person.pk}
            Pause.objects.filter(ended_at=None).filter(Q(session=None) | Q(session=person.pk)).update(ended_at=self.now)
            self.a_server_looks(who=None, skew=timedelta(0))
        if is_ready and person.tab["page"]["trial"] != "open":
            self.comes(self.command(who, "open", position=self.here(who, 1)), timedelta(0))
        deadline_at = person.deadline_at()
        if beside is not None and deadline_at is not None:
            self.now = max(self.now, deadline_at + beside)

    def walk_to_a_chat(self, who: int) -> None:
        """Answer the questions that come without an assistant."""
        for _ in range(3):
            self.ready(who, is_ready=True)
            if self.person(who).tab["chat"]["is_assisted"]:
                return
            self.comes(self.command(who, "submit", position=self.here(who), option=2, confidence=0.8), timedelta(0))

    @rule(
        target=commands, who=WHO, kind=st.sampled_from(["open", "open", "begin", "finish"]), skew=SKEWS, offset=OFFSETS
    )
    def walk(self, who: int, kind: str, skew: timedelta, offset: int) -> Command:
        values = {"position": self.here(who, offset)} if kind == "open" else {}
        return self.comes(self.command(who, kind, **values), skew)

    @rule(
        target=commands,
        who=WHO,
        writer=BROWSERS,
        option=OPTIONS,
        confidence=CONFIDENCES,
        is_delayed=st.booleans(),
        skew=SKEWS,
        is_ready=READY,
        beside=BESIDE_A_DEADLINE,
    )
    def draft(
        self,
        who: int,
        writer: UUID | None,
        option: int | None,
        confidence: float | None,
        is_delayed: bool,
        skew: timedelta,
        is_ready: bool,
        beside: timedelta | None,
    ) -> Command:
        self.ready(who, is_ready, beside)
        person, mark = self.person(who), DraftMark()
        if writer is not None:
            person.numbers[writer] = person.numbers.get(writer, 0) + 1
            mark = DraftMark(writer, person.numbers[writer], person.tab["seq"])
        choice = {"position": self.here(who), "option": option, "confidence": confidence}
        made = self.command(who, "draft", **choice, mark=mark)
        return made if is_delayed else self.comes(made, skew)

    @rule(
        target=commands,
        who=WHO,
        option=OPTIONS,
        confidence=CONFIDENCES,
        is_delayed=st.booleans(),
        skew=SKEWS,
        is_ready=READY,
        beside=BESIDE_A_DEADLINE,
    )
    def submit(
        self,
        who: int,
        option: int | None,
        confidence: float | None,
        is_delayed: bool,
        skew: timedelta,
        is_ready: bool,
        beside: timedelta | None,
    ) -> Command:
        self.ready(who, is_ready, beside)
        made = self.command(who, "submit", position=self.here(who), option=option, confidence=confidence)
        return made if is_delayed else self.comes(made, skew)

    @rule(
        target=commands,
        who=WHO,
        text=st.sampled_from(["short", "short", *TEXTS]),
        is_delayed=st.booleans(),
        skew=SKEWS,
        is_ready=READY,
        beside=BESIDE_A_DEADLINE,
    )
    def message(
        self, who: int, text: str, is_delayed: bool, skew: timedelta, is_ready: bool, beside: timedelta | None
    ) -> Command:
        if is_ready:
            self.walk_to_a_chat(who)
        self.ready(who, is_ready, beside)
        made = self.command(who, "message", position=self.here(who), text=TEXTS[text])
        return made if is_delayed else self.comes(made, skew)

    @rule(
        target=commands, who=WHO, kind=st.sampled_from(["retry", "stop", "reset", "report"]), skew=SKEWS, is_ready=READY
    )
    def about_the_reply(self, who: int, kind: str, skew: timedelta, is_ready: bool) -> Command:
        self.ready(who, is_ready)
        values = {"reported": "blur"} if kind == "report" else {"position": self.here(who)}
        return self.comes(self.command(who, kind, **values), skew)

    @precondition(lambda self: self.made > 30)
    @rule(target=commands, who=WHO, kind=st.sampled_from(["withdraw", "erase"]), skew=SKEWS)
    def leave(self, who: int, kind: str, skew: timedelta) -> Command:
        return self.comes(self.command(who, kind), skew)

    @rule(who=WHO, is_same_browser=st.booleans(), option=OPTIONS, confidence=CONFIDENCES, skew=SKEWS)
    def an_old_draft_comes(
        self, who: int, is_same_browser: bool, option: int | None, confidence: float | None, skew: timedelta
    ) -> None:
        """A draft is held up, a newer one of this or of another browser is kept, and then the old one comes."""
        same = {"who": who, "skew": skew, "is_ready": True, "beside": None}
        old = self.draft(**same, writer=UUID(int=1), option=3, confidence=0.8, is_delayed=True)
        newer = UUID(int=1) if is_same_browser else UUID(int=2)
        self.draft(**same, writer=newer, option=option, confidence=confidence, is_delayed=False)
        self.comes(old, skew)

    @rule(command=commands, skew=SKEWS)
    def again_or_at_last(self, command: Command, skew: timedelta) -> None:
        """A command that was sent before comes again, or one that was held up comes at last."""
        self.comes(command, skew)

    def comes(self, command: Command, skew: timedelta) -> Command:
        """The server gets the command, at the clock of whichever process; the model notes what was acknowledged."""
        person, now = self.people[command.who], self.now + skew
        before = person.look().rows
        given = command.values | {"session_id": person.pk, "now": now}
        if command.kind not in WITHOUT_ID:
            given["command_id"] = command.id
        try:
            OPERATIONS[command.kind](**given)
        except Refusal:
            self.only_time_has_changed(person, before)
            return command
        after = person.look().rows
        if command.id in person.done:
            self.only_time_has_changed(person, before)
        elif after["session"]["last_seq"] == before["session"]["last_seq"]:
            assert after == before
            self.is_too_old(person, command)
        else:
            person.done.add(command.id)
            self.note(person, command, now, after["session"]["last_seq"])
        return command

    def only_time_has_changed(self, person: Person, before: dict[str, Any]) -> None:
        """A refused or repeated command changes nothing; at most it notices that the trial was overdue."""
        after = person.look().rows
        changed = [(old, new) for old, new in zip(before["trials"], after["trials"], strict=True) if old != new]
        if not changed:
            assert after == before
            return
        (old, new) = changed.pop()
        assert changed == []
        assert (old["state"], new["state"] in ("answered", "timed_out")) == ("open", True)
        assert new["submitted_by"] != "person"

    def is_too_old(self, person: Person, command: Command) -> None:
        """Acknowledged without an effect: a draft that its own browser overtook, or nothing to do."""
        if command.kind == "draft":
            kept, _ = person.kept[command.values["position"]]
            mark = command.values["mark"]
            assert (mark.writer, mark.number <= kept.number) == (kept.writer, True)
        else:
            assert command.kind in ("open", "stop", "begin", "finish", "withdraw", "erase")

    def note(self, person: Person, command: Command, now: datetime, seq: int) -> None:
        values = command.values
        if command.kind == "erase":
            for each in person.told.values():
                each.erase()
        if command.kind in ("withdraw", "erase"):
            person.ended = None  # also who has completed or was given up can leave
        told = person.told.get(values.get("position", 0))
        if told is None:
            return
        choice = Accepted(values.get("option"), values.get("confidence"), now, told.deadline_at)
        match command.kind:
            case "open" if told.opened_at is None:
                told.opened_at = now
            case "submit":
                told.answer = choice
            case "message":
                told.messages.append((command.id, values["text"]))
            case "draft":
                mark: DraftMark = values["mark"]
                if values["position"] in person.kept and mark.writer is not None:
                    kept, kept_seq = person.kept[values["position"]]
                    if kept.writer == mark.writer:
                        assert mark.number > kept.number
                    elif kept.writer is not None:
                        assert mark.base >= kept_seq
                person.kept[values["position"]] = (mark, seq)
                told.draft = choice
                told.drafts += 1

    # The server's own doings

    @rule(who=WHO, step=st.sampled_from(["claim", "beat", *ENDS, "unclaimed"]))
    def a_reply_goes_on(self, who: int, step: str) -> None:
        reply = Reply.objects.filter(message__trial__session=self.person(who).pk).order_by("-pk").first()
        if reply is None:
            return
        common = {"reply_id": reply.pk, "now": self.now}
        if step == "claim":
            reply_rows.claim(**common, sent={"prompt_version": "v1"})
        elif step == "beat":
            reply_rows.heartbeat(**common, text="It is")
        elif step == "unclaimed":
            reply_rows.end_unclaimed(**common)
        else:
            reply_rows.end(**common, outcome=ENDS[step])

    @rule(who=st.none() | WHO, skew=SKEWS, of=st.none() | WHO)
    def a_server_looks(self, who: int | None, skew: timedelta, of: int | None = None) -> None:
        """A timer looks at one person's trial; with None, the sweep looks at everything. `of`: when that one is due."""
        deadline_at = self.person(of).deadline_at() if of is not None else None
        if deadline_at is not None:
            self.now = max(self.now, deadline_at + GRACE + MOMENT)
        now = self.now + skew
        if who is not None:
            operations.close_if_due(session_id=self.person(who).pk, now=now)
            return
        before = self.open_people()
        sweep.sweep(now=now)
        self.all_follow(before, now)
        overdue = Trial.objects.filter(state="open", session__state="active", session__paused_at=None)
        assert not overdue.filter(deadline_at__lt=now - GRACE).exists()

    @precondition(lambda self: self.made > 35)
    @rule()
    def nobody_comes_for_days(self) -> None:
        self.now += timedelta(hours=73)
        sweep.abandon_absent(now=self.now)

    # Pauses

    @rule(who=st.none() | WHO, is_crash=st.booleans(), skew=SKEWS, step=STEPS)
    def pause_or_resume(self, who: int | None, is_crash: bool, skew: timedelta, step: timedelta) -> None:
        """One person or, with None, the study. A crash leaves only the row, and the next sweep brings it along."""
        if not self.wanted:
            self.ready(who or 0, is_ready=True)
        self.now += step
        key, session = self.meant(who)
        is_held, now, before = key in self.wanted, self.now + skew, self.open_people()
        if not is_held and session is not None and session.state != "active":
            return
        self.wanted ^= {key}
        if is_crash and is_held:
            Pause.objects.filter(study=self.study, session=session, ended_at=None).update(ended_at=now)
        elif is_crash:
            Pause.objects.create(study=self.study, session=session, reason="a crash", started_at=now)
        elif is_held:
            pauses.resume(study=self.study, session=session, now=now)
        else:
            pauses.pause(study=self.study, session=session, reason="a fire drill", now=now)
        if not is_crash:
            self.all_follow(before, now)

    def meant(self, who: int | None) -> tuple[int | None, ParticipantSession | None]:
        return (None, None) if who is None else (self.person(who).pk, self.person(who).look().session)

    def open_people(self) -> set[int]:
        return {person.pk for person in self.people if person.open_told() is not None}

    def all_follow(self, had_open: set[int], now: datetime) -> None:
        """What the model knows after the server brought sessions to their pauses at `now`."""
        for person in self.people:
            if person.look().session.state != "active":
                continue
            is_held = bool({None, person.pk} & self.wanted)
            if is_held and person.standing_since is None:
                person.standing_since = now
            elif not is_held and person.standing_since is not None:
                told = person.open_told()
                if told is not None and person.pk in had_open:
                    told.given_back += max(now - person.standing_since, timedelta(0))
                person.standing_since = None

    # What must hold

    @invariant()
    def all_hold(self) -> None:
        for person in self.people:
            look = person.look()
            stands = (look.rows, repr(person.told), person.tab, person.standing_since, len(self.people))
            if stands == person.judged:
                continue  # nothing of theirs is different since the last step
            person.judged = stands
            seen = Seen(
                look.session,
                look.trials,
                person.told,
                person.tab,
                person.commands,
                is_time_standing=person.standing_since is not None,
                ended=person.ended,
                people=len(self.people),
            )
            for trial in seen.trials:
                for trial_holds in TRIAL_INVARIANTS:
                    trial_holds(trial, person.told[trial.position])
                if trial.closed_at is not None and person.told[trial.position].closed is None:
                    person.told[trial.position].closed = fields_of(trial)
            for holds in SESSION_INVARIANTS:
                holds(seen)
            state = seen.session.state
            if state != "active" and (person.ended is None or person.ended["state"] != state):
                person.ended = lasting(seen)
