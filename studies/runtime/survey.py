"""The survey at the end of a session: its answers are sent together, once, and the session ends with them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from studies.runtime import sessions, survey_rules
from studies.runtime.access import spec_of
from studies.runtime.change import change
from studies.runtime.models import ParticipantSession, SurveyAnswer
from studies.runtime.operations import require_active
from studies.runtime.rules import Refusal
from studies.runtime.survey_rules import Given

SENT = "survey"
Stage = ParticipantSession.Stage
Said = dict[str, Any]


def send(*, session_id: int, form: Mapping[str, str], now: datetime) -> None:
    """Store the answers and complete the session. Once it is completed, sending again changes nothing.

    `form` is what was sent, by the item's name. Raises SurveyRefused where an answer cannot be taken (then nothing is
    stored), and Refusal: wrong_stage, paused, session_over.
    """
    with change(session_id=session_id, now=now) as made:
        session = made.session
        if session.stage == Stage.DEBRIEF:
            return
        require_active(session)
        if session.stage != Stage.SURVEY:
            raise Refusal("wrong_stage")
        given = survey_rules.answers(spec_of(session).survey, form)
        SurveyAnswer.objects.bulk_create(SurveyAnswer(session=session, **vars(each)) for each in given)
        made.event(SENT, **said_of(given))
        sessions.end(made)


def said_of(given: list[Given] | list[SurveyAnswer]) -> Said:
    """What the event says of answers, by item: points and options as they are, of a text only how long it is."""
    return {
        "points": {each.item: each.number for each in given if each.number is not None},
        "options": {each.item: each.option for each in given if each.option is not None},
        "characters": {each.item: len(each.text) for each in given if each.text},
    }
