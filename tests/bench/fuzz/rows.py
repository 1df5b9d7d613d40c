"""`python -m tests.bench.fuzz.rows STUDY < diaries.json` in the server's environment: what is wrong with the rows."""

import json
import sys
from datetime import timedelta
from typing import Any

import django

django.setup()

from studies.design.models import Study  # noqa: E402
from studies.runtime.access import session_by_token  # noqa: E402
from studies.runtime.models import Message, ParticipantSession, Trial  # noqa: E402
from tests.runtime.invariants import (  # noqa: E402
    Accepted,
    Seen,
    Told,
    a_slot_is_held_by_one_person,
    at_most_one_trial_is_open,
    both_sums_hold,
    no_reply_outlives_its_trial_unasked,
    the_log_is_whole_and_tells_the_rows,
)


def disturbed(diary: dict[str, Any]) -> list[str]:
    """Where an honest person's rows differ from what the person was told."""
    session = session_by_token(diary["token"])
    if session is None:
        return ["the session is gone"]
    wrong = []
    if (session.state, session.completion_code) != ("completed", diary["code"]):
        wrong.append(f"{session.pk} is {session.state} with code {session.completion_code!r}, told {diary['code']!r}")
    for trial in Trial.objects.filter(session=session).order_by("position"):
        place = str(trial.position)
        told = tuple(diary["answers"][place])
        if (trial.answer, trial.confidence, trial.submitted_by) != (*told, "person"):
            wrong.append(f"{session.pk}/{place}: answer {trial.answer}, {trial.confidence}; told {told}")
        drafted = tuple(diary["drafts"].get(place, (None, None)))
        if (trial.draft_option, trial.draft_confidence) != drafted:
            wrong.append(f"{session.pk}/{place}: draft {trial.draft_option}; told {drafted}")
        stored = list(Message.objects.filter(trial=trial).order_by("number").values_list("text", flat=True))
        if stored != diary["messages"].get(place, []):
            wrong.append(f"{session.pk}/{place}: messages {stored}; told {diary['messages'].get(place)}")
    logged = set(session.events.exclude(command_id=None).values_list("command_id", flat=True))
    foreign = [str(each) for each in logged if str(each) not in diary["commands"]]
    return wrong + [f"{session.pk}: commands of somebody else: {foreign}"] * bool(foreign)


def seen_in_rows(session: ParticipantSession, people: int) -> Seen:
    """A session as its rows show it; of its person only the drafts are known."""
    trials = list(Trial.objects.filter(session=session).order_by("position"))
    told = {trial.position: Told(None, timedelta(0)) for trial in trials}
    for trial in trials:
        if trial.draft_at is not None:
            told[trial.position].draft = Accepted(trial.draft_option, trial.draft_confidence, trial.draft_at, None)
    return Seen(session, trials, told, {}, set(), is_time_standing=False, ended=None, people=people)


def bent(study: Study) -> list[str]:
    """Which sessions of the study, hostile ones too, break an invariant of their rows."""
    wrong = []
    sessions = ParticipantSession.objects.filter(study=study).select_related("study", "participant", "slot")
    for session in sessions:
        seen = seen_in_rows(session, len(sessions))
        for holds in (
            at_most_one_trial_is_open,
            no_reply_outlives_its_trial_unasked,
            a_slot_is_held_by_one_person,
        ):
            try:
                holds(seen)
            except AssertionError as broken:
                wrong.append(f"session {session.pk}: {holds.__name__}: {str(broken)[:300]}")
    for holds in (both_sums_hold, the_log_is_whole_and_tells_the_rows):
        try:
            holds(seen)
        except AssertionError as broken:
            wrong.append(f"{holds.__name__}: {str(broken)[:1000]}")
    return wrong


def main() -> int:
    study = Study.objects.get(name=sys.argv[1])
    told = json.load(sys.stdin)
    found = {
        "disturbed": [line for diary in told for line in disturbed(diary)],
        "bent": bent(study),
        "sessions": study.sessions.count(),
    }
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
