"""What is removed or bent, where, and which test files must notice."""

from dataclasses import dataclass

OPERATIONS = "studies/runtime/operations.py"
RULES = "studies/runtime/rules.py"
TEST_RULES = "tests/runtime/test_rules.py"
TEST_OPERATIONS = "tests/runtime/test_operations.py"
TEST_COMMANDS = "tests/runtime/test_commands.py"
TEST_SNAPSHOT = "tests/runtime/test_snapshot.py"


@dataclass(frozen=True)
class Mutation:
    """`old` stands exactly once in `file`. `needs_postgres`: on SQLite another lock hides it."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    is_named_goal: bool = False
    needs_postgres: bool = False


MUTATIONS = (
    Mutation(
        "deadline comparison: the last instant of the grace is late",
        RULES,
        "trial.deadline_at is not None and now > trial.deadline_at + trial.grace",
        "trial.deadline_at is not None and now >= trial.deadline_at + trial.grace",
        (TEST_RULES,),
        is_named_goal=True,
    ),
    Mutation(
        "deadline comparison removed",
        RULES,
        "return trial.deadline_at is not None and now > trial.deadline_at + trial.grace",
        "return False",
        (TEST_OPERATIONS,),
        is_named_goal=True,
    ),
    Mutation(
        "grace bound removed: whatever is late comes within the grace",
        RULES,
        "now > trial.deadline_at + trial.grace\n\n\ndef is_in_grace",
        "now > trial.deadline_at + 1000 * trial.grace\n\n\ndef is_in_grace",
        (TEST_RULES,),
        is_named_goal=True,
    ),
    Mutation(
        "idempotency key ignored: a repeated command is done again",
        "studies/runtime/change.py",
        "self.is_repeated = command_id is not None and session.events.filter(command_id=command_id).exists()",
        "self.is_repeated = False",
        (TEST_COMMANDS,),
        is_named_goal=True,
    ),
    Mutation(
        "chain check removed: a log may have any rows",
        "studies/analysis/chain.py",
        "        *_chain({row.seq: row for row in rows}, start),\n",
        "",
        ("tests/analysis/test_chain.py", "tests/runtime/test_verify.py"),
        is_named_goal=True,
    ),
    Mutation(
        "chain check removed: a log may end anywhere",
        "studies/analysis/chain.py",
        "        *_end(rows, start, last_seq, head),\n",
        "",
        ("tests/analysis/test_chain.py", "tests/runtime/test_verify.py"),
    ),
    Mutation(
        "data of an event may be changed",
        "studies/analysis/chain.py",
        "        *_data(rows, is_withheld),\n",
        "",
        ("tests/analysis/test_chain.py", "tests/runtime/test_verify.py"),
    ),
    Mutation(
        "rows that say something else than the log are not noticed",
        "studies/runtime/verify.py",
        "        *_trials(session, rows),\n",
        "",
        ("tests/runtime/test_verify.py",),
    ),
    Mutation(
        "an erased answer stays",
        "studies/runtime/erasure.py",
        "        answer=None,\n",
        "",
        ("tests/runtime/test_erasure.py",),
    ),
    Mutation(
        "grace not marked",
        RULES,
        "return trial.deadline_at is not None and trial.deadline_at < now <= trial.deadline_at + trial.grace",
        "return False",
        (TEST_RULES,),
    ),
    Mutation(
        "a late answer is stored",
        RULES,
        'raise Refusal("too_late")\n    if trial.state',
        "pass\n    if trial.state",
        (TEST_RULES,),
    ),
    Mutation(
        "a closed question takes a second answer",
        RULES,
        'if trial.state != "open":\n        raise Refusal("already_closed")',
        "",
        (TEST_OPERATIONS,),
    ),
    Mutation(
        "the timer gives 0 for a missing confidence",
        RULES,
        'return Closing(trial.draft_option, trial.draft_confidence, "timer"',
        'return Closing(trial.draft_option, trial.draft_confidence or 0.0, "timer"',
        (TEST_OPERATIONS,),
    ),
    Mutation(
        "a timeout is the first option",
        RULES,
        'return Closing(None, None, "", False)',
        'return Closing(0, None, "timer", False)',
        (TEST_OPERATIONS,),
    ),
    Mutation(
        "an older draft of another browser wins",
        RULES,
        "if mark.base < trial.draft_seq:",
        "if False:",
        (TEST_COMMANDS,),
    ),
    Mutation(
        "an older draft of the same browser wins",
        OPERATIONS,
        "if not rules.is_newer(state, mark):",
        "if rules.is_newer(state, mark) is None:",
        (TEST_COMMANDS,),
    ),
    Mutation(
        "opening again starts the clock again",
        OPERATIONS,
        "        if current is not None and current.position == position:\n            return current\n",
        "        if current is not None and current.position == position:\n"
        "            current.deadline_at = rules.deadline(opened_at=now, limit_seconds=current.time_limit_seconds)\n"
        "            current.save()\n            return current\n",
        (TEST_OPERATIONS,),
    ),
    Mutation(
        "two questions open at once",
        OPERATIONS,
        'if current is not None and current.state == Trial.State.OPEN:\n            raise Refusal("another_open")',
        "",
        (TEST_OPERATIONS,),
    ),
    Mutation(
        "a command of an ended session is obeyed",
        OPERATIONS,
        'if session.state != ParticipantSession.State.ACTIVE:\n        raise Refusal("session_over")',
        "",
        (TEST_OPERATIONS,),
    ),
    Mutation(
        "a clock that is behind closes a trial before it was opened",
        OPERATIONS,
        "made.now = max(made.now, trial.opened_at or made.now)",
        "pass",
        (TEST_OPERATIONS,),
    ),
    Mutation(
        "a pause gives no time back",
        "studies/runtime/pauses.py",
        "trial.deadline_at = trial.deadline_at + stood if trial.deadline_at else None",
        "trial.deadline_at = trial.deadline_at",
        ("tests/runtime/test_pauses.py",),
    ),
    Mutation(
        "a paused session shows its question's clock and chat",
        "studies/runtime/snapshot.py",
        "is_shown = session.paused_at is None",
        "is_shown = True",
        ("tests/participant/test_paused.py",),
    ),
    Mutation(
        "a change of the page is not told to the tabs",
        "studies/runtime/sweep.py",
        'made.show("page", snapshot.page(session, current_trial(session)))',
        "pass",
        (TEST_SNAPSHOT,),
    ),
    Mutation(
        "the chain does not go on from the event before",
        "studies/runtime/change.py",
        "            head=session.head,\n",
        '            head="",\n',
        (TEST_OPERATIONS,),
    ),
    Mutation(
        "the key is in the socket's snapshot",
        "studies/runtime/snapshot.py",
        '"context": trial.context_number if trial else 0}',
        '"context": trial.context_number if trial else 0, "hint": trial.question.key if trial else 0}',
        ("tests/participant/test_secrecy.py",),
    ),
    Mutation(
        "the key is in the question's page",
        "studies/participant/present.py",
        '"question": trial.question.text,\n        "options": options(trial),\n        "scale"',
        '"question": trial.question.text + " " * trial.question.key, "options": options(trial), "scale"',
        ("tests/participant/test_secrecy.py",),
    ),
    Mutation(
        "compare-and-set of the slot removed",
        "studies/design/operations.py",
        "if free.filter(is_open, pk=slot_id).update(",
        "if Slot.objects.filter(is_open, pk=slot_id).update(",
        ("tests/design/test_operations.py",),
    ),
    Mutation(
        "one consent takes two slots",
        "studies/runtime/sessions.py",
        "return ParticipantSession.objects.filter(study=study, join_key=join_key).first()",
        "return None",
        (TEST_COMMANDS,),
    ),
    Mutation(
        "a withdrawn person keeps the slot",
        "studies/runtime/sessions.py",
        "design_operations.give_back_slot(slot_id=session.slot_id)",
        "pass",
        (TEST_OPERATIONS,),
    ),
    Mutation(
        "a message is kept without its text",
        "studies/runtime/chat.py",
        "            text=kept,\n",
        '            text="",\n',
        ("tests/runtime/test_replies.py",),
    ),
    Mutation(
        "an answer does not end a running reply",
        OPERATIONS,
        'state__in=["queued", "streaming"]).update(is_stop_asked=True)',
        'state__in=["queued", "streaming"]).update(is_stop_asked=False)',
        ("tests/runtime/test_replies.py",),
    ),
    Mutation(
        "acknowledged although it failed",
        "studies/participant/consumers.py",
        'await self.tell("refused", id=str(frame.id), code=refusal.code',
        'await self.tell("ack", id=str(frame.id), code=refusal.code',
        ("tests/participant/test_consumer.py",),
    ),
    Mutation(
        "no limit on the rate of frames",
        "studies/participant/limits.py",
        "if self._left < 1:",
        "if False:",
        ("tests/participant/test_consumer.py",),
    ),
    Mutation(
        "session lock removed",
        "studies/runtime/change.py",
        'ParticipantSession.objects.select_for_update(of=("self",))',
        "ParticipantSession.objects",
        ("tests/runtime/test_at_once.py",),
        needs_postgres=True,
    ),
)
