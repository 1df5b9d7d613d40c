"""What the real operations write, from the study file to the last answer, becomes the rows that were played."""

import uuid
from datetime import timedelta

import pytest

from studies.design.operations import close_study
from studies.reports import frames, queries, source
from studies.runtime import operations, sessions
from studies.runtime.models import ParticipantSession, Trial
from tests.small_study import NOW, make_study

pytestmark = pytest.mark.django_db(transaction=True)


def play(session: ParticipantSession) -> list[Trial]:
    """Right on every other question, 10 s each."""
    now = NOW + timedelta(minutes=1)
    sessions.begin(session_id=session.pk, now=now)
    for trial in session.trials.select_related("question"):
        now += timedelta(seconds=5)
        operations.open_next_trial(session_id=session.pk, position=trial.position, now=now)
        now += timedelta(seconds=10)
        operations.submit_answer(
            session_id=session.pk,
            position=trial.position,
            command_id=uuid.uuid4(),
            option=(trial.question.key + trial.position % 2) % 4,
            confidence=0.6,
            now=now,
        )
    sessions.finish(session_id=session.pk, now=now)
    return list(session.trials.all())


def test_a_whole_session_becomes_its_rows():
    study = make_study()
    session, _ = sessions.join(study=study, now=NOW, entry=("prolific", "SECRET"))
    played = play(session)
    sessions.join(study=study, now=NOW)
    close_study(study_id=study.pk, now=NOW + timedelta(days=1))
    study.refresh_from_db()
    made = frames.tables(source.read(study))
    rows = made["trials"].to_dict("records")
    assert [row["correct"] for row in rows] == [1 - trial.position % 2 for trial in played]
    assert [row["seconds"] for row in rows] == [10.0] * len(played)
    assert {row["condition"] for row in rows} == {"human", "human+model"}
    assert all((row["assistant_answer"] is None) == (row["condition"] == "human") for row in rows)
    assert "SECRET" not in "".join(table.to_csv() for table in made.values())
    assert queries.sums_hold(study) == []
    sums = queries.sums(study)
    assert (sums.sessions.assigned, sums.sessions.completed, sums.sessions.active) == (2, 1, 1)
    assert (sums.trials.answered, sums.trials.not_reached) == (len(played), len(played))
    order_swaps = set(made["assignments"]["order_swap"])
    assert order_swaps <= {0, 1}
    assert len(order_swaps) == 2
