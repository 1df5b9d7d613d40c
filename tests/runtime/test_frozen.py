"""A study that was bent after its launch takes nobody in; and what a trial is stands in its own row, nowhere else."""

import json
import os
import subprocess
import sys
import uuid
from dataclasses import asdict
from typing import Any

import pytest
from django.db import connection

from studies.design import access as design
from studies.design.frozen import StudyChanged
from studies.design.models import Assistant, Stance, Study
from studies.runtime import access, backends, chat, conversation, sessions, snapshot, sweep
from studies.runtime.models import ParticipantSession, Pause, Reply
from tests.runtime.conftest import Person
from tests.small_study import NOW, make_study

pytestmark = pytest.mark.django_db


def bend_spec(study: Study) -> Study:
    """As somebody with a database shell would: more seconds of grace, hash untouched."""
    study.spec["timing"]["grace_seconds"] = 30.0
    study.save(update_fields=["spec"])
    return study


@pytest.fixture
def _fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a restart: no specification was read yet."""
    monkeypatch.setattr(design, "_specs", {})


def test_nobody_joins_a_study_whose_specification_was_changed() -> None:
    study = make_study()
    design.spec_of(study)  # this process has read the right one, and must look again
    bend_spec(study)
    with pytest.raises(StudyChanged, match="small v1: the stored specification does not match its hash"):
        sessions.join(study=study, now=NOW)
    assert not ParticipantSession.objects.exists()


def test_nobody_joins_in_a_slot_whose_plan_was_changed_and_the_slot_stays_free() -> None:
    study = make_study()
    study.slots.get(number=1).plans.filter(stance__isnull=False).update(stance=None)
    with pytest.raises(StudyChanged, match="slot 1 is not as it was planned"):
        sessions.join(study=study, now=NOW)
    assert not ParticipantSession.objects.exists()
    slot = study.slots.get(number=1)
    assert (slot.is_taken, slot.attempts) == (False, 0)
    sessions.join(study=study, now=NOW, slot_number=2)  # the others are as they were


def test_a_session_keeps_the_hash_of_what_it_joined_and_is_given_nothing_else(person: Person) -> None:
    study = person.session.study
    assert person.session.spec_hash == study.spec_hash
    other = make_study(timing__grace_seconds=20.0)  # a second version, and its specification put into the first row
    Study.objects.filter(pk=study.pk).update(spec=other.spec, spec_hash=other.spec_hash)
    person.session.refresh_from_db()
    person.session.study.refresh_from_db()
    with pytest.raises(StudyChanged, match=f"not the one that session {person.session_id} has"):
        access.spec_of(person.session)
    with pytest.raises(StudyChanged):
        person.open(1)
    with pytest.raises(StudyChanged):
        snapshot.snapshot(person.session)


@pytest.mark.usefixtures("_fresh_process")
def test_a_bent_study_does_not_hold_up_the_sweep_of_another(person: Person) -> None:
    timed = person.answer_until("timed")
    other, _ = sessions.join(study=make_study(study__name="other"), now=NOW)
    sessions.begin(session_id=other.pk, now=NOW)
    second = Person(other, "", person.now)
    waiting = second.answer_until("timed")
    bend_spec(person.session.study)
    design._specs.clear()
    assert sweep.sweep(now=person.later(7_200).now)["closed"] == 1
    assert (person.trial(timed.position).state, second.trial(waiting.position).state) == ("open", "timed_out")
    assert sweep.abandon_absent(now=person.later(80 * 3_600).now) == 1
    other.refresh_from_db()
    person.session.refresh_from_db()
    assert (person.session.state, other.state) == ("active", "abandoned")


def ask(person: Person, position: int) -> Reply:
    reply = chat.send_message(
        session_id=person.session_id,
        command_id=uuid.uuid4(),
        position=position,
        text="Which one?",
        now=person.now,
        client_at=None,
    )
    assert reply is not None
    return reply


@pytest.mark.usefixtures("_fresh_process")
def test_a_bent_study_does_not_hold_up_pauses_and_failed_replies(person: Person) -> None:
    reply = ask(person, person.answer_until("chat").position)
    study, other = person.session.study, make_study(study__name="other")
    second, _ = sessions.join(study=other, now=NOW)
    for each in (study, other):
        Pause.objects.create(study=each, reason="a fire alarm", started_at=person.now)  # as if the server died here
    bend_spec(study)
    design._specs.clear()
    swept = sweep.sweep(now=person.later(60).now)
    assert (swept["failed"], swept["followed"]) == (1, 1)
    reply.refresh_from_db()
    second.refresh_from_db()
    assert reply.state == Reply.State.FAILED
    assert second.paused_at is not None


# Condition, assistant and stance are those of the trial's row, in every process and after every restart.

ASK = """
import dataclasses, json, sys, django
django.setup()
from studies.runtime import conversation
asked = conversation.prepare(int(sys.argv[1]))
print(json.dumps([dataclasses.asdict(asked.request), asked.assistant.pk, asked.sent]))
"""


def in_another_process(reply: Reply) -> Any:
    """What a process that has just started would ask the model, on this test's database."""
    made = connection.settings_dict
    postgres = f"postgres://{made['USER']}:{made['PASSWORD']}@{made['HOST']}:{made['PORT']}/{made['NAME']}"
    url = postgres if connection.vendor == "postgresql" else f"sqlite:///{made['NAME']}"
    env = os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "oversight.settings"}
    command = [sys.executable, "-c", ASK, str(reply.pk)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def here(reply: Reply) -> Any:
    """The same in this process, which has known the study since before."""
    asked = conversation.prepare(reply.pk)
    return json.loads(json.dumps([asdict(asked.request), asked.assistant.pk, asked.sent]))


@pytest.mark.django_db(transaction=True)
def test_condition_assistant_and_stance_are_those_of_the_trial_row_in_every_process(person: Person) -> None:
    trial = person.answer_until("chat")
    reply = ask(person, trial.position)
    before = here(reply)
    assert before[0]["script"]["stance"] == trial.stance
    assert in_another_process(reply) == before

    study, wrong = person.session.study, ((trial.stance or 0) + 1) % 4
    other = study.assistants.create(name="another", backend="scripted", options={"words_per_second": 99})
    study.conditions.filter(name="chat").update(assistant=other)
    person.session.slot.plans.update(condition=study.conditions.get(name="alone"), stance=None)
    Stance.objects.filter(assistant__study=study).update(option=wrong)
    study.assistants.filter(pk=trial.assistant_id).update(name="renamed")

    assert here(reply) == before
    assert in_another_process(reply) == before
    assert access.is_assisted(person.trial(trial.position))


async def test_a_backend_is_that_of_the_assistants_row_and_not_of_the_processes_past() -> None:
    options = {"base_url": "http://127.0.0.1:8100/v1", "model": "m", "max_tokens": 5, "temperature": 0.0, "top_p": 1.0}
    assistant = Assistant(pk=7, name="a", backend="openai", options=options)
    first = await backends.of(assistant)
    assert await backends.of(Assistant(pk=7, name="renamed", backend="openai", options=dict(options))) is first
    moved = Assistant(pk=7, name="a", backend="openai", options=options | {"base_url": "http://127.0.0.1:8200/v1"})
    assert await backends.of(moved) is not first
    await backends.close()
