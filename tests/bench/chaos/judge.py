"""The bots' record against the rows: pure functions from what was seen and what is stored to sentences of complaint.

Every bound is sound: a person's own instant just before sending is never later than the server's receipt of it, and
their instant after the acknowledgement never earlier than the commit; both clocks are this machine's.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime

from tests.bench.chaos.rows import Rows, TrialRow
from tests.bench.chaos.seen import Command, Place, Seen

ROUNDING = 0.001  # a page tells its deadline in whole ms
# What a person may be told although they did nothing wrong: the trial closed, moved on or was busy meanwhile.
EXPECTED_REFUSALS = {
    "draft": {"too_late", "already_closed", "wrong_question", "draft_outdated"},
    "submit": {"too_late", "already_closed", "wrong_question", "form 409"},
    "message": {"too_late", "already_closed", "wrong_question", "reply_running"},
    "retry": {"too_late", "already_closed", "wrong_question", "reply_running", "nothing_to_retry"},
    "reset": {"too_late", "already_closed", "wrong_question"},
    "stop": {"wrong_question"},
    "event": {"session_over"},
}


def seconds(at: datetime | None) -> float:
    if at is None:
        raise ValueError("a closed or limited trial without its instant")
    return at.timestamp()


def lost(seen: Seen, rows: Rows) -> Iterator[str]:
    """Acknowledged, and not in the rows."""
    trials = {(trial.entry, trial.position): trial for trial in rows.trials}
    messages = {message.id for message in rows.messages}
    sessions = {session.entry: session for session in rows.sessions}
    for entry in sorted(seen.joined - set(sessions)):
        yield f"{entry}: joined, no session"
    for entry, codes in seen.codes.items():
        stored = sessions[entry].code if entry in sessions else None
        if codes != {stored}:
            yield f"{entry}: shown code {sorted(codes)}, stored {stored!r}"
    for command in seen.of("message", is_acked=True):
        if command.id not in messages:
            yield f"{_named(command)}: acknowledged, no row"
    for command in seen.of("submit", is_acked=True):
        trial = trials.get(_place(command))
        if trial is None or trial.submit_id != command.id or trial.submitted_by != "person":
            yield f"{_named(command)}: acknowledged, the row says {trial}"
        elif trial.answer != _choice(command):
            yield f"{_named(command)}: {_choice(command)} acknowledged, {trial.answer} stored"
    logged = {event.command_id for event in rows.events}
    for kind in ("message", "submit", "reset", "retry", "event"):
        for command in seen.of(kind, is_acked=True):
            if command.id not in logged:
                yield f"{_named(command)}: acknowledged, no event"
    yield from _lost_drafts(seen, trials)


def _lost_drafts(seen: Seen, trials: dict[Place, TrialRow]) -> Iterator[str]:
    """The last draft must be the acknowledged one or one that was not surely done before it."""
    for command in seen.of("draft", is_acked=True):
        trial = trials.get(_place(command))
        last = seen.commands.get(trial.draft_id) if trial is not None else None
        if trial is None or last is None:
            yield f"{_named(command)}: acknowledged, the trial's last draft is {trial and trial.draft_id!r}"
        elif last.id != command.id and last.precedes(command):
            yield f"{_named(command)}: acknowledged, but the last draft is the earlier {_named(last)}"
        elif trial.draft != _choice(last):
            yield f"{_named(last)}: {_choice(last)} drafted, {trial.draft} stored"


def duplicated(seen: Seen, rows: Rows) -> Iterator[str]:
    """Done once, stored more than once."""
    for what, values in (
        ("sessions of", [session.entry for session in rows.sessions]),
        ("messages with id", [message.id for message in rows.messages]),
        ("messages with text", [message.text for message in rows.messages]),
        ("events of command", [event.command_id for event in rows.events if event.command_id]),
    ):
        for value, count in Counter(values).items():
            if count > 1:
                yield f"{count} {what} {value}"
    made = defaultdict[tuple[Place, str], set[str]](set)
    for command in seen.commands.values():
        made[_place(command), command.kind].add(command.id)
    logged = Counter(((event.entry, event.position or 0), event.type) for event in rows.events)
    for trial in rows.trials:
        place = (trial.entry, trial.position)
        closings = logged[place, "submit"] + logged[place, "timeout"]
        if trial.state in ("answered", "timed_out") and (logged[place, "opened"], closings) != (1, 1):
            yield f"{place}: opened {logged[place, 'opened']} times, closed {closings} times"
        for kind, allowed in (
            ("draft", len(made[place, "draft"])),
            ("message", len(made[place, "message"])),
            ("reset", len(made[place, "reset"])),
            ("stop", len(made[place, "stop"]) + len(made[place, "reset"])),
            ("reply_asked", len(made[place, "message"]) + len(made[place, "retry"])),
        ):
            if logged[place, kind] > allowed:
                yield f"{place}: {logged[place, kind]} {kind} events, {allowed} were made"
        if trial.resets != logged[place, "reset"]:
            yield f"{place}: context {trial.resets} after {logged[place, 'reset']} resets"
    for message in rows.messages:
        if len(message.replies) > 1 + len(made[(message.entry, message.position), "retry"]):
            yield f"message {message.id}: {len(message.replies)} replies"
    written = Counter((message.entry, message.position) for message in rows.messages)
    for place in {(trial.entry, trial.position) for trial in rows.trials}:
        if written[place] != logged[place, "message"]:
            yield f"{place}: {written[place]} messages, {logged[place, 'message']} message events"


def late(seen: Seen, rows: Rows) -> Iterator[str]:
    """Sent or taken after deadline + grace and stored; or a wrong mark of the grace; or a moved deadline."""
    graces = {place: told for place, tolds in seen.deadlines.items() for _, told in tolds}
    limits: dict[Place, tuple[float, float]] = {}
    for trial in rows.trials:
        place = (trial.entry, trial.position)
        told = {deadline for deadline, _ in seen.deadlines.get(place, ())}
        stored = None if trial.deadline_at is None else round(seconds(trial.deadline_at) * 1000)
        if told - {stored}:
            yield f"{place}: told the deadlines {told}, stored {stored}"
        if trial.deadline_at is None or place not in graces:
            continue
        deadline = seconds(trial.deadline_at)
        limits[place] = (deadline, deadline + graces[place] / 1000)
        yield from _late_trial(trial, seen, *limits[place])
    for event in rows.events:
        place = (event.entry, event.position or 0)
        made = seen.commands.get(event.command_id)
        if made is not None and (made.sent_at is None or seconds(event.at) < made.sent_at - ROUNDING):
            yield f"{_named(made)}: logged at {seconds(event.at):.3f}, sent at {made.sent_at}"
        if event.type not in ("draft", "submit", "message") or place not in limits:
            continue
        deadline, end = limits[place]
        at = seconds(event.at)
        if at > end or (event.type == "message" and at > deadline):
            yield f"{place}: {event.type} event {at - deadline:.3f} s after the deadline"
        if event.type == "draft" and event.data["in_grace"] != (at > deadline):
            yield f"{place}: draft {at - deadline:+.3f} s from the deadline, in_grace={event.data['in_grace']}"


def _late_trial(trial: TrialRow, seen: Seen, deadline: float, end: float) -> Iterator[str]:
    place = (trial.entry, trial.position)
    source = seen.commands.get(trial.submit_id if trial.submitted_by == "person" else trial.draft_id)
    if trial.submitted_by and source is None:
        yield f"{place}: an answer by {trial.submitted_by} that nobody gave"
    elif source is not None and (source.sent_at is None or source.sent_at > end + ROUNDING):
        yield f"{_named(source)}: sent {(source.sent_at or 0) - deadline:.3f} s after the deadline, stored"
    if trial.submitted_by == "person":
        at = seconds(trial.closed_at)
        if at > end:
            yield f"{place}: answered {at - deadline:.3f} s after the deadline by the row's own clock"
        if trial.in_grace != (at > deadline):
            yield f"{place}: answered {at - deadline:+.3f} s from the deadline, in_grace={trial.in_grace}"
        if source is not None and source.sent_at is not None and at < source.sent_at - ROUNDING:
            yield f"{_named(source)}: stored as answered {source.sent_at - at:.3f} s before it was sent"
        if source is not None and source.acked_at is not None and source.acked_at <= deadline and trial.in_grace:
            yield f"{_named(source)}: acknowledged before the deadline, in_grace"
    elif trial.state in ("answered", "timed_out"):
        if seconds(trial.closed_at) <= end:
            yield f"{place}: closed by the timer {end - seconds(trial.closed_at):.3f} s too early"
        if trial.state == "answered" and trial.in_grace != (seconds(trial.draft_at) > deadline):
            yield f"{place}: the draft's grace is {trial.draft_in_grace}, the answer's {trial.in_grace}"


def bent(seen: Seen, rows: Rows) -> Iterator[str]:
    """Stored otherwise than it was done or told: by the timer, refused and yet stored, or refused without a reason."""
    for trial in rows.trials:
        place = (trial.entry, trial.position)
        if trial.submitted_by == "timer" and trial.answer != trial.draft:
            yield f"{place}: the timer submitted {trial.answer}, the last draft was {trial.draft}"
        if trial.state == "timed_out" and (trial.draft[0] is not None or trial.answer != (None, None)):
            yield f"{place}: timed out with {trial.answer}, the last draft was {trial.draft}"
        if trial.submitted_by == "person" and (command := seen.commands.get(trial.submit_id)) is not None:
            if command.refused:
                yield f"{_named(command)}: refused as {command.refused}, and stored"
            if trial.answer != _choice(command):
                yield f"{_named(command)}: {_choice(command)} sent, {trial.answer} stored"
    for message in rows.messages:
        command = seen.commands.get(message.id)
        if (
            command is None
            or command.values["text"] != message.text
            or _place(command) != (message.entry, message.position)
        ):
            yield f"message {message.id}: stored otherwise than sent"
        elif command.refused:
            yield f"{_named(command)}: refused as {command.refused}, and stored"
    for command in seen.commands.values():
        if command.refused and command.refused not in EXPECTED_REFUSALS[command.kind]:
            yield f"{_named(command)}: refused as {command.refused}"


def stuck(seen: Seen, rows: Rows) -> Iterator[str]:
    """Sessions without their completion code, and replies that never end."""
    for entry, why in seen.stuck:
        yield f"{entry}: {why}"
    for session in rows.sessions:
        if session.state != "completed" or not session.code:
            yield f"{session.entry}: {session.state}, code {session.code!r}"
        elif session.entry not in seen.codes:
            yield f"{session.entry}: completed, but nobody was shown the code"


def running(rows: Rows) -> Iterator[str]:
    for message in rows.messages:
        if set(message.replies) & {"queued", "streaming"}:
            yield f"message {message.id}: replies {message.replies}"


def baseline(rows: Rows) -> Iterator[str]:
    """The model alone: one run, finished, an answer to each question (the database has no second to the same)."""
    if [(run.is_finished, run.answers) for run in rows.baselines] != [
        (True, run.questions) for run in rows.baselines[:1]
    ]:
        yield f"runs of the model alone: {rows.baselines}"


def _place(command: Command) -> Place:
    return command.entry, command.position or 0


def _choice(command: Command) -> tuple[int | None, float | None]:
    return command.values["option"], command.values["confidence"]


def _named(command: Command) -> str:
    return f"{command.kind} {command.id[:8]} of {command.tab} (position {command.position})"
