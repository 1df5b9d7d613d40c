"""Who comes by a link with an id is known by it, in every browser; a place that nobody filled in is no id."""

import pytest
from django.http import QueryDict

from studies.design.models import Study
from studies.jobs.executor import on_database
from studies.participant import entry
from studies.runtime.models import ParticipantIdentity, ParticipantSession
from tests.participant.visitor import Visitor
from tests.small_study import make_study

pytestmark = pytest.mark.django_db(transaction=True)


def read(query: str) -> tuple[str, str] | None:
    return entry.read(Study(), QueryDict(query)).identity


@pytest.mark.parametrize(
    ("query", "identity"),
    [
        ("PROLIFIC_PID=5f0c&STUDY_ID=1&SESSION_ID=2", ("prolific", "5f0c")),
        ("assignmentId=1&hitId=2&workerId=A1B2", ("mturk", "A1B2")),
        ("participantId=C3&assignmentId=1&projectId=2", ("cloudresearch", "C3")),
        ("entry=own+list%2C+1", ("link", "own list, 1")),
        ("entry=", None),
        ("entry=" + "x" * 201, None),
        ("workerId=A1B2%00", None),
        ("PROLIFIC_PID={{%PROLIFIC_PID%}}&STUDY_ID={{%STUDY_ID%}}", None),
        ("PROLIFIC_PID=%7B%7B%25PROLIFIC_PID%25%7D%7D", None),
        ("workerId=${workerId}", None),
        ("", None),
    ],
)
def test_the_parameters_of_the_platforms_are_read(query: str, identity: tuple[str, str] | None) -> None:
    assert read(query) == identity


async def came(study: Study, query: str, *, again: Visitor | None = None) -> Visitor:
    visitor = again or Visitor("")
    visitor.join_path = f"/join/{study.join_code}/{query}"
    await visitor.get(visitor.join_path)
    if "consent" in visitor.received[-1]:
        await visitor.join()
    return visitor


async def sessions() -> int:
    return await on_database(ParticipantSession.objects.count)


async def test_the_same_id_resumes_the_same_session_in_another_browser() -> None:
    study = await on_database(make_study)
    await came(study, "?PROLIFIC_PID=p1")
    other = await came(study, "?PROLIFIC_PID=p1")
    assert "Instructions" in other.received[-1]
    assert await sessions() == 1


async def test_a_place_that_was_not_filled_in_is_nobodys_session() -> None:
    study = await on_database(make_study)
    for _ in range(2):
        await came(study, "?PROLIFIC_PID={{%PROLIFIC_PID%}}")
    assert await sessions() == 2
    assert not await on_database(ParticipantIdentity.objects.exists)


async def test_a_second_person_at_the_same_computer_gets_their_own_session() -> None:
    study = await on_database(make_study)
    browser = await came(study, "?PROLIFIC_PID=p1")
    await came(study, "?PROLIFIC_PID=p2", again=browser)
    assert await sessions() == 2
    await came(study, "", again=browser)  # without an id it is whoever was here last
    await came(study, "?PROLIFIC_PID=p1", again=browser)
    assert await sessions() == 2


async def test_who_came_without_an_id_stays_who_they_are_when_the_link_has_one_later() -> None:
    study = await on_database(make_study)
    browser = await came(study, "")
    await came(study, "?entry=later", again=browser)
    assert await sessions() == 1
