"""The survey at the end: sent once, with what nobody has to tell left empty, and numbers alone in the log."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from studies.design.models import Study
from studies.design.spec import SurveyTable
from studies.reports import queries
from studies.runtime import erasure, pauses, sessions, survey, survey_rules, sweep, verify
from studies.runtime.models import Event, ParticipantSession, SurveyAnswer
from studies.runtime.rules import MAX_SURVEY_CHARACTERS, Refusal
from studies.runtime.survey_rules import Given, SurveyRefused
from tests.runtime.conftest import Person
from tests.small_study import NOW, SURVEY, make_study

SECRET = "my name is Ada"
FORM = {"trust": "4", "used-before": "0", "comments": SECRET}
SCALE = SurveyTable("trust", "How much?", "scale", labels=("no", "", "yes"))
CHOICE = SurveyTable("often", "How often?", "choice", options=("never", "always"))
TEXT = SurveyTable("more", "What else?", "text")


def answered(study: Study) -> Person:
    """Somebody who has answered every question."""
    session, token = sessions.join(study=study, now=NOW)
    sessions.begin(session_id=session.pk, now=NOW)
    person = Person(session, token)
    for trial in session.trials.order_by("position"):
        person.open(trial.position)
        person.submit(trial.position)
    return person


@pytest.fixture
def asked(db: None) -> Person:
    """Somebody who stands before the survey."""
    person = answered(make_study(more=SURVEY))
    sessions.finish(session_id=person.session_id, now=person.now)
    return person


def send(person: Person, **form: str) -> None:
    survey.send(session_id=person.session_id, form=FORM | form, now=person.later(5).now)


def fresh(person: Person) -> ParticipantSession:
    return ParticipantSession.objects.select_related("study").get(pk=person.session_id)


def refusal(command: Callable[..., object], *given: object, **named: object) -> str:
    with pytest.raises(Refusal) as refused:
        command(*given, **named)
    return refused.value.code


def stored() -> list[tuple[object, ...]]:
    return list(SurveyAnswer.objects.order_by("item").values_list("item", "kind", "number", "option", "text"))


ALL_THREE = [
    ("comments", "text", None, None, SECRET),
    ("trust", "scale", 4, None, ""),
    ("used-before", "choice", None, 0, ""),
]


def test_after_the_last_question_the_survey_comes_and_the_session_goes_on(asked: Person) -> None:
    session = fresh(asked)
    assert (session.stage, session.state, session.completion_code) == ("survey", "active", "")
    sums = queries.sums(session.study)
    assert (sums.sessions.active, sums.trials.answered, queries.sums_hold(session.study)) == (1, 6, [])
    last_seq = session.last_seq
    sessions.finish(session_id=asked.session_id, now=asked.later(1).now)
    assert (fresh(asked).stage, fresh(asked).last_seq) == ("survey", last_seq)


def test_without_a_survey_the_session_ends_as_it_did(db: None) -> None:
    person = answered(make_study())
    sessions.finish(session_id=person.session_id, now=person.now)
    session = fresh(person)
    assert (session.stage, session.state) == ("debrief", "completed")
    assert session.completion_code
    assert session.events.latest("seq").type == "finish"
    assert refusal(survey.send, session_id=answered(session.study).session_id, form=FORM, now=NOW) == "wrong_stage"


def test_what_is_sent_is_stored_and_ends_the_session(asked: Person) -> None:
    send(asked)
    assert stored() == ALL_THREE
    session = fresh(asked)
    assert (session.stage, session.state, session.finished_at) == ("debrief", "completed", asked.now)
    assert session.completion_code
    [event] = Event.objects.filter(session=session, type="survey")
    assert event.data == {
        "points": {"trust": 4},
        "options": {"used-before": 0},
        "characters": {"comments": len(SECRET)},
    }
    assert SECRET not in str(list(Event.objects.values()))
    [verdict] = verify.verify(session.study)
    assert verdict.problems == ()


def test_sending_again_changes_nothing(asked: Person) -> None:
    send(asked)
    before = fresh(asked)
    send(asked, trust="1", comments="something else")
    after = fresh(asked)
    assert stored() == ALL_THREE
    assert (after.last_seq, after.completion_code) == (before.last_seq, before.completion_code)


def test_nobody_has_to_tell_what_is_not_required(asked: Person) -> None:
    send(asked, **{"used-before": "", "comments": " \n "})
    assert stored() == [("trust", "scale", 4, None, "")]
    assert fresh(asked).state == "completed"


def test_what_is_required_must_be_answered_and_then_nothing_is_stored(asked: Person) -> None:
    last_seq = fresh(asked).last_seq
    with pytest.raises(SurveyRefused) as refused:
        send(asked, trust="", comments="x" * (MAX_SURVEY_CHARACTERS + 1))
    assert {name: each.code for name, each in refused.value.problems.items()} == {
        "trust": "survey_unanswered",
        "comments": "survey_too_long",
    }
    assert stored() == []
    assert (fresh(asked).stage, fresh(asked).last_seq) == ("survey", last_seq)


def test_before_the_last_question_is_done_there_is_no_survey(db: None) -> None:
    session, token = sessions.join(study=make_study(more=SURVEY), now=NOW)
    person = Person(session, token)
    assert refusal(send, person) == "wrong_stage"
    sessions.begin(session_id=session.pk, now=NOW)
    person.open(1)
    assert refusal(send, person) == "wrong_stage"
    assert refusal(sessions.finish, session_id=session.pk, now=NOW) == "questions_left"


def test_in_a_pause_nothing_is_taken_and_afterwards_it_is(asked: Person) -> None:
    pauses.pause(study=asked.session.study, session=None, reason="tea", now=asked.now)
    assert refusal(send, asked) == "paused"
    pauses.resume(study=asked.session.study, session=None, now=asked.now)
    send(asked)
    assert stored() == ALL_THREE


def test_whoever_withdraws_before_it_sends_nothing(asked: Person) -> None:
    sessions.withdraw(session_id=asked.session_id, now=asked.now)
    assert refusal(send, asked) == "session_over"
    assert (stored(), fresh(asked).completion_code) == ([], "")


def test_whoever_stays_away_from_it_is_abandoned_and_keeps_the_answers_to_the_questions(asked: Person) -> None:
    later = asked.now + timedelta(hours=73)
    assert sweep.abandon_absent(now=later) == 1
    session = fresh(asked)
    assert (session.stage, session.state) == ("survey", "abandoned")
    assert refusal(send, asked) == "session_over"
    sums = queries.sums(session.study)
    assert (sums.sessions.abandoned, sums.trials.answered) == (1, 6)
    session.slot.refresh_from_db()
    assert not session.slot.is_taken


@pytest.mark.parametrize("is_sent", [False, True])
def test_an_erasure_takes_the_answers_away(asked: Person, is_sent: bool) -> None:
    if is_sent:
        send(asked)
    erasure.erase(session_id=asked.session_id, now=asked.now)
    assert stored() == []
    [verdict] = verify.verify(asked.session.study)
    assert verdict.problems == ()
    assert set(Event.objects.exclude(type="erased").values_list("data", flat=True)) == {None}


def test_the_command_that_erases_says_what_the_survey_holds(asked: Person) -> None:
    who = (asked.session.study.name, asked.session.participant.pseudonym)
    with pytest.raises(CommandError, match="6 answers, 0 messages and"):
        call_command("erase_participant", *who)
    send(asked)
    with pytest.raises(CommandError, match="6 answers, 0 messages, 3 survey answers and"):
        call_command("erase_participant", *who)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"number": 5}, "survey, points: {'trust': 5} in the rows, {'trust': 4} in the log"),
        ({"item": "other"}, "survey, points: {'other': 4} in the rows, {'trust': 4} in the log"),
    ],
)
def test_an_answer_that_was_changed_by_hand_is_found(asked: Person, change: dict[str, object], words: str) -> None:
    send(asked)
    SurveyAnswer.objects.filter(item="trust").update(**change)
    [verdict] = verify.verify(asked.session.study)
    assert verdict.problems == (words,)


def test_answers_that_were_put_in_or_left_by_hand_are_found(asked: Person) -> None:
    SurveyAnswer.objects.create(session=asked.session, item="comments", kind="text", text="planted")
    [verdict] = verify.verify(asked.session.study)
    assert verdict.problems == ("survey, characters: {'comments': 7} in the rows, {} in the log",)
    SurveyAnswer.objects.all().delete()
    send(asked)
    erasure.erase(session_id=asked.session_id, now=asked.now)
    SurveyAnswer.objects.create(session=asked.session, item="comments", kind="text", text="again")
    [verdict] = verify.verify(asked.session.study)
    assert verdict.problems == ("erased, but 1 survey answers are still there",)


@pytest.mark.parametrize(
    "row",
    [
        {"kind": "scale"},
        {"kind": "scale", "number": 0},
        {"kind": "scale", "number": 12},
        {"kind": "scale", "number": 1, "option": 1},
        {"kind": "scale", "number": 1, "text": "x"},
        {"kind": "choice"},
        {"kind": "choice", "number": 1},
        {"kind": "choice", "option": 20},
        {"kind": "choice", "option": 1, "text": "x"},
        {"kind": "text"},
        {"kind": "text", "text": "x", "number": 1},
        {"kind": "text", "text": "x", "option": 0},
        {"kind": "other", "text": "x"},
        {"kind": "text", "text": "x", "item": ""},
    ],
)
def test_an_impossible_row_cannot_be_stored(asked: Person, row: dict[str, object]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        SurveyAnswer.objects.create(session=asked.session, **({"item": "any"} | row))


def test_an_item_is_answered_once(asked: Person) -> None:
    good = {"session": asked.session, "item": "trust", "kind": "scale", "number": 11}
    SurveyAnswer.objects.create(**good)
    with pytest.raises(IntegrityError), transaction.atomic():
        SurveyAnswer.objects.create(**good)
    for kind, value in (("choice", {"option": 19}), ("text", {"text": "x"})):
        SurveyAnswer.objects.create(session=asked.session, item=kind, kind=kind, **value)


@pytest.mark.parametrize(
    ("item", "sent", "given"),
    [
        (SCALE, "1", Given("trust", "scale", number=1)),
        (SCALE, "3", Given("trust", "scale", number=3)),
        (CHOICE, "0", Given("often", "choice", option=0)),
        (CHOICE, "1", Given("often", "choice", option=1)),
        (TEXT, " as it is\n", Given("more", "text", text=" as it is\n")),
        (TEXT, "x" * MAX_SURVEY_CHARACTERS, Given("more", "text", text="x" * MAX_SURVEY_CHARACTERS)),
        *((item, sent, None) for item in (SCALE, CHOICE, TEXT) for sent in ("", "  ", "\n")),
    ],
)
def test_what_is_taken(item: SurveyTable, sent: str, given: Given | None) -> None:
    assert survey_rules.answer(item, sent) == given


@pytest.mark.parametrize(
    ("item", "sent", "code"),
    [
        *((SCALE, sent, "option_unknown") for sent in ("0", "4", "-1", "1.0", "１", " 1", "one", "1\x00", "9" * 5_000)),
        *((CHOICE, sent, "option_unknown") for sent in ("2", "-1", "never", "²", "00")),
        (TEXT, "x" * (MAX_SURVEY_CHARACTERS + 1), "survey_too_long"),
        (TEXT, "a\x00b", "survey_unreadable"),
    ],
)
def test_what_is_refused(item: SurveyTable, sent: str, code: str) -> None:
    assert refusal(survey_rules.answer, item, sent) == code
