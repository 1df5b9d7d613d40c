"""What the page says of the text that the assistant has is what the assistant is given, in every context."""

from uuid import uuid4

import pytest
from django.template.loader import render_to_string

from studies.design.models import Assistant, Condition
from studies.participant import present
from studies.participant.standing import Standing
from studies.runtime import chat, conversation, operations, sessions
from studies.runtime.models import ParticipantSession, Reply, Trial
from tests.small_study import NOW, make_study

pytestmark = pytest.mark.django_db


def trial_in_chat(*, has_passage: bool = True) -> Trial:
    """The first open chat trial with or without a passage; the others before it are answered."""
    study = make_study()
    for _ in range(study.slots.count()):
        session, _ = sessions.join(study=study, now=NOW)
        sessions.begin(session_id=session.pk, now=NOW)
        here = {"session_id": session.pk, "now": NOW}
        for trial in session.trials.select_related("condition", "question").order_by("position"):
            operations.open_next_trial(position=trial.position, **here)
            if trial.condition.name == "chat" and (trial.question.passage_id is not None) == has_passage:
                return trial
            operations.submit_answer(position=trial.position, command_id=uuid4(), option=0, confidence=0.6, **here)
    raise AssertionError("no such trial")


def given(trial: Trial) -> bool:
    """Whether the passage is in what the assistant gets with the next message, which is said, answered and over."""
    here = {"session_id": trial.session_id, "position": trial.position, "command_id": uuid4(), "now": NOW}
    reply = chat.send_message(text="Which one?", **here)
    assert reply is not None
    request = conversation.prepare(reply.pk).request
    Reply.objects.filter(pk=reply.pk).update(state=Reply.State.DONE, text="This one.")
    passage = Trial.objects.get(pk=trial.pk).question.passage
    assert passage is not None
    said = [turn.text for turn in request.turns] + [request.script.passage if request.script else ""]
    return any(passage.text in text for text in said)


def page(trial: Trial) -> str:
    session = ParticipantSession.objects.select_related("study", "participant", "slot").get(pk=trial.session_id)
    template, shown = present.page_of(Standing(session), NOW)
    assert template == "participant/trial.html"
    return " ".join(render_to_string(template, shown).split())


@pytest.mark.parametrize(
    ("backend", "first", "after", "at_start", "after_reset", "hint", "line"),
    [
        ("engine", True, True, True, True, "know; it has the text.", 'everything above"'),
        ("engine", True, False, True, False, "know; it has the text until you reset", 'above, and the text"'),
        ("engine", False, True, False, False, "sees neither the question nor the text.", 'everything above"'),
        ("engine", False, False, False, False, "sees neither the question nor the text.", 'everything above"'),
        ("scripted", False, False, True, True, "know; it has the text.", 'everything above"'),
    ],
)
def test_the_page_says_what_the_assistant_is_given(backend, first, after, at_start, after_reset, hint, line) -> None:
    trial = trial_in_chat()
    Assistant.objects.update(backend=backend)
    Condition.objects.update(passage_first_turn=first, passage_after_reset=after)
    said = page(trial)
    assert hint in said
    assert line in said
    assert given(trial) is at_start
    chat.reset_context(session_id=trial.session_id, position=trial.position, command_id=uuid4(), now=NOW)
    assert given(trial) is after_reset


def test_where_there_is_no_text_nothing_is_said_of_one() -> None:
    said = page(trial_in_chat(has_passage=False))
    assert "The assistant does not see the question. Type or paste what you want it to know. It can" in said
    assert 'data-reset-line="The assistant has forgotten everything above"' in said
